"""What the tasks in the scheduler ask for, from samples: a look costs a few milliseconds however many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

from . import dask_private
from .demand import Need, Resources

SAMPLE = 1000
"""Tasks looked at of those that wait, and of those that workers have."""
UNRUNNABLE = 10_000
"""More of those: among them are all that ask for resources nobody has yet, and few are enough to want a worker."""


class Survey:
    """Adds up tasks by the resources that they ask for."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.needs: dict[Resources, Need] = {}
        self.durations: dict[str, float | None] = {}

    def add(self, tasks: Collection[Any], number: int, waiting: bool, on: str | None = None) -> None:
        """Add a sample that stands for so many tasks."""
        weight = number / len(tasks) if tasks else 0
        for task in tasks:
            need = self.need_of(task)
            need.tasks += weight
            need.waiting = need.waiting or waiting
            need.on = need.on or on
            if (duration := self.duration_of(task)) is None:
                need.unknown += weight
            else:
                need.seconds += weight * duration

    def need_of(self, task: Any) -> Need:
        asked = task.resource_restrictions
        resources = tuple(sorted(asked.items())) if asked else ()
        if resources not in self.needs:
            self.needs[resources] = Need(resources)
        return self.needs[resources]

    def duration_of(self, task: Any) -> float | None:
        name = task.prefix.name
        if name not in self.durations:
            self.durations[name] = dask_private.duration_of(self.scheduler, task)
        return self.durations[name]


def bound_to_absent(scheduler: Any, task: Any) -> bool:
    """Whether a task may run on some workers or hosts alone, and none of them is there."""
    bound = task.worker_restrictions or task.host_restrictions
    return bool(bound) and not task.loose_restrictions and not dask_private.valid_workers(scheduler, task)


def needs_of(scheduler: Any, group_of: Callable[[Any], str | None]) -> tuple[list[Need], int]:
    """What all tasks together ask for; and how many wait for workers or hosts that are not there."""
    survey = Survey(scheduler)
    survey.add(*dask_private.queued(scheduler, SAMPLE), waiting=True)
    sample, number = dask_private.unrunnable(scheduler, UNRUNNABLE)
    free: list[Any] = [task for task in sample if not bound_to_absent(scheduler, task)]
    of_free = round(number * len(free) / len(sample)) if sample else 0
    survey.add(free, of_free, waiting=True)
    workers: Mapping[str, Any] = scheduler.workers
    each = max(1, SAMPLE // max(1, len(workers)))
    for worker in workers.values():
        if worker.processing:
            survey.add(
                list(islice(worker.processing, each)), len(worker.processing), waiting=False, on=group_of(worker)
            )
    return list(survey.needs.values()), number - of_free
