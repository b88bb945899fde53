"""The numbers of a plan, and how they came about, in sentences."""

from __future__ import annotations

from hpc_launch.limits.node import held_by_a_node
from hpc_launch.models.plan import Job, Plan
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_memory, format_walltime


def described(resolved: Resolved, plan: Plan) -> list[str]:
    """The numbers of the plan, and how they came about, in sentences."""
    sentences = [sentence for job in plan.jobs[:2] for sentence in _job(resolved, plan, job)]
    if len(plan.jobs) > 2:
        sentences.append(f"{', '.join(job.file for job in plan.jobs[2:])}: the same for the elements that are left")
    if hours := core_hours(plan):
        sentences.append(f"asked for in all: {hours:.1f} core-hours")
    environment = plan.environment
    python = environment.python or (f"conda {environment.conda}" if environment.conda else f"venv {environment.venv}")
    return [*sentences, f"python: {python}"]


def core_hours(plan: Plan) -> float | None:
    """What all jobs of the run would be charged for up to their walltimes; None where there is none."""
    seconds = [(job.walltime_seconds, (job.array or 1) * job.nodes * job.charged_cores_per_node) for job in plan.jobs]
    if any(walltime is None for walltime, _ in seconds) or plan.jobs[0].queue is None:
        return None
    return sum((walltime or 0) * cores for walltime, cores in seconds) / 3600


def _job(resolved: Resolved, plan: Plan, job: Job) -> list[str]:
    group, scheduler, workload = plan.workers, resolved.profile.scheduler, resolved.profile.workload
    where = f"queue {job.queue} of {plan.site}" if job.queue else f"{plan.site} (no queue: this machine)"
    workers = f"at most {group.per_node} of {group.count} workers on each"
    holds = workers if plan.has_workers(job) else "scheduler and workload"
    each = f"{group.per_node} workers × {group.threads} threads"
    cores = held_by_a_node(job, plan, each, str(plan.scheduler.cores), str(workload.cores))
    each = f"{group.per_node} × {format_memory(group.memory_bytes)}"
    memory = held_by_a_node(job, plan, each, format_memory(scheduler.memory), format_memory(workload.memory))
    many = f"{job.array} times " if job.array else ""
    return [
        f"{job.file}: {where}, {many}{job.nodes} node{'s' if job.nodes > 1 else ''} with {holds}",
        f"cores per node: {cores} = {job.cores_per_node}",
        f"memory per node: ({memory}) ÷ (1 − {float(resolved.site.memory.headroom):.0%} headroom)"
        f" = {format_memory(job.memory_bytes_per_node)}",
        f"walltime: {format_walltime(job.walltime_seconds) if job.walltime_seconds else 'none'}",
    ]
