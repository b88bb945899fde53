"""A standing cluster in words: what it costs as long as it stands, and what ends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.units import format_duration


def as_json(plan: Plan) -> dict[str, Any] | None:
    """In core-hours for each hour that it stands; None: the run has a workload, and ends with it."""
    if not plan.stands:
        return None
    charged = plan.main.queue is not None
    return {
        "core_hours_per_hour": _an_hour(plan.jobs) if charged else None,
        "core_hours_per_hour_without_workers": _an_hour([plan.main]) if charged else None,
        "core_hours_per_hour_of_each_worker_job": _of_each_worker_job(plan) if charged else {},
        "idle_timeout_seconds": plan.scheduler.idle_timeout_seconds,
    }


def cost(plan: Plan) -> str:
    """Of its jobs; empty: nobody charges for them."""
    if plan.main.queue is None:
        return ""
    said = f"{_an_hour(plan.jobs):.1f} core-hours in each hour that it stands"
    if each := _of_each_worker_job(plan):
        more = " or ".join(f"{hours:.1f}" + f" ({group})" * (len(each) > 1) for group, hours in each.items())
        said += f": {_an_hour([plan.main]):.1f} also without workers, and {more} for each worker job"
    return said


def end(idle_timeout_seconds: int | None, close: str) -> str:
    """What ends it; `close`: the command for that."""
    idle = f", until it was idle for {format_duration(idle_timeout_seconds)}" if idle_timeout_seconds else ""
    return f"until `{close}`{idle}, or until its walltime is over"


def _of_each_worker_job(plan: Plan) -> dict[str, float]:
    """By group."""
    return {str(job.group): _of_one(job) for job in plan.kinds_of_jobs if job.role == "workers"}


def _an_hour(jobs: Iterable[Job]) -> float:
    return sum((job.array or 1) * _of_one(job) for job in jobs)


def _of_one(job: Job) -> float:
    """Job, or element of an array."""
    return float(job.nodes * job.charged_cores_per_node)
