"""Changes to a profile, and what comes of them: found by planning again, so that what is said is also true."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hpc_launch.checks.misfit import Misfit, Shortage
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.models.plan import Planned
from hpc_launch.models.profile import Profile
from hpc_launch.resolve import Resolved
from hpc_launch.units import exact_memory, format_walltime

Problems = tuple[Problem, ...]
Planner = Callable[[Resolved], Planned | Problems]
"""Makes the plan for a profile, or tells why there is none."""
Faults = Mapping[Shortage, Problem]
"""What does not fit, by its kind; a problem without one is a kind of its own."""

MOST_PLANS = 50
"""For one refusal."""


@dataclass(frozen=True)
class Change:
    """A key of the profile, and its new value in bytes, seconds or words."""

    key: str
    value: int | str

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, int) and self.key.endswith("memory"):
            value = exact_memory(value).replace(" ", "")
        elif isinstance(value, int) and self.key.endswith("walltime"):
            value = format_walltime(value)
        return f"--set {self.key}={value}"

    def applied(self, profile: Profile) -> Profile:
        """The same profile with this change."""
        changed: Profile = _with(profile, self.key.split("."), self.value)
        return changed


def _with(part: Any, path: Sequence[str], value: Any) -> Any:
    """A model, or a mapping of models, in which the key at this path has this value."""
    first, *rest = path
    if isinstance(part, dict):
        return {**part, first: _with(part[first], rest, value)}
    return part.model_copy(update={first: _with(getattr(part, first), rest, value) if rest else value})


Changes = tuple[Change, ...]
"""One after the other."""


class Enough(Exception):
    """So many plans were made already that no further one is."""


class Attempts:
    """What comes of changes to a run; each is planned once, and not too many are.

    Args:
        refused: why there is no plan without any, where that is known.
    """

    def __init__(self, resolved: Resolved, context: Context, plan: Planner, refused: Problems = ()) -> None:
        self.resolved, self.context, self._plan = resolved, context, plan
        self._made: dict[frozenset[Change], Planned | Problems] = {frozenset(): refused} if refused else {}

    def run(self, changes: Changes) -> Resolved:
        """The run with these changes."""
        profile = self.resolved.profile
        for change in changes:
            profile = change.applied(profile)
        return replace(self.resolved, profile=profile)

    def outcome(self, changes: Changes = (), *, needed: bool = False) -> Planned | Problems:
        """The plan with these changes, or why there is none; raises Enough, unless it is `needed`."""
        last = frozenset({change.key: change for change in changes}.values())
        if last not in self._made:
            if len(self._made) >= MOST_PLANS and not needed:
                raise Enough
            self._made[last] = self._plan(self.run(changes))
        return self._made[last]

    def fits(self, *changes: Change) -> bool:
        """Whether nothing is left that does not fit; raises Enough."""
        return isinstance(self.outcome(changes), Planned)

    def faults(self, changes: Changes) -> Faults:
        """What does not fit with these changes; raises Enough."""
        made = self.outcome(changes)
        return {} if isinstance(made, Planned) else {_kind(problem): problem for problem in made}

    def may_set(self, key: str) -> bool:
        """Whether the site lets users set a key."""
        group, of_all = in_its_group(key)
        above = ("workers.groups",) if group else ()
        return not {key, of_all, key.partition(".")[0], *above} & {*self.resolved.site.policy.forbidden}


def in_its_group(key: str) -> tuple[str | None, str]:
    """The group of workers of which this is a key, if it is of one, and the same key of all workers."""
    found = re.fullmatch(r"workers\.groups\.(\w+)\.(.+)", key)
    return (found[1], f"workers.{found[2]}") if found else (None, key)


def _kind(problem: Problem) -> Shortage:
    return (isinstance(problem, Misfit) and problem.kind) or (problem.message,)


def worse(fault: Problem, before: Problem) -> bool:
    """Whether more is missing than before."""
    if not isinstance(fault, Misfit) or not isinstance(before, Misfit):
        return False
    return abs(fault.asked - fault.limit) > abs(before.asked - before.limit)
