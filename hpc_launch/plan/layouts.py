"""How the cluster is laid over batch jobs: one function for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.limits.misfit import Misfit
from hpc_launch.models.plan import Job, Reasons, Share, WorkerGroup
from hpc_launch.plan.jobs import Part, end_early, make_job
from hpc_launch.plan.queues import run_place, workers_place
from hpc_launch.plan.workers import Beside, Lifetime, group, share_of
from hpc_launch.resolve import Resolved

MOST_SUBMISSIONS = 1000
WORKERS = "workers"
"""The only group, and the name of its jobs."""


@dataclass(frozen=True)
class Laid:
    """A cluster, laid over jobs."""

    groups: Mapping[str, WorkerGroup]
    jobs: tuple[Job, ...]
    reasons: Reasons


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
    workers = resolved.profile.workers
    run, reasons = run_place(resolved, context)
    main = make_job(resolved, Part("scheduler", "scheduler", None), run, beside_workers(resolved))
    place, more = workers_place(resolved, run, context)
    lifetime = _lifetime(resolved)
    if workers.lifetime == "auto" and place.walltime is not None:
        lifetime = Lifetime.until_walltime(place.walltime, end_early(place.walltime))
    made, why = group(resolved, place.queue, Beside((), several_nodes=False), lifetime)
    part = Part(WORKERS, "workers", WORKERS, after=main.name)
    element = make_job(resolved, part, place, [share_of(made)])
    arrays = [
        _array(element, number, first, size) for number, (first, size) in enumerate(_chunks(resolved, made.nodes))
    ]
    return Laid({WORKERS: made}, (main, *arrays), {**reasons, **more, **why})


def _array(element: Job, number: int, first: int, size: int) -> Job:
    """So many of them, from the `first` of all elements on; `number` counts arrays from 0."""
    name = element.name if number == 0 else f"{element.name}-{number + 1}"
    array = size if size > 1 else None  # PBS refuses an array of one
    return replace(element, name=name, file=f"{name}.sh", log=f"logs/{name}-job", array=array, first_element=first)


LAYOUTS = {
    "single-job": Layout(single_job, "node", scheduler_cores=0, all_at_once=True),
    "job-array": Layout(job_array, None, scheduler_cores=1, all_at_once=False),
    "mpi": Layout(mpi, "mpi", scheduler_cores=0, all_at_once=True),
}


def scheduler_cores(resolved: Resolved) -> int:
    """Cores for the scheduler, beside the workers'."""
    given = resolved.profile.scheduler.cores
    return LAYOUTS[resolved.profile.layout].scheduler_cores if given is None else given


def beside_workers(resolved: Resolved) -> tuple[Share, Share]:
    """What scheduler and workload take."""
    profile = resolved.profile
    return (
        Share("scheduler", 1, scheduler_cores(resolved), profile.scheduler.memory),
        Share("workload", 1, profile.workload.cores, profile.workload.memory),
    )


def _one_job(resolved: Resolved, context: Context, ranks: bool) -> Laid:
    place, reasons = run_place(resolved, context)
    beside = beside_workers(resolved)
    made, why = group(resolved, place.queue, Beside(beside, several_nodes=True), _lifetime(resolved))
    ranks_per_node = made.per_node if ranks else 1
    holds = [share_of(made), *beside]
    job = make_job(resolved, Part("job", "all", WORKERS), place, holds, made.nodes, ranks_per_node)
    return Laid({WORKERS: made}, (job,), {**reasons, **why})


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
