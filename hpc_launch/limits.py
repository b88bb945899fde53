"""Does a plan fit the site? Every limit that it breaks, with the numbers; nothing is ever made smaller silently."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.errors import Problem
from hpc_launch.models.plan import Job, Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import BATCH_UNITS, MIB, format_memory, format_walltime

LEAST_TIME = 5
"""Seconds that a job has for itself, at least."""


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


def check(plan: Plan, resolved: Resolved, queue: Queue) -> list[Problem]:
    """All limits of the queue, its quality of service and the user that the plan's jobs break."""
    problems = []
    for job in plan.jobs:
        problems += [
            *_node(job, resolved, queue),
            *_size(job, resolved, queue),
            *_time(job, plan, resolved, queue),
        ]
        problems += [*_qos(job, plan, resolved), *_user(job, resolved)]
    return problems


def _where(job: Job, resolved: Resolved) -> str:
    return f"queue {job.queue!r} of {resolved.site.name}" if job.queue else f"{resolved.site.name} (this machine)"


def _node(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    """What is asked of one node against what one node has."""
    profile = resolved.profile
    where = _where(job, resolved)
    group = job.groups[0]
    if queue.cores is not None and job.cores_per_node > queue.cores:
        yield Problem(
            f"{job.cores_per_node} cores per node are asked for, a node of {where} has {queue.cores}"
            f" ({group.per_node} workers × {group.threads} threads + {profile.scheduler.cores} for the scheduler"
            f" + {profile.workload.cores} for the workload)",
            resolved.origin("workers", "per_node" if profile.workers.per_node else "threads"),
            "lower workers.threads or workers.per_node",
        )
    environment = resolved.site.parallel_environments.nodes if job.nodes > 1 else None
    if environment and environment.slots and job.cores_per_node > environment.slots:
        yield Problem(
            f"{job.cores_per_node} cores per node are asked for, the parallel environment {environment.name!r} of"
            f" {resolved.site.name} gives {environment.slots} slots on each host",
            resolved.origin("workers", "per_node" if profile.workers.per_node else "threads"),
            "lower workers.threads or workers.per_node",
        )
    usable = usable_memory(queue, resolved.site)
    if usable is not None and job.memory_bytes_per_node > usable:
        yield Problem(
            f"{format_memory(job.memory_bytes_per_node)} per node are asked for, a node of {where} has"
            f" {format_memory(usable)} ({group.per_node} workers × {format_memory(group.memory_bytes)}"
            f" + {format_memory(profile.scheduler.memory)} for the scheduler"
            f" + {format_memory(profile.workload.memory)} for the workload,"
            f" and {float(resolved.site.memory.headroom):.0%} stay free)",
            resolved.origin("workers", "memory"),
            "lower workers.memory or workers.per_node",
        )


def _size(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    limits = [limit for limit in (queue.nodes, queue.max_nodes) if limit is not None]
    if limits and job.nodes > min(limits):
        per_node = job.groups[0].per_node
        yield Problem(
            f"{job.nodes} nodes are asked for, a job in {_where(job, resolved)} may have {min(limits)}"
            f" ({job.groups[0].count} workers, {per_node} on a node)",
            resolved.origin("workers", "count"),
            f"at most {per_node * min(limits)} workers fit at {per_node} on a node: lower workers.count",
        )


def _time(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    rule = resolved.site.qos.get(plan.qos) if plan.qos else None
    # The site profile says what a quality of service allows; it may be more than the queue (Ceres: 60 days, not 21).
    limit = rule.walltime if rule and rule.walltime else queue.walltime
    if limit is not None and job.walltime_seconds is not None and job.walltime_seconds > limit:
        yield Problem(
            f"a walltime of {format_walltime(job.walltime_seconds)} is asked for,"
            f" {_where(job, resolved)} allows {format_walltime(limit)}",
            resolved.origin("walltime"),
            f"at most --set walltime={format_walltime(limit)}",
        )
    if job.walltime_seconds is not None and job.walltime_seconds < job.end_early_seconds + LEAST_TIME:
        yield Problem(
            f"a walltime of {format_walltime(job.walltime_seconds)} is too short: the job ends"
            f" {job.end_early_seconds} s before it",
            resolved.origin("walltime"),
            f"at least --set walltime={format_walltime(job.end_early_seconds + LEAST_TIME)}",
        )


def _qos(job: Job, plan: Plan, resolved: Resolved) -> Iterator[Problem]:
    rule = resolved.site.qos.get(plan.qos) if plan.qos else None
    cores = job.nodes * job.cores_per_node
    if rule and rule.cores is not None and cores > rule.cores:
        yield Problem(
            f"{cores} cores are asked for, the QOS {plan.qos!r} of {resolved.site.name} allows {rule.cores}",
            resolved.origin("qos"),
            "lower workers.count, or choose another qos",
        )


def _user(job: Job, resolved: Resolved) -> Iterator[Problem]:
    running = resolved.site.limits.running
    site = resolved.site.name
    origin = resolved.origin("workers", "count")
    cores, memory = job.nodes * job.cores_per_node, job.nodes * job.memory_bytes_per_node
    if running.cores is not None and cores > running.cores:
        yield Problem(
            f"{cores} cores are asked for, a user of {site} may use {running.cores} at once",
            origin,
            "lower workers.count",
        )
    if running.memory is not None and memory > running.memory:
        yield Problem(
            f"{format_memory(memory)} in all are asked for,"
            f" a user of {site} may use {format_memory(running.memory)} at once",
            origin,
            "lower workers.count or workers.memory",
        )
