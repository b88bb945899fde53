"""What is asked of one node against what one node has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from hpc_launch.checks.misfit import Misfit, where
from hpc_launch.models.job import Job, Share
from hpc_launch.models.site import Queue, Site
from hpc_launch.plan.node import headroom, most_memory, usable_gpus
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB


def cores_held(job: Job, of_workers: str) -> str:
    """The cores that a node of this job is asked for, as a sum; a worker's are its `threads`, or its `cores`."""
    return " + ".join(
        f"{_workers(share)} × {share.cores} {of_workers}"
        if share.of == "workers"
        else f"{share.cores} for {share.named}"
        for share in job.holds
    )


def memory_held(job: Job, said: Callable[[int], str]) -> str:
    """The same of memory, in the unit in which `said` says a number of bytes."""
    return " + ".join(
        f"{_workers(share)} × {said(share.memory_bytes)}"
        if share.of == "workers"
        else f"{said(share.memory_bytes)} for {share.named}"
        for share in job.holds
    )


def on_a_node(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """Cores, slots, memory and GPUs of a node."""
    cores = [*_cores(job, resolved, queue)]
    yield from cores
    if not cores or resolved.profile.workers.memory:  # left out, it follows from the threads
        yield from _memory(job, resolved, queue)
    gpus = usable_gpus(queue, resolved.site)
    if gpus is not None and job.gpus_per_node > gpus:
        asked = f"{job.gpus_per_node} GPU{'s are' if job.gpus_per_node > 1 else ' is'} asked for"
        asked += " on each node" if job.queue else ""
        each = ", ".join(f"{_workers(share)} with {share.gpus} each" for share in job.holds if share.gpus)
        has = f"{_who_has(job, resolved.site)} {gpus or 'none'} ({each})"
        yield Misfit(
            f"{asked}, {has}",
            resolved.origin("workers", "gpus"),
            "" if gpus else _with_gpus(resolved.site),
            kind=("gpus", str(job.queue)),
            lower=("workers.per_node", "workers.gpus", "workers.count"),
            asked=job.gpus_per_node,
            limit=gpus,
        )


def _with_gpus(site: Site) -> str:
    return f"queues with GPUs: {', '.join(name for name, queue in site.queues.items() if queue.gpus) or 'none'}"


def _workers(share: Share) -> str:
    return f"{share.number} worker{'s' if share.number > 1 else ''}"


def _cores(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    profile, site, key = resolved.profile, resolved.site, resolved.profile.workers.cores_key
    origin = resolved.origin("workers", "per_node" if profile.workers.per_node else key)
    origin = origin if profile.has_workers else resolved.origin("workload", "cores")
    asked, lower = f"{job.cores_per_node} cores{_per_node(job)} are asked for", _deciding(job, "cores", key)
    most = queue.largest.cores or queue.cores
    if most is not None and job.cores_per_node > most:
        has = f"{_who_has(job, site, queue.largest.cores)} {most} ({cores_held(job, key)})"
        yield Misfit(
            f"{asked}, {has}", origin, kind=("cores", str(job.queue)), lower=lower, asked=job.cores_per_node, limit=most
        )
    environment = site.parallel_environments.of(job.nodes)
    if environment and environment.slots and job.cores_per_node > environment.slots:
        gives = f"the parallel environment {environment.name!r} of {site.name} gives {environment.slots} slots on each"
        yield Misfit(
            f"{asked}, {gives} host",
            origin,
            kind=("slots", environment.name),
            lower=lower,
            higher=("workers.per_node",),  # all on one host, where there may be more slots
            asked=job.cores_per_node,
            limit=environment.slots,
        )


def _memory(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    site = resolved.site
    most = most_memory(queue, site)
    if most is not None and job.memory_bytes_per_node > most:
        yield Misfit(
            f"{mib(job.memory_bytes_per_node)}{_per_node(job)} are asked for,"
            f" {_who_has(job, site, queue.largest.memory)} {mib(most)} ({memory_held(job, mib)}{free(resolved)})",
            resolved.origin("workers" if resolved.profile.has_workers else "workload", "memory"),
            kind=("memory", str(job.queue)),
            lower=_deciding(job, "memory", "memory"),
            asked=job.memory_bytes_per_node,
            limit=most,
        )


def free(resolved: Resolved) -> str:
    """What is added to what a node holds."""
    share = headroom(resolved)
    return f", and {float(share):.0%} stay free" if share else ""


def mib(size: int) -> str:
    """One unit for all of a sum, so that it can be checked."""
    return f"{-(-size // MIB)} MiB"


def _deciding(job: Job, what: Literal["cores", "memory"], of_worker: str) -> tuple[str, ...]:
    """The keys that decide how much of it a node of this job is asked for; the key of a worker's own."""
    workers = ("workers.per_node", f"workers.{of_worker}", "workers.count")
    beside = [f"{share.of}.{what}" for share in reversed(job.holds) if share.of in ("scheduler", "workload")]
    return (*(workers if job.group else ()), *beside)


def _per_node(job: Job) -> str:
    return " per node" if job.queue else ""


def _who_has(job: Job, site: Site, largest: int | None = None) -> str:
    if not job.queue:
        return f"{where(None, site)} has"
    return f"{'a node' if largest is None else 'the largest node'} of {where(job.queue, site)} has"
