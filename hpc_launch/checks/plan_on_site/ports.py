"""Ports that a site lets connections through on, against what listens on a node of a run."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.misfit import Misfit
from hpc_launch.models.fields import first_and_last
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved

OF_A_WORKER = 2
"""Its own and its nanny's."""


def ports(plan: Plan, resolved: Resolved) -> Iterator[Misfit]:
    """One that is none of the site's, and too few of them."""
    if plan.ports is None or not plan.has_workers:
        return
    first, last = first_and_last(plan.ports)
    port = plan.scheduler.port
    if port is not None and not first <= port <= last:
        cause = f"scheduler.port: {port} is none of the ports that {plan.site} lets through, {plan.ports}"
        hint = f"leave it out, then a free one of these is taken; or name one: --set scheduler.port={first}"
        yield Misfit(cause, resolved.origin("scheduler", "port"), hint)
    yield from _said_by_hand(plan, resolved)
    there = last - first + 1
    for what, needed in _needed(plan):
        if needed > there:
            yield Misfit(
                f"{needed} ports are needed on {what}, {plan.site} has {there} (network.ports: {plan.ports})",
                resolved.origin("workers", "per_node" if resolved.profile.workers.per_node else "count"),
                kind=("ports", what),
                lower=("workers.per_node", "workers.count"),
                asked=needed,
                limit=there,
            )


def _said_by_hand(plan: Plan, resolved: Resolved) -> Iterator[Misfit]:
    """Options of `dask worker` that say them again."""
    for of_group in resolved.of_groups():
        for number, option in enumerate(of_group.profile.workers.options):
            if option.partition("=")[0] in ("--worker-port", "--nanny-port"):
                cause = f"workers.options: {option} is said by node.sh, from network.ports of {plan.site}"
                yield Misfit(cause, of_group.origin("workers", "options", number), "leave it out")


def _needed(plan: Plan) -> Iterator[tuple[str, int]]:
    """Where how many are, by the kinds of jobs; all of them are on this machine where there is no other."""
    beside = plan.ports_beside_workers
    if plan.main.queue is None:
        at_once = sum(_workers(plan, job) * min(plan.at_once or 1, _elements(plan, job)) for job in plan.kinds_of_jobs)
        yield "this machine", OF_A_WORKER * at_once + beside
        return
    for job in plan.kinds_of_jobs:
        of_main = beside if job.role != "workers" else 0
        yield f"a node of {job.file}", OF_A_WORKER * _workers(plan, job) + of_main


def _workers(plan: Plan, job: Job) -> int:
    """On one node of a job."""
    return plan.group_of(job).per_node if job.group else 0


def _elements(plan: Plan, job: Job) -> int:
    """Of its group that may be there at one time."""
    return -(-plan.group_of(job).most_at_once // plan.group_of(job).per_node) if job.group else 1
