"""How the cluster is laid over batch jobs: one function for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from hpc_launch import locations
from hpc_launch.context import Context
from hpc_launch.models.job import Job, Share
from hpc_launch.models.plan import Reasons
from hpc_launch.models.profile import Profile, Workload
from hpc_launch.models.site import Queue, Site
from hpc_launch.models.worker_group import WORKERS, WorkerGroup, ends_before, script_of
from hpc_launch.plan.jobs import Part, end_early, make_job
from hpc_launch.plan.queues import Place, run_place, workers_place
from hpc_launch.plan.workers import Beside, Lifetime, group, share_of
from hpc_launch.resolve import Resolved

MOST_SUBMISSIONS = 1000
"""Calls of the submit command for the workers of one run."""


@dataclass(frozen=True)
class Laid:
    """A cluster, laid over jobs."""

    groups: Mapping[str, WorkerGroup]
    jobs: tuple[Job, ...]
    reasons: Reasons
    on_demand: tuple[Job, ...] = ()
    """Of each group that begins without workers a worker job."""


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
    has_groups: bool = False
    """Whether there may be several groups of workers, whose jobs come and go."""


def single_job(resolved: Resolved, context: Context) -> Laid:
    """One job of N nodes holds scheduler, workers and workload."""
    return _one_job(resolved, context, ranks=False)


def mpi(resolved: Resolved, context: Context) -> Laid:
    """The same with one MPI rank for each worker; the first one holds the scheduler too."""
    return _one_job(resolved, context, ranks=True)


def job_array(resolved: Resolved, context: Context) -> Laid:
    """A job for scheduler and workload, and arrays of single-node jobs for each group of workers."""
    run, reasons = run_place(resolved, context)
    main = make_job(resolved, Part("scheduler", "scheduler", None), run, beside_workers(resolved))
    groups: dict[str, WorkerGroup] = {}
    arrays: list[Job] = []
    on_demand: list[Job] = []
    for part_of_run in resolved.of_groups():
        name = part_of_run.group or WORKERS
        groups[name], element, why = _elements(part_of_run, run, main.name, context)
        reasons = {**reasons, **why}
        arrays += [*_arrays(element, resolved.site, groups[name].first_nodes, arrays)]
        on_demand += [] if groups[name].nodes else [element]
    return Laid(groups, (main, *arrays), reasons, tuple(on_demand))


def _elements(resolved: Resolved, run: Place, after: str, context: Context) -> tuple[WorkerGroup, Job, Reasons]:
    """The workers of a group, a job for one element of them, and why they are so."""
    place, reasons = workers_place(resolved, run, context)
    lifetime = _lifetime(resolved)
    if resolved.profile.workers.lifetime == "auto" and place.walltime is not None:
        replaced = resolved.site.jobs_may_keep and ends_before(place.walltime, run.walltime)
        lifetime = Lifetime.until_walltime(place.walltime, end_early(place.walltime), replaced)
    made, why = group(resolved, *room_for_workers(resolved, context), lifetime)
    name = resolved.group or WORKERS
    part = Part(name, "workers", name, after, script_of("workers", name))
    element = make_job(resolved, part, place, [share_of(made)])
    return made, element, {**reasons, **why}


def _arrays(element: Job, site: Site, elements: int, before: Sequence[Job]) -> Iterator[Job]:
    """So many of them in arrays; names and elements count on from the arrays of other groups `before`."""
    begin = sum(job.array or 1 for job in before)
    for number, (first, size) in enumerate(_chunks(site, elements), len(before) + 1):
        suffix = f"-{number}" if number > 1 else ""
        yield replace(
            element,
            name=f"{element.name}{suffix}",
            log=f"logs/{element.file.removesuffix('.sh')}{suffix}-job",
            array=size if size > 1 else None,  # PBS refuses an array of one
            first_element=begin + first,
        )


def without_workers(resolved: Resolved, context: Context) -> Laid:
    """One job of one node holds the workload alone."""
    run, reasons = run_place(resolved, context)
    return Laid({}, (make_job(resolved, Part("job", "all", None), run, beside_workers(resolved)),), reasons)


WITHOUT_WORKERS = Layout(without_workers, None, scheduler_cores=0, all_at_once=True)
"""In place of every other one, where there are no workers to be laid over jobs."""

_OWN = {
    "single-job": Layout(single_job, "node", scheduler_cores=0, all_at_once=True),
    "job-array": Layout(job_array, None, scheduler_cores=1, all_at_once=False, has_groups=True),
    "mpi": Layout(mpi, "mpi", scheduler_cores=0, all_at_once=True),
}


class DoesNotLoad(Exception):
    """A layout of a plug-in that cannot be used."""


def layout_of(name: str) -> Layout:
    """The layout of this name, which there is; raises DoesNotLoad where a plug-in's is none."""
    return _OWN.get(name) or _from_outside(name)


