"""Counts elements that ended, and stops a group whose workers cannot start: no storm of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.memory import Memory
from hpc_launch.keeper.values import Demand, Look, Run

FAILURES = 3
"""Elements of a group in a row that ended before a worker connected; or whose workers came back again and again."""
AGAIN = "`hpc-launch scale` starts them again"


def judge(run: Run, look: Look, elements: Mapping[int, Element], memory: Memory) -> Memory:
    """What is remembered once this look has told of elements that connected or ended."""
    memory = _new_wish(run, look, memory)
    new = {number for number, each in elements.items() if each.phase is Phase.CONNECTED} - memory.connected
    ended = [each for number, each in elements.items() if not each.alive and number not in memory.judged]
    for name in {elements[number].group for number in new}:
        memory = memory.with_group(name, failures=0)
    for name in run.groups if look.demand else ():
        memory = _judge_tasks(name, look.demand, memory)
    memory = replace(memory, connected=memory.connected | new, judged=memory.judged | {each.number for each in ended})
    for each in ended:
        memory = _judge_end(each, look, memory)
    return memory


def _new_wish(run: Run, look: Look, memory: Memory) -> Memory:
    """Whoever wishes anew knows better: what has failed is tried again."""
    if memory.serial is None:
        return replace(memory, serial=look.wish.serial, wished=look.wish.time)
    if memory.serial == look.wish.serial:
        return memory
    for name in run.groups:
        memory = memory.with_group(name, failures=0, loops=0, brake=None, tries=0, not_before=0.0, refusal=None)
    return replace(memory, serial=look.wish.serial, wished=look.now)  # by our clock: other hosts' may differ


def _judge_tasks(name: str, demand: Demand | None, memory: Memory) -> Memory:
    """A group that finishes tasks has workers that work."""
    finished = demand.finished.get(name, 0) if demand else 0
    if finished == memory.of(name).finished:
        return memory
    return memory.with_group(name, finished=finished, loops=0)


def _judge_end(element: Element, look: Look, memory: Memory) -> Memory:
    """Count the end of an element, unless it was wanted, or there never was such a job."""
    if element.called_off or element.submission.refused is not None or element.number in memory.leaving:
        return memory
    was = memory.of(element.group)
    memory = memory.with_group(element.group, lost=was.lost + 1)
    if element.number in memory.looping:
        loops = was.loops + 1
        why = f"the workers of {loops} worker jobs in a row came back again and again, and finished no task"
        brake = f"{why}, see logs/workers-*.log; {AGAIN}" if loops >= FAILURES else None
        return memory.with_group(element.group, loops=loops, failed=was.failed + 1, brake=was.brake or brake)
    if element.number in memory.connected or _is_no_failure(element, look, memory):
        return memory
    failures = was.failures + 1
    why = f"{failures} worker jobs in a row ended before a worker connected"
    brake = f"{why}, see logs; {AGAIN}" if failures >= FAILURES else None
    return memory.with_group(element.group, failures=failures, failed=was.failed + 1, brake=was.brake or brake)


def _is_no_failure(element: Element, look: Look, memory: Memory) -> bool:
    """Whether it was submitted before the newest wish, or may have had one of the workers that nobody can place."""
    return element.submission.asked < memory.wished or bool(look.demand and look.demand.unknown)
