"""Dask's memory policy, as a profile says it: in one place alone, and in an order in which it can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hpc_launch.errors import Problem
from hpc_launch.models.fields import share_as_written
from hpc_launch.plan.workers import USUAL_THRESHOLDS
from hpc_launch.resolve import Resolved


def problems(resolved: Resolved) -> Iterator[Problem]:
    """Those of the workers of one group."""
    workers = resolved.profile.workers
    given = workers.thresholds.given
    twice = [name for name in ("target", "spill") if name in given]
    if twice and workers.spill != "auto":
        cause = f"workers.thresholds: {' and '.join(twice)} beside workers.spill, which decides the same"
        hint = "keep one of them; `spill: auto` takes away that of a lower layer"
        yield Problem(cause, resolved.origin("workers", "thresholds", twice[0]), hint)
        return
    yield from _order(resolved)


def _order(resolved: Resolved) -> Iterator[Problem]:
    """Each is reached before the next one; those that are not said are Dask's own."""
    given = resolved.profile.workers.thresholds.given
    if not given:
        return
    shares = [(name, share) for name, share in {**USUAL_THRESHOLDS, **given}.items() if share is not False]
    for (name, share), (after, limit) in pairwise(shares):
        if share > limit:
            said = next(each for each in (name, after) if each in given)
            words = [
                f"{each} {share_as_written(value)}{_whose(each in given)}"
                for each, value in ((name, share), (after, limit))
            ]
            cause = f"workers.thresholds: {words[0]} is more than {words[1]}"
            hint = "none may be less than one before it: target, spill, pause, terminate; false: not at all"
            yield Problem(cause, resolved.origin("workers", "thresholds", said), hint)


def _whose(is_given: bool) -> str:
    return "" if is_given else ", Dask's own,"
