"""What is to be submitted for workers that are missing, or why nothing is."""

from __future__ import annotations

from collections.abc import Collection

from hpc_launch.keeper.actions import Submit
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import Memory
from hpc_launch.keeper.values import Group, Look


def submission(
    group: Group, missing: int, alive: Collection[Element], look: Look, memory: Memory, intervals: Intervals
) -> tuple[Submit | None, str | None]:
    """One submission for what is missing, as large as it may be; and why there is less than that, or none.

    Args:
        missing: workers.
        alive: all elements of the group that are not over, also those on their way out.
    """
    if missing <= 0:
        unanswered = any(each.phase is Phase.ASKED for each in alive)
        return None, memory.of(group.name).refusal if unanswered else None
    if why := _not_now(group, look, memory, intervals):
        return None, why
    wanted = -(-missing // group.per_node)
    room = wanted if group.most_elements is None else max(0, group.most_elements - len(alive))
    capped = f"no more than {group.most_elements} of its worker jobs may be submitted at one time"
    paused = capped if room < wanted else None
    was = memory.of(group.name)
    if room == 0 or look.now < max(memory.next_submission, was.not_before):
        return None, paused or was.refusal
    size = min(wanted, room, wanted if group.array_limit is None else max(1, group.array_limit))
    return Submit(group.name, size, min(missing, size * group.per_node)), paused or was.refusal


def _not_now(group: Group, look: Look, memory: Memory, intervals: Intervals) -> str | None:
    if brake := memory.of(group.name).brake:
        return brake
    longest = look.demand.longest if look.demand else 0.0
    if look.run_ends is not None and look.run_ends - look.now < longest + intervals.drain:
        return "the walltime of the run is nearly over"
    return None
