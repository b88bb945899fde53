"""Which elements are to leave: those whose walltime is near, and those that are too many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.values import Adaptive, Demand, Fixed, Group, Look, Retirement

STAGGER_PARTS = 8
"""Elements that began together retire one after the other: their data need others to go to."""
STAGGER, STAGGER_SHARE = 600.0, 0.1
"""All within so many seconds, or this share of their walltime if that is less."""
CLOSE = 10.0
"""So many seconds before its end, or half of `drain` if that is less, the last of those that began together closes,
though its data have no room elsewhere."""
CAN_STAY = "waiting for tasks"
"""As long as the scheduler says no more than this of an element on its way out, or its data hold it, it may be told to
stay."""


def near_their_end(
    group: Group, elements: Iterable[Element], look: Look, intervals: Intervals
) -> dict[int, Retirement]:
    """Elements that have to retire for their walltime."""
    found = {}
    for number, (due, end) in _to_retire(group, elements, look, intervals):
        if look.now >= due:
            grace = max(0.0, end - intervals.drain - intervals.quiet - look.now)
            found[number] = Retirement(False, grace, _close_at(group, number, end, intervals))
    return found


def next_to_retire(group: Group, elements: Iterable[Element], look: Look, intervals: Intervals) -> float | None:
    """When the next element has to, as far as it is known now."""
    times = [due for _, (due, _) in _to_retire(group, elements, look, intervals)]
    return min((due for due in times if due > look.now), default=None)


def _to_retire(
    group: Group, elements: Iterable[Element], look: Look, intervals: Intervals
) -> Iterator[tuple[int, tuple[float, float]]]:
    """Element that ends before the run does → when it has to retire, and when it ends.

    By the longest task, and the time to move data, before its end; and until the scheduler has seen the list, and that
    the last task has ended, two of its looks go by.
    """
    if not group.walltime:
        return
    longest = look.demand.longest if look.demand else 0.0
    before = longest + intervals.drain + 2 * intervals.quiet
    before = min(before, group.walltime / 2)  # an element with no time to work would be no use
    stagger = _stagger(group)
    for each in elements:
        if each.runs and each.number in look.began:
            end = look.began[each.number] + group.walltime
            if look.run_ends is None or look.run_ends > end:
                yield each.number, (end - before - stagger * (each.number % STAGGER_PARTS), end)


def _close_at(group: Group, number: int, end: float, intervals: Intervals) -> float:
    """Every second one early: what comes in its place can take the data of the others."""
    close = min(CLOSE, intervals.drain / 2)
    return end - close - max(_stagger(group) * (number % STAGGER_PARTS), (intervals.drain - close) * (number % 2))


def _stagger(group: Group) -> float:
    return min(STAGGER, (group.walltime or 0.0) * STAGGER_SHARE) / STAGGER_PARTS


def too_many(surplus: int, wish: Fixed | Adaptive, elements: Collection[Element], demand: Demand | None) -> set[int]:
    """Elements to do without, whole ones only: those that wait first. An adaptive group spares idle ones alone."""
    chosen = set()
    for each in [*_waiting(elements), *_spared(elements, isinstance(wish, Adaptive), demand)]:
        if each.workers <= surplus:
            surplus -= each.workers
            chosen.add(each.number)
    return chosen


def may_stay(missing: int, retiring: Iterable[Element], demand: Demand | None) -> set[int]:
    """Of elements that retire since there were too many, those that are wanted again, and have not gone too far."""
    chosen = set()
    for each in retiring:
        phase = demand.draining.get(each.number, CAN_STAY) if demand else CAN_STAY
        held = demand is not None and each.number in demand.held
        if each.workers <= missing and (phase == CAN_STAY or held):
            missing -= each.workers
            chosen.add(each.number)
    return chosen


def _waiting(elements: Iterable[Element]) -> list[Element]:
    """The newest first: so whole arrays are called off where possible."""
    return sorted((each for each in elements if each.phase is Phase.WAITING), key=lambda each: -each.number)


def _spared(elements: Iterable[Element], adaptive: bool, demand: Demand | None) -> Iterator[Element]:
    """Elements that run, in the order in which one can do without them."""
    running = {each.number: each for each in elements if each.runs}
    spare = [number for number in demand.spare if number in running] if demand else []
    if adaptive:
        idle = (running[number] for number in spare if demand and number not in demand.held)
        yield from (each for each in idle if each.phase is Phase.CONNECTED)
        return
    starting = [number for number, each in running.items() if each.phase is Phase.STARTING]
    for number in dict.fromkeys([*sorted(starting, reverse=True), *spare, *sorted(running, reverse=True)]):
        yield running[number]
