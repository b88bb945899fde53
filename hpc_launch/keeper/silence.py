"""Elements that run and have no worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hpc_launch.batch.report import JobStatus
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import LONG_AGO, Memory
from hpc_launch.keeper.values import Look

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
    for number, since in memory.silent.items():
        told, limit = look.told.get(number), since + GIVE_UP * intervals.worker
        runs = told is not None and told.status is JobStatus.RUNNING and told.asked >= limit
        tried = memory.ended.get(number, LONG_AGO)
        if runs and not elements[number].suspended and look.now >= tried + intervals.worker:
            found.add(number)
    return frozenset(found)
