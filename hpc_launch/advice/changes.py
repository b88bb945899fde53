"""The smallest change that makes a run fit: found by planning again, so that what is said is also true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from hpc_launch.checks.misfit import Kind, Misfit
from hpc_launch.errors import Problem
from hpc_launch.models.plan import Planned
from hpc_launch.models.profile import Profile
from hpc_launch.plan.workers import LEAST_MEMORY
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, exact_memory, format_walltime

Problems = tuple[Problem, ...]
Planner = Callable[[Resolved], Planned | Problems]
"""Makes the plan for a profile, or tells why there is none."""

MOST_CHOICES = 2
EVERY = 256
"""Up to so many numbers are all tried."""
LONGEST = 10**6
"""Seconds, among which one is looked for that is long enough."""
Faults = Mapping[Kind, str]
"""What does not fit, and the message about it."""


@dataclass(frozen=True)
class Change:
    """A key of the profile, and its new number in the unit that it is searched in."""

    key: str
    number: int

    def __str__(self) -> str:
        if self.key.endswith("memory"):
            return f"--set {self.key}={exact_memory(self.number * MIB).replace(' ', '')}"
        return f"--set {self.key}={format_walltime(self.number) if self.key.endswith('walltime') else self.number}"

    def applied(self, resolved: Resolved) -> Resolved:
        """The same run with this change."""
        number = self.number * MIB if self.key.endswith("memory") else self.number
        return replace(resolved, profile=_replaced(resolved.profile, self.key, number))


def with_smallest_changes(refused: Problems, resolved: Resolved, plan: Planner) -> Problems:
    """The same problems; each also says what would mend it, and the last one what would mend them all."""
    found = [_smallest(problem, refused, resolved, plan) for problem in refused]
    problems = [problem.also(hint) for problem, (hint, _) in zip(refused, found, strict=True)]
    alone = len(problems) == 1 and all(sure for _, sure in found)
    if not alone and (changes := together(resolved, plan)):
        problems[-1] = problems[-1].also(f"all of it fits with: {' '.join(map(str, changes))}")
    return tuple(problems)


def _smallest(problem: Problem, refused: Problems, resolved: Resolved, plan: Planner) -> tuple[str, bool]:
    """What would mend a problem, and whether that is one change, or nothing to look for."""
    if not (isinstance(problem, Misfit) and problem.kind):
        return "", True
    if found := ", or ".join(map(str, islice(_changes(problem, _faults(refused), resolved, plan), MOST_CHOICES))):
        return f"smallest change: {found}", True
    ways = [f"{word} {key}" for word, key, *_ in _ways(problem, resolved)]
    return (f"one change alone does not do; what counts: {', '.join(ways)}" if ways else ""), False


def together(resolved: Resolved, plan: Planner) -> list[Change]:
    """Changes after which the run fits; none where they are not found so."""
    changes: dict[str, Change] = {}
    for _ in range(5):
        refused = plan(resolved)
        if isinstance(refused, Planned):
            return list(changes.values())
        misfits = [problem for problem in refused if isinstance(problem, Misfit) and problem.kind]
        known = _faults(refused)
        # If need be one that breaks something else, which comes next.
        strict = (each for misfit in misfits for each in _changes(misfit, known, resolved, plan))
        loose = (each for misfit in misfits for each in _changes(misfit, None, resolved, plan))
        if (change := next(strict, None) or next(loose, None)) is None:
            return []
        changes[change.key] = change
        resolved = change.applied(resolved)
    return []


def _changes(misfit: Misfit, known: Faults | None, resolved: Resolved, plan: Planner) -> Iterator[Change]:
    """For each of the keys the change nearest to what is asked for that mends this, and breaks nothing else.

    Args:
        known: what does not fit as it is; None: it may break something else.
    """

    def mends(change: Change) -> bool:
        left = _broken_by(change, resolved, plan)
        if known is None:
            return misfit.kind not in left
        # More of something makes what is too large already worse: then the others are to stay as they are.
        breaks = left.items() - known.items() if change.key in misfit.higher else left.keys() - known.keys()
        return misfit.kind not in left and not breaks

    for _, key, asked, end in _ways(misfit, resolved):
        if change := _nearest(key, asked, end, mends):
            yield change


def _ways(misfit: Misfit, resolved: Resolved) -> Iterator[tuple[str, str, int, int]]:
    """What may be done about it: `lower` or `raise`, which key, what is asked for, and how far it can go."""
    profile, forbidden = resolved.profile, resolved.site.policy.forbidden
    ways = [*(("lower", key, _least(key, profile)) for key in misfit.lower)]
    ways += [("raise", key, _most(key, profile)) for key in misfit.higher]
    for word, key, end in ways:
        asked = _asked(resolved, key)
        if asked is not None and asked != end and not {key, key.partition(".")[0]} & {*forbidden}:
            yield word, key, asked, end


def _nearest(key: str, asked: int, end: int, mends: Callable[[Change], bool]) -> Change | None:
    """The number nearest to `asked`, on the way to `end`, that mends it; None: none was found.

    Of many numbers only some are tried, and then those between the first that mends it and the one before: what fits
    is not always in one piece, for where less is asked for each worker more of them come to a node.
    """
    broken = asked
    for number in _towards(asked, end):
        if mends(Change(key, number)):
            return Change(key, _border(broken, number, lambda between: mends(Change(key, between))))
        broken = number
    return None


def _towards(asked: int, end: int) -> Iterator[int]:
    """All numbers on the way if these are few; else some, the closer together the nearer they are to `asked`."""
    sign, length, away = (1 if end > asked else -1), abs(end - asked), 1
    while away < length:
        yield asked + sign * away
        away += 1 if length <= EVERY else -(-away // 3)
    yield end


def _border(broken: int, good: int, mends: Callable[[int], bool]) -> int:
    """The number next to one that does not mend it, between the two."""
    while abs(good - broken) > 1:
        middle = (broken + good) // 2
        broken, good = (broken, middle) if mends(middle) else (middle, good)
    return good


def _broken_by(change: Change, resolved: Resolved, plan: Planner) -> Faults:
    """What does not fit with a change."""
    made = plan(change.applied(resolved))
    return {} if isinstance(made, Planned) else _faults(made)


def _faults(refused: Problems) -> Faults:
    """All problems by their kinds; those of another sort have none, which is one too."""
    return {problem.kind if isinstance(problem, Misfit) else (): problem.message for problem in refused}


def _asked(resolved: Resolved, key: str) -> int | None:
    """What the profile says, in the unit that is searched in; None where it says nothing."""
    value: Any = resolved.profile
    for name in key.split("."):
        value = getattr(value, name)
    if not isinstance(value, int):
        return None
    return -(-value // MIB) if key.endswith("memory") else value


def _least(key: str, profile: Profile) -> int:
    """The smallest number that makes sense, in the unit that is searched in."""
    if key.endswith("memory"):
        return LEAST_MEMORY // MIB
    if key == "workers.count":
        return profile.workers.minimum or 1
    return 0 if key in ("scheduler.cores", "workload.cores") else 1


def _most(key: str, profile: Profile) -> int:
    """The largest number to try."""
    return LONGEST if key.endswith("walltime") else profile.workers.count


def _replaced(profile: Profile, key: str, value: int) -> Profile:
    *above, name = key.split(".")
    if not above:
        return profile.model_copy(update={name: value})
    part = getattr(profile, above[0])
    return profile.model_copy(update={above[0]: part.model_copy(update={name: value})})
