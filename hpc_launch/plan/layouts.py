"""How the cluster is laid over batch jobs: one function for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.limits.misfit import Misfit
from hpc_launch.models.plan import Job, WorkerGroup
from hpc_launch.models.site import Queue
from hpc_launch.plan.jobs import end_early, make_job
from hpc_launch.plan.queues import given_queue, queue_of
from hpc_launch.plan.workers import Beside, Lifetime, group
from hpc_launch.resolve import Resolved

MOST_SUBMISSIONS = 1000
Laid = tuple[WorkerGroup, tuple[Job, ...]]


@dataclass(frozen=True)
class Layout:
    """What makes one layout different from the others."""

    lay: Callable[[Resolved, Context], Laid]
    launcher: Literal["node", "mpi"] | None
    """What starts processes on the nodes of its jobs."""
    scheduler_cores: int
    """Where the profile does not say."""
    all_at_once: bool
    """Whether all workers come with one job; otherwise they come when the queue lets them."""


def single_job(resolved: Resolved, context: Context) -> Laid:
    """One job of N nodes holds scheduler, workers and workload."""
    return _one_job(resolved, context, ranks=False)


def mpi(resolved: Resolved, context: Context) -> Laid:
    """The same with one MPI rank for each worker; the first one holds the scheduler too."""
    workers = resolved.profile.workers
    if workers.options:
        cause = "workers.options: these are words for `dask worker`, and the layout mpi starts dask-mpi"
        hint = "leave them out; threads, memory, resources, interface, lifetime … have keys of their own"
        raise InvalidConfiguration(Problem(cause, resolved.origin("workers", "options"), hint))
    if resolved.profile.scheduler.interface not in ("auto", workers.interface):
        cause = "scheduler.interface: dask-mpi has one interface for scheduler and workers"
        raise InvalidConfiguration(
            Problem(cause, resolved.origin("scheduler", "interface"), "set workers.interface alone")
        )
    return _one_job(resolved, context, ranks=True)


def job_array(resolved: Resolved, context: Context) -> Laid:
    """A job for scheduler and workload, and arrays of single-node jobs for the workers."""
    profile = resolved.profile
    queue_name, queue = given_queue(resolved, context)
    walltime = _walltime(resolved, queue)
    cores, memory = _beside_workers(resolved)
    scheduler = make_job(
        resolved, queue_name, queue, walltime, name="scheduler", cores=max(1, cores), memory=memory, requeue=False
    )
    worker_queue_name, worker_queue = queue_of(resolved, profile.workers.queue or queue_name, context)
    worker_walltime = profile.workers.walltime or walltime
    lifetime = _lifetime(resolved)
    if profile.workers.lifetime == "auto" and worker_walltime is not None:
        lifetime = Lifetime.until_walltime(worker_walltime, end_early(worker_walltime))
    workers = group(resolved, worker_queue, Beside(0, 0, several_nodes=False), lifetime)
    arrays = tuple(
        make_job(
            resolved,
            worker_queue_name,
            worker_queue,
            worker_walltime,
            name="workers" if number == 0 else f"workers-{number + 1}",
            cores=workers.per_node * workers.threads,
            memory=workers.per_node * workers.memory_bytes,
            after=scheduler.name,
            elements=size,
            first=first,
            gpus=workers.per_node * workers.gpus,
        )
        for number, (first, size) in enumerate(_chunks(resolved, workers.nodes))
    )
    return workers, (scheduler, *arrays)


LAYOUTS = {
    "single-job": Layout(single_job, "node", scheduler_cores=0, all_at_once=True),
    "job-array": Layout(job_array, None, scheduler_cores=1, all_at_once=False),
    "mpi": Layout(mpi, "mpi", scheduler_cores=0, all_at_once=True),
}


def scheduler_cores(resolved: Resolved) -> int:
    """Cores for the scheduler, beside the workers'."""
    given = resolved.profile.scheduler.cores
    return LAYOUTS[resolved.profile.layout].scheduler_cores if given is None else given


def _one_job(resolved: Resolved, context: Context, ranks: bool) -> Laid:
    queue_name, queue = given_queue(resolved, context)
    cores, memory = _beside_workers(resolved)
    workers = group(resolved, queue, Beside(cores, memory), _lifetime(resolved))
    job = make_job(
        resolved,
        queue_name,
        queue,
        _walltime(resolved, queue),
        name="job",
        nodes=workers.nodes,
        ranks_per_node=workers.per_node if ranks else 1,
        cores=workers.per_node * workers.threads + cores,
        memory=workers.per_node * workers.memory_bytes + memory,
        gpus=workers.per_node * workers.gpus,
    )
    return workers, (job,)


def _beside_workers(resolved: Resolved) -> tuple[int, int]:
    """Cores and bytes for scheduler and workload."""
    profile = resolved.profile
    return scheduler_cores(resolved) + profile.workload.cores, profile.scheduler.memory + profile.workload.memory


def _lifetime(resolved: Resolved) -> Lifetime:
    given = resolved.profile.workers.lifetime
    return Lifetime(given if isinstance(given, int) else None)


def _chunks(resolved: Resolved, elements: int) -> Iterator[tuple[int, int]]:
    """First element and number of elements of each array, as large as the site allows."""
    site = resolved.site
    most = (site.limits.array or elements) if site.arrays else 1
    _refuse_too_many(resolved, -(-elements // most))
    for first in range(0, elements, most):
        yield first, min(most, elements - first)


def _walltime(resolved: Resolved, queue: Queue) -> int | None:
    given = resolved.profile.walltime or queue.default_walltime
    if given is None and resolved.site.queues:
        hint = "add `walltime: 00:30:00` to the profile, or --set walltime=30m"
        raise DoesNotFit(Problem("walltime: neither the profile nor the site gives one", resolved.origin(), hint))
    return given


def _refuse_too_many(resolved: Resolved, submissions: int) -> None:
    """Each is a call of the submit command; raises DoesNotFit before a job is made of each."""
    if submissions > MOST_SUBMISSIONS:
        site = resolved.site
        arrays = f"arrays of {site.limits.array} elements at most" if site.arrays else "no arrays"
        raise DoesNotFit(
            Misfit(
                f"{submissions} calls of the submit command would be needed, for {site.name} has {arrays}; hpc-launch"
                f" makes {MOST_SUBMISSIONS} at most",
                resolved.origin("workers", "count"),
                kind=("submissions",),
                lower=("workers.count",),
                higher=("workers.per_node",),
            )
        )
