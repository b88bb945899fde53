"""Counts elements that ended, and stops a group whose workers cannot start: no storm of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.memory import Memory
from hpc_launch.keeper.values import Demand, Look, Run

FAILURES = 3
"""Elements of a group in a row that ended before a worker connected."""
REJOINS, FEW = 3, 5
"""Workers of a group die in a loop when each has connected so many times more, and no task was finished meanwhile;
counted for so many workers at least."""
AGAIN = "`hpc-launch scale` starts them again"


def judge(run: Run, look: Look, elements: Mapping[int, Element], memory: Memory) -> Memory:
    """What is remembered once this look has told of elements that connected or ended."""
    memory = _new_wish(run, look, memory)
    new = {number for number, each in elements.items() if each.phase is Phase.CONNECTED} - memory.connected
    ended = [each for number, each in elements.items() if not each.alive and number not in memory.judged]
    for name in run.groups:
        joining = [elements[number] for number in new if elements[number].group == name]
        memory = _judge_joins(name, joining, elements.values(), look.demand, memory)
        if joining:
            memory = memory.with_group(name, failures=0)
    memory = replace(memory, connected=memory.connected | new, judged=memory.judged | {each.number for each in ended})
    for each in ended:
        memory = _judge_end(each, memory)
    return memory


def _new_wish(run: Run, look: Look, memory: Memory) -> Memory:
    """Whoever wishes anew knows better: what has failed is tried again."""
    if memory.serial is not None and memory.serial != look.wish.serial:
        for name in run.groups:
            memory = memory.with_group(name, failures=0, brake=None, joins=None, tries=0, not_before=0.0, refusal=None)
    return replace(memory, serial=look.wish.serial)


def _judge_end(element: Element, memory: Memory) -> Memory:
    """Count the end of an element, unless it was wanted, or there never was such a job."""
    if element.called_off or element.submission.refused is not None or element.number in memory.leaving:
        return memory
    was = memory.of(element.group)
    memory = memory.with_group(element.group, lost=was.lost + 1)
    if element.number in memory.connected:
        return memory
    failures, brake = was.failures + 1, was.brake
    if failures >= FAILURES and brake is None:
        brake = f"{failures} worker jobs in a row ended before a worker connected, see logs; {AGAIN}"
    return memory.with_group(element.group, failures=failures, failed=was.failed + 1, brake=brake)


def _judge_joins(
    name: str, joining: Iterable[Element], elements: Iterable[Element], demand: Demand | None, memory: Memory
) -> Memory:
    """Stop the group if its workers connect again and again and finish no task."""
    was = memory.of(name)
    if demand is None or name not in demand.joins:
        return memory
    if was.joins is None or was.finished != demand.finished:
        return memory.with_group(name, joins=demand.joins[name], finished=demand.finished)
    expected = was.joins + sum(each.workers for each in joining)
    there = sum(each.workers for each in elements if each.group == name and each.runs)
    brake = was.brake
    if demand.joins[name] - expected >= REJOINS * max(FEW, there):
        brake = brake or f"workers connect again and again, and finish no task, see logs/workers-*.log; {AGAIN}"
    return memory.with_group(name, joins=expected, brake=brake)
