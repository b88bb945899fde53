"""What of a site profile was not compared with the live machine, and why: of that nobody may say that it agrees."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.batch.machine import LiveQueue, vouching
from hpc_launch.config.origin import KeyPath
from hpc_launch.models.site import Queue
from hpc_launch.survey.compare_host import not_compared_here
from hpc_launch.survey.findings import Comparison, NotCompared


def not_compared(both: Comparison) -> list[NotCompared]:
    """Each thing that `compare` would look at and could not; what it never looks at is in docs/adding-a-site.md."""
    return [*_whole(both), *_queues(both), *_environments(both), *not_compared_here(both)]


def _whole(both: Comparison) -> Iterator[NotCompared]:
    site, machine = both.site, both.machine
    yield from both.untold(("detect", "cluster"), site.detect.cluster, machine.cluster is not None)
    if site.limits.array is not None:
        yield from both.untold(("limits", "array"), site.limits.array, machine.array is not None)
    elif site.arrays:
        yield from both.untold(("arrays",), site.arrays, machine.array is not None)
    submitted = site.limits.submitted.jobs
    yield from both.untold(("limits", "submitted", "jobs"), submitted, machine.submitted is not None)
    yield from both.untold(("memory", "resource"), site.memory.resource, machine.resources is not None)


def _queues(both: Comparison) -> Iterator[NotCompared]:
    if not both.names_queues:
        yield both.silent(("queues",), f"jobs name no queue here (rejects: {both.machine.queue_option})")
        return
    live = {queue.name: queue for queue in both.machine.queues}
    for name, queue in both.site.queues.items():
        if name in live:
            yield from _queue(both, ("queues", name), queue, live[name])


def _queue(both: Comparison, path: KeyPath, queue: Queue, live: LiveQueue) -> Iterator[NotCompared]:
    for limit in ("walltime", "default_walltime", "max_nodes"):
        yield from both.untold((*path, limit), getattr(queue, limit), live.tells(limit))
    sizes = {"cores": len(live.cores), "memory": len(live.memory)}
    said = [key for key in ("nodes", *sizes) if getattr(queue, key) is not None]
    if live.nodes is None:
        if said:
            cause = f"{both.machine.batch_system} does not tell which nodes are this queue's"
            yield both.silent(path, f"{', '.join(said)}: {cause}")
        return
    counted = vouching(live.nodes)
    for key, told in sizes.items():
        if key in said and told < len(counted):
            which = "it" if told == 0 else f"it of {len(counted) - told} of {len(counted)} nodes"
            yield both.silent((*path, key), f"{both.machine.batch_system} does not tell {which}")
    yield from both.untold((*path, "gpus"), queue.gpus, live.gpus is not None)


def _environments(both: Comparison) -> Iterator[NotCompared]:
    system, live = both.machine.batch_system, both.machine.environments
    for key, wanted in vars(both.site.parallel_environments).items():
        path: KeyPath = ("parallel_environments", key)
        if wanted is None:
            continue
        if live is None:
            yield both.silent(path, f"{system} has no parallel environments")
        elif wanted.name in live and not live[wanted.name].queues:
            yield both.silent(path, f"{system} does not tell which queues give {wanted.name}")
