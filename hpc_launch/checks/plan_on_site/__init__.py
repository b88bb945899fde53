"""Does a plan fit the site? Every limit that it breaks, with the numbers; nothing is ever made smaller silently."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.misfit import Misfit, in_group, where
from hpc_launch.checks.plan_on_site.at_once import at_once
from hpc_launch.checks.plan_on_site.growth import ceilings, growth
from hpc_launch.checks.plan_on_site.job import size, submissions, submitted, time, together
from hpc_launch.checks.plan_on_site.node import on_a_node
from hpc_launch.checks.plan_on_site.ports import ports
from hpc_launch.checks.site.doubtful import behind_ssh
from hpc_launch.context import Context
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Queue
from hpc_launch.plan.jobs import in_queue
from hpc_launch.plan.queues import queues_of
from hpc_launch.resolve import Resolved

__all__ = ["ceilings", "notes", "problems"]


def problems(plan: Plan, resolved: Resolved, context: Context) -> list[Misfit]:
    """What of the site the plan breaks."""
    if too_many := [*submissions(plan, resolved)]:  # not all of the jobs were planned then
        return too_many
    misfits = [*submitted(plan, resolved)]
    for job in plan.kinds_of_jobs:
        of_group = resolved.of_group(job.group)
        for name, queue in queues_of(resolved, job.queue, context).items():
            misfits += in_group(of_group.group, _of_job(in_queue(job, name, queue), plan, of_group, queue))
    misfits += _too_few_at_once(plan, resolved)
    misfits += ports(plan, resolved)
    misfits += [limit.misfit(resolved) for limit in at_once(plan, resolved) if limit.least > limit.most]
    return list(dict.fromkeys(misfits))  # both jobs may have the same fault


def _too_few_at_once(plan: Plan, resolved: Resolved) -> Iterator[Misfit]:
    """Workers without which the run does not begin may all be there."""
    if plan.minimum > (most := sum(group.most_at_once for group in plan.groups.values())):
        yield Misfit(
            f"workers.minimum: {plan.minimum} workers are needed to begin, at_once lets {most} be there at one time",
            resolved.origin("workers", "minimum"),
            "lower workers.minimum, or raise at_once",
        )


def _of_job(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """What of its queue a job breaks."""
    on_node = [*on_a_node(job, resolved, queue)]
    yield from on_node
    if resolved.profile.workers.per_node or not on_node:  # how many nodes are needed follows from what one holds
        yield from size(job, plan, resolved, queue)
        yield from together(job, plan, resolved, queue)
    yield from time(job, resolved, queue)


def notes(plan: Plan, resolved: Resolved, context: Context) -> Iterator[str]:
    """What the user should know of a plan that fits."""
    for job in plan.kinds_of_jobs:
        for name, queue in queues_of(resolved, job.queue, context).items():
            yield from _of_queue(in_queue(job, name, queue), plan, resolved, queue)
    launcher = plan.launcher.name if plan.launcher else None
    for group in plan.groups.values():
        if cause := behind_ssh(launcher, group.local_directory):
            yield f"workers.local_directory: {cause}"
    for limit in at_once(plan, resolved):
        if limit.asked > limit.most:
            yield limit.waits()
    yield from growth(plan, resolved)
    if not plan.jobs_may_keep and any(group.needs_keeper for group in plan.groups.values()):
        yield (
            f"jobs of {plan.site} may not {_denied(plan)}: worker jobs come and go only while"
            " `hpc-launch keep RUN` runs on a login host"
        )


def _of_queue(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[str]:
    """What becomes of a job in a queue, beyond what it asks for."""
    here = where(job.queue, resolved.site)
    if job.charged_cores_per_node > job.cores_per_node:
        yield (
            f"{here} gives whole nodes: {job.file} uses {job.cores_per_node} of the"
            f" {job.charged_cores_per_node} cores of each, and is charged for all"
        )
    if queue.preemptible:
        yield f"jobs in {here} may be killed for others: {_when_killed(job, plan)}"


def _when_killed(job: Job, plan: Plan) -> str:
    """What becomes of the run then."""
    if job.role == "workers":
        return f"what {job.file} has begun runs again on other workers"
    return "the run ends with it, as preempted" if not plan.stands else "the cluster ends with it, as preempted"


def _denied(plan: Plan) -> str:
    """What of that which a keeper has to do."""
    words = {"status": "ask how jobs stand", "cancel": "cancel jobs", "submit": "submit jobs"}
    return " or ".join(words[purpose] for purpose, may in plan.from_compute.items() if may is False)
