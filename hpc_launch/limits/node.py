"""What is asked of one node against what one node has."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.limits.misfit import Misfit, where
from hpc_launch.models.plan import Job, Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import BATCH_UNITS, MIB

ON_A_NODE = ("workers.per_node", "workers.threads")


def memory_grain(site: Site, cores: int) -> int:
    """Bytes in whose multiples memory can be asked for on a node of which so many cores (slots) are asked for."""
    unit = max(MIB, BATCH_UNITS.get(site.memory.unit or "", MIB))
    return unit * cores if site.memory.directive in ("per-cpu", "per-slot") else unit


def usable_memory(queue: Queue, site: Site) -> int | None:
    """Bytes of a node that can be asked for: batch systems count whole MiB, on some sites for each core."""
    if queue.memory is None:
        return None
    grain = memory_grain(site, queue.cores or 1)
    return queue.memory // grain * grain


def usable_gpus(queue: Queue, site: Site) -> int | None:
    """GPUs of a node; None: nobody knows. A site that names them for some queues has none in the others."""
    known = any(other.gpus for other in site.queues.values())
    return 0 if queue.gpus is None and known else queue.gpus


def held_by_a_node(job: Job, plan: Plan, workers: str, scheduler: str, workload: str) -> str:
    """What a node of this job is asked to hold, as a sum: each part is left out where it is in another job."""
    held = [workers] if plan.has_workers(job) else []
    if job.after is None:
        held += [f"{scheduler} for the scheduler", f"{workload} for the workload"]
    return " + ".join(held)


def on_a_node(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """Cores, slots, memory and GPUs of a node."""
    cores = [*_cores(job, plan, resolved, queue)]
    yield from cores
    if not cores or resolved.profile.workers.memory:  # left out, it follows from the threads
        yield from _memory(job, plan, resolved, queue)
    gpus = usable_gpus(queue, resolved.site)
    if gpus is not None and job.gpus_per_node > gpus:
        yield Misfit(
            f"{job.gpus_per_node} GPUs per node are asked for, a node of {where(job, resolved)} has {gpus or 'none'}"
            f" ({_workers(plan)} × {plan.workers.gpus})",
            resolved.origin("workers", "gpus"),
            kind=("gpus", str(job.queue)),
            lower=("workers.per_node", "workers.gpus"),
        )


def _workers(plan: Plan) -> str:
    return f"{plan.workers.per_node} worker{'s' if plan.workers.per_node > 1 else ''}"


def _cores(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    profile, site = resolved.profile, resolved.site
    origin = resolved.origin("workers", "per_node" if profile.workers.per_node else "threads")
    asked = f"{job.cores_per_node} cores per node are asked for"
    if queue.cores is not None and job.cores_per_node > queue.cores:
        each = f"{_workers(plan)} × {plan.workers.threads} threads"
        cores = held_by_a_node(job, plan, each, str(plan.scheduler.cores), str(profile.workload.cores))
        has = f"a node of {where(job, resolved)} has {queue.cores} ({cores})"
        yield Misfit(f"{asked}, {has}", origin, kind=("cores", str(job.queue)), lower=_of(plan, job, *ON_A_NODE))
    environment = site.parallel_environments.nodes if job.nodes > 1 else None
    if environment and environment.slots and job.cores_per_node > environment.slots:
        gives = f"the parallel environment {environment.name!r} of {site.name} gives {environment.slots} slots on each"
        yield Misfit(f"{asked}, {gives} host", origin, kind=("slots", environment.name), lower=ON_A_NODE)


def _memory(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    profile, site = resolved.profile, resolved.site
    usable = usable_memory(queue, site)
    if usable is not None and job.memory_bytes_per_node > usable:
        each = f"{_workers(plan)} × {_mib(plan.workers.memory_bytes)}"
        beside = (_mib(profile.scheduler.memory), _mib(profile.workload.memory))
        memory = held_by_a_node(job, plan, each, *beside)
        yield Misfit(
            f"{_mib(job.memory_bytes_per_node)} per node are asked for, a node of {where(job, resolved)} has"
            f" {_mib(usable)} ({memory}, and {float(site.memory.headroom):.0%} stay free)",
            resolved.origin("workers", "memory"),
            kind=("memory", str(job.queue)),
            lower=_of(plan, job, "workers.per_node", "workers.memory"),
        )


def _mib(size: int) -> str:
    """One unit for all of a sum, so that it can be checked."""
    return f"{-(-size // MIB)} MiB"


def _of(plan: Plan, job: Job, *workers: str) -> tuple[str, ...]:
    """The keys that decide what a node of this job holds."""
    what = "cores" if workers == ON_A_NODE else "memory"
    beside = (f"workload.{what}", f"scheduler.{what}") if job.after is None else ()
    return (*(workers if plan.has_workers(job) else ()), *beside)
