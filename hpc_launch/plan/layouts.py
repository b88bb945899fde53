"""How the cluster is laid over batch jobs: one function for each layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.limits.misfit import Misfit
from hpc_launch.limits.node import memory_grain
from hpc_launch.models.plan import Job, WorkerGroup
from hpc_launch.models.site import Queue
from hpc_launch.plan.queues import given_queue, queue_of
from hpc_launch.plan.workers import Beside, Lifetime, group
from hpc_launch.resolve import Resolved
from hpc_launch.units import ceil_to

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
    scheduler = _job(
        resolved, queue_name, queue, walltime, name="scheduler", cores=max(1, cores), memory=memory, requeue=False
    )
    worker_queue_name, worker_queue = queue_of(resolved, profile.workers.queue or queue_name, context)
    worker_walltime = profile.workers.walltime or walltime
    lifetime = _lifetime(resolved)
    if profile.workers.lifetime == "auto" and worker_walltime is not None:
        lifetime = Lifetime.until_walltime(worker_walltime, end_early(worker_walltime))
    workers = group(resolved, worker_queue, Beside(0, 0, several_nodes=False), lifetime)
    arrays = tuple(
        _job(
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


def end_early(walltime: int | None) -> int:
    """Seconds that a job keeps for its own end: a twentieth of the walltime, between ten seconds and a minute.

    Ending takes three to four seconds on three nodes; the rest is for a workload that saves its state when told to end.
    """
    return 60 if walltime is None else max(10, min(60, walltime // 20))


def _one_job(resolved: Resolved, context: Context, ranks: bool) -> Laid:
    queue_name, queue = given_queue(resolved, context)
    cores, memory = _beside_workers(resolved)
    workers = group(resolved, queue, Beside(cores, memory), _lifetime(resolved))
    job = _job(
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


def _job(
    resolved: Resolved,
    queue_name: str | None,
    queue: Queue,
    walltime: int | None,
    *,
    name: str,
    cores: int,
    memory: int,
    nodes: int = 1,
    ranks_per_node: int = 1,
    after: str | None = None,
    elements: int = 1,
    first: int = 0,
    gpus: int = 0,
    requeue: bool | None = None,
) -> Job:
    """A job; `memory` in bytes is what its processes on one node need, and `gpus` are those of one node."""
    profile, site = resolved.profile, resolved.site
    return Job(
        name=name,
        file=f"{name}.sh",
        template=name.partition("-")[0],
        after=after,
        log="logs/job" if after is None else f"logs/{name}-job",
        nodes=nodes,
        ranks_per_node=ranks_per_node,
        cores_per_node=cores,
        charged_cores_per_node=max(cores, queue.cores or 0) if queue.exclusive else cores,
        slots_per_node=(slots := _slots(resolved, cores, nodes)),
        memory_bytes_per_node=ceil_to(Fraction(memory) / (1 - site.memory.headroom), memory_grain(site, slots)),
        gpus_per_node=gpus,
        walltime_seconds=walltime,
        end_early_seconds=end_early(walltime),
        queue=queue_name,
        qos=_qos(resolved, queue_name, queue),
        mail_to=profile.mail.to if after is None else None,  # nobody wants one from each element
        requeue=site.requeue if requeue is None else requeue,
        resources=_gpus(resolved, queue_name, queue, nodes, gpus),
        directives=[*site.directives, *queue.directives, *profile.directives],
        array=elements if elements > 1 else None,  # PBS refuses an array of one
        first_element=first,
    )


def _slots(resolved: Resolved, cores: int, nodes: int) -> int:
    environment = resolved.site.parallel_environments.of(nodes)
    return environment.slots if environment and environment.slots else cores


def _qos(resolved: Resolved, queue_name: str | None, queue: Queue) -> str | None:
    """The quality of service of a job; raises DoesNotFit where the queue is for another one."""
    given, site = resolved.profile.qos, resolved.site
    if given and queue.qos and given != queue.qos:
        others = [name for name, other in site.queues.items() if other.qos in (None, given)]
        hint = f"leave qos out, or --set queue={others[0]}" if others else "leave qos out"
        cause = f"qos: queue {queue_name!r} of {site.name} is for the QOS {queue.qos!r}, not for {given!r}"
        raise DoesNotFit(Problem(cause, resolved.origin("qos"), hint))
    return given or queue.qos


def _gpus(resolved: Resolved, queue_name: str | None, queue: Queue, nodes: int, number: int) -> list[str]:
    """In the site's words, for so many on each of so many nodes."""
    site = resolved.site
    if not number or (queue.exclusive and queue.gpus and "gpus" not in site.resources):
        return []  # GPUs come with a whole node, where no directive is needed for them
    if "gpus" not in site.resources:
        key = f"queues.{queue_name}.gpus" if queue.exclusive else "resources.gpus (docs/contracts.md)"
        hint = f"a sysadmin of {site.name} can say it in its site profile: {key}"
        cause = f"workers.gpus: {site.name} does not say how GPUs are asked for"
        raise DoesNotFit(Problem(cause, resolved.origin("workers", "gpus"), hint))
    words = site.resources["gpus"]
    return [words.replace("{n}", str(number)).replace("{total}", str(number * nodes))]


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
