"""How far workers that adapt to the tasks may grow, against what the site lets a user have at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hpc_launch.checks.misfit import key_of_group
from hpc_launch.checks.plan_on_site.at_once import at_once
from hpc_launch.checks.plan_on_site.job import submitted
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved

KEY = "workers.adapt.maximum"


def growth(plan: Plan, resolved: Resolved) -> Iterator[str]:
    """Of each group whose `adapt.maximum` can never be reached, what can."""
    for name, group in plan.groups.items():
        if group.adapt is None:
            continue
        element = next(job for job in plan.kinds_of_jobs if job.group == name)
        elements = -(-group.most_at_once // group.per_node)
        too_many, rule = max(_too_many(plan, resolved, replace(element, array=elements)), default=(0, ""))
        most, of_group = (elements - too_many) * group.per_node, resolved.of_group(name)
        if too_many and most >= max(1, group.count):  # with fewer, what is asked for at first waits, which is told
            key, origin = key_of_group(of_group.group, KEY), of_group.origin(*KEY.split("."))
            never = f"{group.adapt.maximum} workers are never there at one time: {rule}"
            yield f"{origin}: {key}: {never}; smallest change: --set {key}={most}"


def _too_many(plan: Plan, resolved: Resolved, grown: Job) -> Iterator[tuple[int, str]]:
    """Elements of a group beyond each limit, and the limit in words, when as many as these are there."""
    others = tuple(job for job in plan.jobs if job.group != grown.group)
    then = replace(plan, jobs=(*others, grown))
    for misfit in submitted(then, resolved):
        yield misfit.asked - misfit.limit, str(misfit.kind[1]).format(f"{misfit.limit} jobs")
    before = {(limit.rule, limit.amount.name): limit.asked for limit in at_once(plan, resolved)}
    for limit in at_once(then, resolved):
        is_of_group = limit.asked > before.get((limit.rule, limit.amount.name), 0)
        if is_of_group and limit.asked > limit.most and not limit.elsewhere:
            yield -(-(limit.asked - limit.most) // limit.amount.of(grown)), limit.said()
