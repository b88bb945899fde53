"""What a run asks of a site that does not have it, or not so much of it; and how problems are raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.site import Site

AnyProblem = TypeVar("AnyProblem", bound=Problem)
Shortage = tuple[str, ...]
"""What there is too little of, and where: two plans have the same fault if its kind is the same."""


@dataclass(frozen=True)
class Misfit(Problem):
    """No mistake where it is written, but nothing for this site; and the keys that decide by how much."""

    kind: Shortage = ()
    """Empty: no number would mend it."""
    lower: tuple[str, ...] = ()
    """Keys of which a smaller number may mend it, the likeliest first."""
    higher: tuple[str, ...] = ()
    """Keys of which a larger one may."""
    asked: int = 0
    limit: int = 0
    """In the same unit; of a duration that is too short, the shortest that is not."""

    def keys_of_group(self, name: str) -> dict[str, Any]:
        """What is different in it where it is one of a group of workers."""
        lower, higher = (tuple(key_of_group(name, key) for key in keys) for keys in (self.lower, self.higher))
        return {"lower": lower, "higher": higher, "kind": (*self.kind, name) if self.kind else ()}


def key_of_group(name: str | None, key: str) -> str:
    """A key of all workers as that of a group; others are as they are, and so are `minimum` and `timeout`."""
    rest = key.removeprefix("workers.")
    whole = name is None or rest == key or rest in ("minimum", "timeout")
    return key if whole else f"workers.groups.{name}.{rest}"


def in_group(name: str | None, problems: Iterable[AnyProblem]) -> Iterator[AnyProblem]:
    """The same, told of the group of workers in which they were found; None: the workers have no groups."""
    for problem in problems:
        if name is None:
            yield problem
            continue
        keys: dict[str, Any] = problem.keys_of_group(name) if isinstance(problem, Misfit) else {}
        yield replace(problem, message=_within(name, problem.message), **keys)


def _within(group: str, message: str) -> str:
    rest = message.removeprefix("workers.")
    return f"group {group}: {message}" if rest == message else f"workers.groups.{group}.{rest}"


def refuse(problems: Iterable[Problem]) -> None:
    """Raises the refusal, if there is a problem."""
    if found := list(problems):
        raise refusal(found)


def refusal(problems: Iterable[Problem]) -> DoesNotFit | InvalidConfiguration:
    """With all problems, each once: that nothing fits, or, where one is a mistake, that something is to be mended."""
    found = list(dict.fromkeys(problems))
    if all(isinstance(problem, Misfit) for problem in found):
        return DoesNotFit(*found)
    return InvalidConfiguration(*found)


def where(queue: str | None, site: Site) -> str:
    """A queue in words, or this machine."""
    return f"queue {queue!r} of {site.name}" if queue else "this machine"
