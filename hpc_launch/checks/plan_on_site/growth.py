"""How far workers that adapt to the tasks may grow, against what the site lets a user have at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from hpc_launch.checks.misfit import key_of_group
from hpc_launch.checks.plan_on_site.at_once import at_once
from hpc_launch.checks.plan_on_site.job import submitted
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved

KEY = "workers.adapt.maximum"
MANY = 1_000_000
"""Elements: more than any site has room for."""


class Ceiling(NamedTuple):
    """So many workers of a group are there at one time, at most."""

    workers: int
    rule: str
    """The site's that is in the way of more."""


def growth(plan: Plan, resolved: Resolved) -> Iterator[str]:
    """Of each group whose `adapt.maximum` can never be reached, what can."""
    for name, group in plan.groups.items():
        if group.adapt is None:
            continue
        ceiling = _ceiling(plan, resolved, name, [job for job in plan.jobs if job.group != name])
        # With less than its count, that some wait is told anyway.
        if ceiling and group.most_at_once > ceiling.workers >= max(1, group.count):
            of_group = resolved.of_group(name)
            key, origin = key_of_group(of_group.group, KEY), of_group.origin(*KEY.split("."))
            never = f"{group.adapt.maximum} workers are never there at one time: {ceiling.rule}"
            yield f"{origin}: {key}: {never}; smallest change: --set {key}={ceiling.workers}"


def ceilings(plan: Plan, resolved: Resolved) -> dict[str, Ceiling]:
    """Those of the groups that can grow, whatever becomes of the others; without the groups that no limit holds for."""
    beside = [job for job in plan.jobs if job.role != "workers"]
    groups = {job.group for job in plan.kinds_of_jobs if job.role == "workers"}
    found = {name: _ceiling(plan, resolved, name, beside) for name in plan.groups if name in groups}
    return {name: ceiling for name, ceiling in found.items() if ceiling}


def _ceiling(plan: Plan, resolved: Resolved, name: str, beside: Sequence[Job]) -> Ceiling | None:
    """Of a group, beside these jobs; None: no limit is known."""
    element = next(job for job in plan.kinds_of_jobs if job.group == name)
    too_many, rule = max(_too_many(plan, resolved, beside, replace(element, array=MANY)), default=(0, ""))
    return Ceiling(max(0, MANY - too_many) * plan.groups[name].per_node, rule) if too_many else None


def _too_many(plan: Plan, resolved: Resolved, beside: Sequence[Job], grown: Job) -> Iterator[tuple[int, str]]:
    """Elements of a group beyond each limit, and the limit in words, when as many as these are there."""
    then = replace(plan, jobs=(*beside, grown))
    for misfit in submitted(then, resolved):
        yield misfit.asked - misfit.limit, str(misfit.kind[1]).format(f"{misfit.limit} jobs")
    before = {(limit.rule, limit.amount.name): limit.asked for limit in at_once(plan, resolved)}
    for limit in at_once(then, resolved):
        is_of_group = limit.asked > before.get((limit.rule, limit.amount.name), 0)
        if is_of_group and limit.asked > limit.most and not limit.elsewhere:
            yield -(-(limit.asked - limit.most) // limit.amount.of(grown)), limit.said()
