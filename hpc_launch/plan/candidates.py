"""Which queues would take a run: for `queue: auto`, and for the hint of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hpc_launch.errors import DoesNotFit, Problem
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved

Planner = Callable[[Resolved], Plan]
"""Makes the plan for a profile with a queue of its own; raises DoesNotFit."""


def first_that_fits(resolved: Resolved, plan: Planner) -> Plan:
    """The plan for the first queue, in the site's order, that takes the run; raises DoesNotFit when none does."""
    site, refusals = resolved.site, {}
    for name in site.queues:
        try:
            made = plan(_in(resolved, name))
        except DoesNotFit as refused:
            refusals[name] = refused.problems[0].message
            continue
        skipped = "".join(f"; not {other}: {cause}" for other, cause in refusals.items())
        made.notes.append(
            f"{resolved.origin('queue')}: queue {name} was taken, the first of {site.name} that fits{skipped}"
        )
        return made
    hint = "\n    ".join(f"{name}: {cause}" for name, cause in refusals.items())
    raise DoesNotFit(Problem(f"queue: none of {site.name} takes this", resolved.origin("queue"), hint))


def with_other_queues(refused: DoesNotFit, resolved: Resolved, plan: Planner) -> DoesNotFit:
    """The same refusal, which also names the queues that would take the run as it is."""
    fitting = [name for name in resolved.site.queues if name != resolved.profile.queue and _fits(resolved, name, plan)]
    if not fitting:
        return refused
    hint = f"{', '.join(fitting)} would take it: --set queue={fitting[0]}"
    *others, last = refused.problems
    return DoesNotFit(*others, replace(last, hint="\n    ".join(filter(None, (last.hint, hint)))))


def _fits(resolved: Resolved, queue: str, plan: Planner) -> bool:
    try:
        plan(_in(resolved, queue))
    except DoesNotFit:
        return False
    return True


def _in(resolved: Resolved, queue: str) -> Resolved:
    return replace(resolved, profile=resolved.profile.replaced(queue=queue))
