"""How many workers a node could hold: arithmetic, by which planning need not be tried with every number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hpc_launch.advice.changes import in_its_group
from hpc_launch.checks.profile import IDLE
from hpc_launch.context import Context
from hpc_launch.models.site import Queue
from hpc_launch.plan.layouts import layout_of_run, room_for_workers
from hpc_launch.plan.workers import LEAST_MEMORY, Beside, free_memory, most_per_node, planned_per_node, share_of_memory
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB

FEW = 16
"""Up to so many numbers are all tried."""


@dataclass(frozen=True)
class Room:
    """The nodes of the workers' queue, of a run whose queues are known."""

    resolved: Resolved
    queue: Queue
    beside: Beside

    @classmethod
    def of(cls, resolved: Resolved, context: Context) -> Room:
        return cls(resolved, *room_for_workers(resolved, context))

    def asked(self, key: str) -> int | None:
        """What the profile says, or what is planned, in the unit that is searched in; None: neither."""
        _, key = in_its_group(key)
        if key == "workers.per_node":
            return self.per_node
        if key == "workers.memory":
            value = self.memory
        else:
            part, _, name = key.rpartition(".")
            value = getattr(getattr(self.resolved.profile, part) if part else self.resolved.profile, name)
        return -(-value // MIB) if key.endswith("memory") and value is not None else value

    def least(self, key: str) -> int:
        """The smallest number that makes sense, in the unit that is searched in."""
        _, key = in_its_group(key)
        if key.endswith("memory"):
            return (IDLE if key.startswith("workers") else LEAST_MEMORY) // MIB
        if key == "workers.count":
            least = 1 if self.resolved.group else self.resolved.profile.workers.minimum or 1
            return min(least, self.resolved.profile.workers.count)
        if key == "workers.cores":
            return self.resolved.profile.workers.threads
        may_be_none = self.resolved.profile.has_workers and key in ("scheduler.cores", "workload.cores")
        return 0 if may_be_none else 1

    @property
    def memory(self) -> int | None:
        """Bytes of each worker, given or not; None: nobody knows."""
        return self.resolved.profile.workers.memory or share_of_memory(self.resolved, self.queue, self.beside)

    @property
    def per_node(self) -> int:
        """Workers on a node as it is planned."""
        workers = self.resolved.profile.workers
        most = workers.per_node or self._most(self.queue, self.memory or IDLE)
        return planned_per_node(self.resolved, most, self.beside)

    def even(self) -> list[int]:
        """Numbers of workers on a node of which one fits if any does; where they are few, all."""
        large = self.queue.largest
        update = {"cores": large.cores or self.queue.cores, "memory": large.memory or self.queue.memory}
        return [*self._spreads(1, self._most(self.queue.model_copy(update=update), self.memory or IDLE))]

    def memories(self) -> list[int]:
        """For each number of workers on a node, from the present one on, the least memory in MiB that gives it."""
        free, least = free_memory(self.resolved, self.queue, self.beside), self.least("workers.memory")
        if self.resolved.profile.workers.per_node or free is None:
            return [least]
        numbers = self._spreads(self.per_node, self._most(self.queue, IDLE))
        return [max(least, -(-int(free / (number + 1) + 1) // MIB)) for number in sorted(numbers)] + [least]

    @property
    def all_tried(self) -> bool:
        """Whether one of these numbers fits if any does.

        Where workers come in jobs of their own there are limits to all of them and limits to the first ones: what is
        even for both is not looked for among many numbers.
        """
        return layout_of_run(self.resolved.profile).all_at_once or self._most(self.queue, IDLE) <= FEW

    def _most(self, queue: Queue, memory: int) -> int:
        return most_per_node(self.resolved, queue, self.beside, memory)

    def _spreads(self, least: int, most: int) -> Iterator[int]:
        if most - least < FEW:
            yield from range(least, most + 1)
        else:
            workers = self.resolved.profile.workers
            yield from dict.fromkeys((*_evenly(workers.count, most), *_evenly(workers.minimum or 1, most), least, most))


class Rooms:
    """Of each group of workers."""

    def __init__(self, resolved: Resolved, context: Context) -> None:
        self.of_groups = {each.group: Room.of(each, context) for each in resolved.of_groups() or [resolved]}

    def of(self, key: str) -> Room:
        """Of the workers that a key is of; of the first group, where it is of none."""
        group, _ = in_its_group(key)
        return self.of_groups.get(group) or next(iter(self.of_groups.values()))

    @property
    def all_tried(self) -> bool:
        """As that of each."""
        return all(room.all_tried for room in self.of_groups.values())


def _evenly(workers: int, most: int) -> Iterator[int]:
    """Numbers of workers on a node, the largest first, each of which leaves fewer places empty than those before.

    Whatever there is a limit to, nodes, cores or memory of all of them together: another number takes more of it than
    one of these, or no less.
    """
    fewest = workers
    for number in range(min(most, workers), 0, -1):
        nodes = -(-workers // number)
        if -(-workers // nodes) == number and (empty := nodes * number - workers) < fewest:
            yield number
            fewest = empty
        if not fewest:
            return
