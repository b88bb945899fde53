"""What is told in ``state/N/demand.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distributed.core import Status

from . import dask_private, room
from .demand import Connected, Demand, demands, unsatisfiable
from .survey import needs_of

if TYPE_CHECKING:
    from .eyes import Eyes

Elements = Mapping[int, Sequence[Any]]


def document(eyes: Eyes, elements: Elements) -> dict[str, Any]:
    """All but ``schema`` and ``time``."""
    known, drains = eyes.known, eyes.retiring.drains
    group_of = {number: known.group_of(number) for number in elements}
    group_of_worker = {worker: group_of[number] for number, workers in elements.items() for worker in workers}
    needs, bound = needs_of(eyes.scheduler, group_of_worker.get)
    staying = {number: workers for number, workers in elements.items() if number not in known.retire}
    wanted = demands(known.groups, needs, connected(staying, group_of))
    leaving = sum(data_of(workers) for number, workers in elements.items() if number in known.retire)
    spare, full = spared(staying, group_of, [group.name for group in reversed(known.groups)], leaving)
    finished = finished_by_group(eyes)
    held = [number for number, drain in drains.items() if drain.held and not drain.ended]
    return {
        "groups": {name: told(demand, name, elements, group_of, finished[name]) for name, demand in wanted.items()},
        "spare": spare,
        "held_by_data": sorted({*full, *held}),
        "draining": {str(number): drain.phase for number, drain in sorted(drains.items()) if not drain.ended},
        "ended": sorted(number for number, drain in drains.items() if drain.ended),
        "rejoins": {str(number): times for number, times in sorted(eyes.rejoins.items()) if number in elements},
        "unknown_workers": len(eyes.unresolved),
        "longest_task_seconds": round(eyes.longest_task, 3),
        "unsatisfiable": unsatisfiable(known.groups, needs) if known.groups else [],
        "tasks_for_absent_workers": bound,
    }


def for_people(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of it ``hpc-launch status`` tells; a keeper takes it for no word at all."""
    groups = {name: {"connected": each["connected"]} for name, each in document["groups"].items()}
    return {"groups": groups, "unsatisfiable": document["unsatisfiable"]}


def finished_by_group(eyes: Eyes) -> Counter[str | None]:
    """Tasks that its workers have finished so far."""
    found: Counter[str | None] = Counter()
    for name, tasks in eyes.finished.items():
        if (number := eyes.element_of(name)) is not None:
            found[eyes.known.group_of(number)] += tasks
    return found


def told(
    demand: Demand, name: str, elements: Elements, group_of: Mapping[int, str | None], finished: int
) -> dict[str, Any]:
    numbers = sorted(number for number in elements if group_of[number] == name)
    workers = [worker for number in numbers for worker in elements[number]]
    return {
        "connected": len(workers),
        "elements_connected": numbers,
        "demand": demand.workers,
        "raw": demand.raw,
        "elsewhere": dict(demand.elsewhere),
        "tasks_finished": finished,
        "threads_busy": sum(min(worker.nthreads, len(worker.processing)) for worker in workers),
    }


def connected(elements: Elements, group_of: Mapping[int, str | None]) -> dict[str, Connected]:
    """Of each group what is there."""
    groups: dict[str, Connected] = {}
    for number, workers in elements.items():
        group = groups.setdefault(group_of[number] or "", Connected())
        for worker in workers:
            group.workers += 1
            group.data_bytes += worker.nbytes
            group.limit_bytes += worker.memory_limit
    return groups


def spared(
    elements: Elements, group_of: Mapping[int, str | None], dearest_first: Sequence[str], promised: int
) -> tuple[list[int], list[int]]:
    """Elements without tasks: those that could leave without loss, and those whose data have no room elsewhere.

    The first, the first two, … of the former could leave together; the dearest group first, then the least data.
    """
    everyone = [worker for workers in elements.values() for worker in workers]
    there = room.Room(sum(map(free_of, everyone)), promised)
    order = {name: place for place, name in enumerate(dearest_first)}
    idle = [number for number, workers in elements.items() if not any(worker.processing for worker in workers)]
    idle.sort(key=lambda number: (order.get(group_of[number] or "", 0), data_of(elements[number]), number))
    spare, full = [], []
    for number in idle:
        workers = elements[number]
        actors = any(worker.actors for worker in workers)
        own, data = sum(map(free_of, workers)), data_of(workers)
        if not actors and (
            there.has_room(own, data) or there.has_room(own, data := sum(dask_private.only_here(workers)))
        ):
            there.leave(own, data)
            spare.append(number)
        elif actors or data:
            full.append(number)
    return spare, full


def data_of(workers: Iterable[Any]) -> int:
    return sum(worker.nbytes for worker in workers)


def free_of(worker: Any) -> int:
    return room.free(worker.memory_limit, dask_private.used_bytes(worker)) if worker.status == Status.running else 0
