"""Which queue the jobs go to, for how long, and what its nodes are."""

from __future__ import annotations

from dataclasses import dataclass

from hpc_launch.config.origin import KeyPath
from hpc_launch.context import Context
from hpc_launch.models.plan import Reason, Reasons
from hpc_launch.models.site import Queue
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_walltime


@dataclass(frozen=True)
class Place:
    """Where a job runs, and how long it may."""

    name: str | None
    """Of the queue; None: this machine."""
    queue: Queue
    walltime: int | None
    """In seconds."""


def run_place(resolved: Resolved, context: Context) -> tuple[Place, Reasons]:
    """The run's queue and walltime; a queue is given, or the site has but one."""
    site, name = resolved.site, resolved.profile.queue
    if site.queues and name is None:
        (name,) = site.queues
    name, queue = queue_of(resolved, name, context)
    walltime = resolved.profile.walltime or queue.default_walltime
    reasons: dict[KeyPath, Reason] = {}
    if name is not None:
        reasons["queue",] = Reason(name, f"the only queue of {site.name}")
    if walltime is not None:
        why = resolved.said_by_site("queues", str(name), "default_walltime")
        reasons["walltime",] = Reason(format_walltime(walltime), why)
    return Place(name, queue, walltime), reasons


def workers_place(resolved: Resolved, run: Place, context: Context) -> tuple[Place, Reasons]:
    """Queue and walltime of jobs that hold workers alone."""
    workers = resolved.profile.workers
    name, queue = queue_of(resolved, workers.queue or run.name, context)
    walltime = workers.walltime or run.walltime
    reasons: dict[KeyPath, Reason] = {
        (*resolved.workers_path, "queue"): Reason(name, "the run's"),
        (*resolved.workers_path, "walltime"): Reason(format_walltime(walltime or 0), "the run's"),
    }
    return Place(name, queue, walltime), reasons


def queue_of(resolved: Resolved, name: str | None, context: Context) -> tuple[str | None, Queue]:
    """The queue of this name, of those that the site has; a site without queues is this machine, one node."""
    if not resolved.site.queues:
        return None, Queue.model_validate({"nodes": 1, "cores": context.cores, "memory": f"{context.memory_bytes} B"})
    assert name is not None
    return name, resolved.site.queues[name]
