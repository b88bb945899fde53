"""Runs whose keeper is needed from the beginning: it is started by a wish, so they begin with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.models.worker_group import ends_before
from hpc_launch.runs.keeper_copy import copy_keeper
from hpc_launch.runs.scale import write_wish

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.models.plan import Plan


def write_first_wish(place: Path, plan: Plan, context: Context) -> None:
    """Wish for what the profile says, where worker jobs end before the run does, or come and go. May raise OSError.

    The keeper travels with every run that may have it: it also submits what a `submit` that was killed did not.
    """
    kinds = [job for job in plan.kinds_of_jobs if job.role == "workers"]
    if not kinds or not plan.jobs_may_keep:
        return
    copy_keeper(place, plan.batch_system)
    replaced = any(ends_before(job.walltime_seconds, plan.main.walltime_seconds) for job in kinds)
    if replaced or any(group.needs_keeper for group in plan.groups.values()):
        write_wish(place, context.user, context.hostname, {})
