"""Groups of workers, and workers that come and go: where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.misfit import Misfit
from hpc_launch.errors import Problem
from hpc_launch.models.profile import OF_EACH_GROUP
from hpc_launch.plan.layouts import layout_of_run
from hpc_launch.resolve import Resolved


def problems(resolved: Resolved) -> Iterator[Problem]:
    """All of them."""
    yield from _said_of_all(resolved)
    yield from _layout(resolved)


def _said_of_all(resolved: Resolved) -> Iterator[Problem]:
    """What each group has for itself."""
    groups = resolved.profile.workers.groups
    for key in OF_EACH_GROUP if groups else ():
        if origin := resolved.document.origins.get(("workers", key)):
            example = f"workers.groups.{next(iter(groups))}.{key}"
            hint = f"set {example}, and leave it out here (`{key}: null` takes away that of a lower layer)"
            yield Problem(f"workers.{key}: where there are groups each has its own", origin, hint)


def _layout(resolved: Resolved) -> Iterator[Problem]:
    """Jobs that come and go, and such of several kinds, are those of job-array."""
    layout, workers = resolved.profile.layout, resolved.profile.workers
    if layout_of_run(resolved.profile).has_groups:
        return
    hint = "choose the layout job-array (--set layout=job-array), or leave it out"
    if workers.groups:
        why = f"in {layout} all workers come with the one job that holds the scheduler, and are alike"
        yield Misfit(f"workers.groups: {why}", resolved.origin("workers", "groups"), hint)
    for key in ("adapt", "at_once"):
        if getattr(workers, key) is not None:
            why = f"in {layout} all workers come with the one job that holds the scheduler: it cannot grow or shrink"
            yield Misfit(f"workers.{key}: {why}", resolved.origin("workers", key), hint)