@cache
def _from_outside(name: str) -> Layout:
    from importlib.metadata import entry_points

    (entry, *_) = entry_points(group=locations.LAYOUTS, name=name)
    try:
        found = entry.load()
    except Exception as fault:
        raise DoesNotLoad(f"{name!r} ({entry.value}) does not load: {fault}") from fault
    if not isinstance(found, Layout):
        raise DoesNotLoad(f"{name!r} ({entry.value}) is no hpc_launch.plan.layouts.Layout")
    return found


def layout_of_run(profile: Profile) -> Layout:
    """How the jobs of this profile are laid."""
    return layout_of(profile.layout) if profile.has_workers else WITHOUT_WORKERS


def scheduler_cores(resolved: Resolved) -> int:
    """Cores for the scheduler, beside the workers'."""
    given = resolved.profile.scheduler.cores
    return layout_of_run(resolved.profile).scheduler_cores if given is None else given


def places(resolved: Resolved, context: Context) -> tuple[Place, Place]:
    """Of the main job and of the workers, which may be the same."""
    run, _ = run_place(resolved, context)
    together = layout_of_run(resolved.profile).all_at_once
    return run, run if together else workers_place(resolved, run, context)[0]


def room_for_workers(resolved: Resolved, context: Context) -> tuple[Queue, Beside]:
    """The queue on whose nodes the workers are, and what else is on each."""
    several = layout_of_run(resolved.profile).all_at_once
    beside = beside_workers(resolved) if several else ()
    return places(resolved, context)[1].queue, Beside(beside, several_nodes=several)


def beside_workers(resolved: Resolved) -> tuple[Share, ...]:
    """What scheduler, workload and services take."""
    profile, jupyter = resolved.profile, resolved.profile.services.jupyter
    shares = []
    if profile.has_workers:
        shares.append(Share("scheduler", 1, scheduler_cores(resolved), profile.scheduler.memory))
    if isinstance(workload := profile.workload, Workload):
        shares.append(Share("workload", 1, workload.cores, workload.memory))
    if profile.has_workers and jupyter:
        shares.append(Share("JupyterLab", 1, jupyter.cores, jupyter.memory))
    return tuple(shares)


def _one_job(resolved: Resolved, context: Context, ranks: bool) -> Laid:
    place, reasons = run_place(resolved, context)
    made, why = group(resolved, *room_for_workers(resolved, context), _lifetime(resolved))
    ranks_per_node = made.per_node if ranks else 1
    holds = [share_of(made), *beside_workers(resolved)]
    job = make_job(resolved, Part("job", "all", WORKERS), place, holds, made.nodes, ranks_per_node)
    return Laid({WORKERS: made}, (job,), {**reasons, **why})


def _lifetime(resolved: Resolved) -> Lifetime:
    given = resolved.profile.workers.lifetime
    return Lifetime(given if isinstance(given, int) else None)


def _chunks(site: Site, elements: int) -> Iterator[tuple[int, int]]:
    """First element and number of elements of each array, as large as the site allows.

    Where these are more than hpc-launch submits there is one too many: such a plan is refused.
    """
    most = most_elements(site, elements)
    for first in range(0, elements, most)[: MOST_SUBMISSIONS + 1]:
        yield first, min(most, elements - first)


def most_elements(site: Site, elements: int) -> int:
    """Of so many elements, how many come with one call of the submit command."""
    return array_limit(site) or max(1, elements)


def array_limit(site: Site) -> int | None:
    """Elements of one array at most; 1 where there are no arrays; None: any number."""
    return site.limits.array if site.arrays else 1
