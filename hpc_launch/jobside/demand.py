"""How many workers of each group the tasks want. Plain data in, plain data out; ``survey.py`` looks at the tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .elements import Group

MEMORY_FULL = 0.6
"""More workers are wanted when data take more than this part of a group's memory."""

Resources = tuple[tuple[str, float], ...]
"""What a task asks for, sorted: ``(("GPU", 1.0),)``."""


@dataclass
class Need:
    """Tasks that ask for the same resources. Estimates, where there are too many to look at each."""

    resources: Resources
    tasks: float = 0.0
    seconds: float = 0.0  # of those whose duration can be told
    unknown: float = 0.0  # tasks whose duration cannot
    waiting: bool = False  # whether one of them has no worker
    on: str | None = None  # the group of a worker that has one of them


@dataclass
class Connected:
    """Workers of one group that are connected and not about to leave."""

    workers: int = 0
    data_bytes: int = 0
    limit_bytes: int = 0


@dataclass(frozen=True)
class Demand:
    workers: int
    raw: float
    """Workers that would do all known tasks within the target duration, however few tasks there are."""
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """Another group that could run these tasks → workers of it that they would need."""


def slots(group: Group, resources: Resources) -> int:
    """How many such tasks one worker of the group runs at a time; 0: none, ever."""
    rooms = [int(group.resources.get(name, 0) / amount) for name, amount in resources if amount > 0]
    return min([group.threads, *rooms])


def group_for(groups: Sequence[Group], need: Need) -> Group | None:
    """The first group that can run such tasks, otherwise the one that does so all the same."""
    able = (group for group in groups if slots(group, need.resources))
    return next(able, None) or next((group for group in groups if group.name == need.on), None)


def demands(groups: Sequence[Group], needs: Iterable[Need], connected: Mapping[str, Connected]) -> dict[str, Demand]:
    """Workers wanted of each group."""
    of_group: dict[str, list[Need]] = {group.name: [] for group in groups}
    for need in needs:
        if group := group_for(groups, need):
            of_group[group.name].append(need)
    there = {group.name: connected.get(group.name, Connected()) for group in groups}
    return {
        group.name: replace(
            _demand(group, of_group[group.name], there[group.name]),
            elsewhere=_elsewhere([each for each in groups if each != group], of_group[group.name], there),
        )
        for group in groups
    }


def _elsewhere(others: Sequence[Group], needs: Sequence[Need], there: Mapping[str, Connected]) -> dict[str, int]:
    """Workers that these tasks would need of each other group that can run some of them."""
    able = {group.name: [need for need in needs if slots(group, need.resources)] for group in others}
    return {
        group.name: _demand(group, able[group.name], replace(there[group.name], data_bytes=0)).workers
        for group in others
        if able[group.name]
    }


def _demand(group: Group, needs: Sequence[Need], there: Connected) -> Demand:
    """Never more workers than there are tasks for; at least one if a task waits; twice as many if memory is short.

    Tasks of unknown duration want what is there already, or one worker: one is enough to learn more.
    """
    at_a_time = [(need, max(1, slots(group, need.resources))) for need in needs]
    raw = sum(need.seconds / number for need, number in at_a_time) / group.target_duration
    unknown = sum(need.unknown / number for need, number in at_a_time)
    at_most = sum(need.tasks / number for need, number in at_a_time)
    workers = math.ceil(min(at_most, raw + min(unknown, max(1.0, there.workers - raw))))
    if any(need.waiting for need in needs):
        workers = max(1, workers)
    if there.limit_bytes and there.data_bytes > MEMORY_FULL * there.limit_bytes:
        workers = max(2 * there.workers, workers)
    return Demand(workers, round(raw, 3))


def unsatisfiable(groups: Sequence[Group], needs: Iterable[Need]) -> list[dict[str, object]]:
    """Tasks that wait for resources that no worker of any group will ever have."""
    return [
        {"resources": dict(need.resources), "tasks": round(need.tasks)}
        for need in needs
        if need.waiting and group_for(groups, need) is None
    ]
