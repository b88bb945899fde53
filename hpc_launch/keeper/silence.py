"""Elements that run and are of no use: they have no worker, or workers that only come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hpc_launch.batch.report import JobStatus
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import LONG_AGO, Memory
from hpc_launch.keeper.values import Look

REJOINS, FEW = 3, 3
"""Workers die in a loop when each of an element has come back so many times, and it has finished no task meanwhile;
counted for so many workers at least."""
GIVE_UP = 3
"""One is ended after so many times the time after which it is asked about: 420 workers have taken eight minutes."""


def noticed(look: Look, elements: Mapping[int, Element], memory: Memory) -> Memory:
    """Since when which elements are silent. As long as the scheduler says nothing, nobody is."""
    if look.demand is None:
        return replace(memory, silent={})
    silent = [number for number, each in elements.items() if each.phase is Phase.STARTING]
    return replace(memory, silent={number: memory.silent.get(number, look.now) for number in silent})


def is_suspect(element: Element, look: Look, memory: Memory, intervals: Intervals) -> bool:
    """Whether the batch system has to be asked about a silent one: at once if it had a worker before."""
    since = memory.silent.get(element.number)
    if since is None:
        return False
    return element.number in memory.connected or look.now >= since + intervals.worker


def hopeless(look: Look, elements: Mapping[int, Element], memory: Memory, intervals: Intervals) -> frozenset[int]:
    """Silent elements that are to be ended: the batch system says that they run, and has not suspended them."""
    found = set()
    if look.demand is None or look.demand.unknown:
        return frozenset()  # a worker that nobody can place may be theirs
    for number, since in memory.silent.items():
        told, limit = look.told.get(number), since + GIVE_UP * intervals.worker
        runs = told is not None and told.status is JobStatus.RUNNING and told.asked >= limit
        tried = memory.ended.get(number, LONG_AGO)
        if runs and not elements[number].suspended and look.now >= tried + intervals.worker:
            found.add(number)
    return frozenset(found)


def looping(look: Look, elements: Mapping[int, Element], memory: Memory, intervals: Intervals) -> frozenset[int]:
    """Elements that are to be ended since their workers come back again and again, and finish no task."""
    found = set()
    for number, times in look.demand.rejoins.items() if look.demand else ():
        element, tried = elements.get(number), memory.ended.get(number, LONG_AGO)
        known = element is not None and element.runs and element.submission.job_id is not None
        loops = element is not None and times >= REJOINS * max(FEW, element.workers)
        if known and loops and look.now >= tried + intervals.worker:
            found.add(number)
    return frozenset(found)
