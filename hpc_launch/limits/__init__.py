"""Does a plan fit the site? Every limit that it breaks, with the numbers; nothing is ever made smaller silently."""

from __future__ import annotations

from collections.abc import Mapping

from hpc_launch.limits.at_once import at_once
from hpc_launch.limits.job import size, submitted, time
from hpc_launch.limits.misfit import Misfit, where
from hpc_launch.limits.node import on_a_node
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Queue
from hpc_launch.resolve import Resolved

Queues = Mapping[str | None, Queue]
"""By name; None: this machine."""


def check(plan: Plan, resolved: Resolved, queues: Queues) -> tuple[list[Misfit], list[str]]:
    """What of the site the plan breaks, and what the user should know of a plan that fits."""
    misfits, notes = [*submitted(plan, resolved)], []
    for job in plan.kinds_of_jobs:
        queue = queues[job.queue]
        on_node = [*on_a_node(job, resolved, queue)]
        misfits += on_node
        if resolved.profile.workers.per_node or not on_node:  # how many nodes are needed follows from what one holds
            misfits += size(job, plan, resolved, queue)
        misfits += time(job, resolved, queue)
        if job.charged_cores_per_node > job.cores_per_node:
            notes.append(
                f"{where(job.queue, resolved)} gives whole nodes: {job.file} uses {job.cores_per_node} of the"
                f" {job.charged_cores_per_node} cores of each, and is charged for all"
            )
    for limit in at_once(plan, resolved, queues):
        if limit.least > limit.most:
            misfits.append(limit.misfit())
        elif limit.asked > limit.most:
            notes.append(limit.waits())
    return list(dict.fromkeys(misfits)), notes  # both jobs may have the same fault
