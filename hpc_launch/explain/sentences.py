"""The numbers of a plan, and how they came about, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hpc_launch import standing
from hpc_launch.checks.plan_on_site.node import cores_held, memory_held
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.models.plan_parts import EnvironmentPlan
from hpc_launch.models.worker_group import WorkerGroup
from hpc_launch.plan.node import headroom
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_memory, format_walltime

CLOSE = "hpc-launch close RUN"


def described(resolved: Resolved, plan: Plan) -> list[str]:
    """The numbers of the plan, and how they came about, in sentences."""
    kinds = plan.kinds_of_jobs
    sentences = [sentence for job in kinds for sentence in _job(resolved, plan, job)]
    if further := [job.file for job in plan.jobs if job not in kinds]:
        sentences.append(f"{', '.join(further)}: the same for the elements that are left")
    if plan.stands:
        sentences.append(f"a standing cluster: it stays {standing.end(plan.scheduler.idle_timeout_seconds, CLOSE)}")
        sentences += [cost] if (cost := standing.cost(plan)) else []
    elif hours := core_hours(plan):
        sentences.append(f"asked for in all: {hours:.1f} core-hours{_by_group(plan)}{_and_more(plan)}")
    return [*sentences, f"python: {_python(plan.environment)}"]


def _python(environment: EnvironmentPlan) -> str:
    """Scheduler, workers and workload run in one."""
    if environment.own_python:
        return f"{environment.python_is} ({environment.own_python})"
    named = f"conda {environment.conda}" if environment.conda else f"venv {environment.venv}"
    return f"{environment.python or named} ({environment.python_is})"


def core_hours(plan: Plan) -> float | None:
    """What all jobs of the run would be charged for up to their walltimes; None where there is none."""
    if any(job.walltime_seconds is None for job in plan.jobs) or plan.main.queue is None:
        return None
    return _hours(plan.jobs)


def _hours(jobs: Iterable[Job]) -> float:
    seconds = ((job.walltime_seconds or 0) * (job.array or 1) * job.nodes * job.charged_cores_per_node for job in jobs)
    return sum(seconds) / 3600


def _and_more(plan: Plan) -> str:
    return ", and what worker jobs take that come later" if plan.on_demand else ""


def _by_group(plan: Plan) -> str:
    """Those of the scheduler's job and of each group of workers, where there are several."""
    if len(plan.groups) < 2:
        return ""
    jobs = {"scheduler": [plan.main], **{name: [job for job in plan.jobs if job.group == name] for name in plan.groups}}
    return f" ({', '.join(f'{name} {_hours(some):.1f}' for name, some in jobs.items())})"


def submitted(plan: Plan, job_id: str | None, directory: Path) -> str:
    """What was submitted, at what cost, and where it is kept."""
    if plan.stands:
        cost = ": ".join(filter(None, (", a standing cluster", standing.cost(plan))))
    else:
        cost = f", for {hours:.1f} core-hours{_and_more(plan)}" if (hours := core_hours(plan)) else ""
    return f"submitted to {plan.site} as job {job_id}{cost}; run directory {directory}"


def _comes_and_goes(group: WorkerGroup) -> str:
    """How their number changes by itself."""
    adapts = f", {group.adapt.minimum} to {group.adapt.maximum} as the tasks need them" if group.adapt else ""
    return adapts + (f", at most {group.at_once} worker jobs at one time" if group.at_once else "")


def _job(resolved: Resolved, plan: Plan, job: Job) -> list[str]:
    where = f"queue {' or '.join(job.queues)} of {plan.site}" if job.queue else f"{plan.site} (no queue: this machine)"
    holds = " and ".join(share.of for share in job.holds)
    if job.group:
        group = plan.group_of(job)
        number = f"at most {group.per_node} of {group.count} workers"
        if not group.count:
            number = f"{group.per_node} worker{'s' if group.per_node > 1 else ''}"
        holds = f"{number} on each{_comes_and_goes(group)}"
    of_each = resolved.of_group(job.group).profile.workers.cores_key
    many = f"{job.array} times " if job.array else "none at first; each " if job in plan.on_demand else ""
    return [
        f"{job.file}: {where}, {many}{job.nodes} node{'s' if job.nodes > 1 else ''} with {holds}",
        f"cores per node: {cores_held(job, of_each)} = {job.cores_per_node}",
        f"memory per node: {_memory_held(resolved, job)} = {format_memory(job.memory_bytes_per_node)}",
        f"walltime: {format_walltime(job.walltime_seconds) if job.walltime_seconds else 'none'}",
    ]


def _memory_held(resolved: Resolved, job: Job) -> str:
    """The memory that a node of this job is asked for, as a sum."""
    held, share = memory_held(job, format_memory), headroom(resolved)
    return f"({held}) ÷ (1 − {float(share):.0%} headroom)" if share else held
