"""Which queue the jobs go to, for how long, and what its nodes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpc_launch.config.origin import KeyPath
from hpc_launch.context import Context
from hpc_launch.models.job import names_of
from hpc_launch.models.plan import Reason, Reasons
from hpc_launch.models.site import Queue
from hpc_launch.plan.several_queues import smallest
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_walltime


@dataclass(frozen=True)
class Place:
    """Where a job runs, and how long it may."""

    name: str | None
    """Of the queue, or of several with commas between; None: this machine."""
    queues: Mapping[str | None, Queue]
    """Each by its own name."""
    walltime: int | None
    """In seconds."""

    @property
    def queue(self) -> Queue:
        """What a job has wherever it starts."""
        return smallest([*self.queues.values()])


def run_place(resolved: Resolved, context: Context) -> tuple[Place, Reasons]:
    """The run's queue and walltime; a queue is given, or the site has but one."""
    site, name = resolved.site, resolved.profile.queue if resolved.site.queues else None
    if site.queues and name is None:
        (name,) = site.queues
    queues = queues_of(resolved, name, context)
    defaults = {str(name): queue.default_walltime for name, queue in queues.items() if queue.default_walltime}
    shortest = min(defaults, key=lambda name: defaults[name], default=None)
    walltime = resolved.profile.walltime or (defaults[shortest] if shortest else None)
    reasons: dict[KeyPath, Reason] = {}
    if name is not None:
        reasons["queue",] = Reason(name, f"the only queue of {site.name}")
    if walltime is not None:
        why = resolved.said_by_site("queues", str(shortest), "default_walltime")
        reasons["walltime",] = Reason(format_walltime(walltime), why)
    return Place(name, queues, walltime), reasons


def workers_place(resolved: Resolved, run: Place, context: Context) -> tuple[Place, Reasons]:
    """Queue and walltime of jobs that hold workers alone."""
    workers = resolved.profile.workers
    name = (workers.queue or run.name) if resolved.site.queues else None
    walltime = workers.walltime or run.walltime
    reasons: dict[KeyPath, Reason] = {
        (*resolved.workers_path, "queue"): Reason(_as_written(name), "the run's"),
        (*resolved.workers_path, "walltime"): Reason(format_walltime(walltime or 0), "the run's"),
    }
    return Place(name, queues_of(resolved, name, context), walltime), reasons


def _as_written(name: str | None) -> str | list[str] | None:
    several = names_of(name)
    return [*several] if len(several) > 1 else name


def queues_of(resolved: Resolved, names: str | None, context: Context) -> dict[str | None, Queue]:
    """Those of these names, of the site's; a site without queues is this machine, one node, which has no name."""
    if not resolved.site.queues:
        return {None: Queue.model_construct(nodes=1, cores=context.cores, memory=context.memory_bytes)}
    return {name: resolved.site.queues[name] for name in names_of(names)}
