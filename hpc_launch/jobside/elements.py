"""Which worker belongs to which element, and which element to which group. Plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Group:
    """Workers that are alike, as ``pool/groups.json`` tells."""

    name: str
    threads: int
    resources: Mapping[str, float]
    target_duration: float = 30.0
    """Seconds in which its tasks are to be done."""


@dataclass(frozen=True)
class Submission:
    """Elements ``first`` to ``first + size - 1``, all of one group, as ``pool/K.json`` tells."""

    group: str
    first: int
    size: int


@dataclass(frozen=True)
class Leave:
    """How an element is to leave, as ``pool/retire.json`` tells."""

    grace: float | None = None
    """Seconds that its tasks get; None: as long as they need."""
    close_at: float | None = None
    """From when on it closes though its data have no room elsewhere, in seconds since 1970; None: never."""


@dataclass(frozen=True)
class Known:
    """What the files of the run have told so far."""

    groups: tuple[Group, ...] = ()
    submissions: tuple[Submission, ...] = ()
    hosts: Mapping[int, str] = field(default_factory=dict)  # of elements that run
    retire: Mapping[int, Leave] = field(default_factory=dict)

    def group_of(self, number: int) -> str | None:
        for submission in self.submissions:
            if submission.first <= number < submission.first + submission.size:
                return submission.group
        return self.groups[0].name if len(self.groups) == 1 else None

    def element_of(self, worker: str) -> int | None:
        """The number in a worker's name, ``HOST-NUMBER`` or ``HOST-NUMBER-INDEX``; hosts may be called ``n-7`` too.

        None as long as the files do not tell which of two readings is right: a worker of an element of which they do
        not tell yet must not be taken for one of another element, which may have to leave.
        """
        readings = list(_readings(worker))
        told = [number for host, number in readings if self.hosts.get(number) == host]
        likely = told or [number for _, number in readings]
        return likely[0] if len(set(likely)) == 1 else None


def _readings(worker: str) -> Iterator[tuple[str, int]]:
    """Each (host, number) that a worker's name can mean."""
    host, _, last = worker.rpartition("-")
    if host and last.isdecimal():
        yield host, int(last)
        host, _, number = host.rpartition("-")
        if host and number.isdecimal():
            yield host, int(number)


def groups_from(document: Mapping[str, Any]) -> tuple[Group, ...]:
    """The groups of ``pool/groups.json``, the cheapest first; raises KeyError, TypeError or ValueError."""
    return tuple(_group(name, each) for name, each in document["groups"].items())


def _group(name: str, document: Mapping[str, Any]) -> Group:
    resources = {key: float(value) for key, value in document["resources"].items()}
    target = (document.get("adapt") or {}).get("target_duration") or Group.target_duration
    return Group(name, max(1, int(document["threads"])), resources, float(target))


def submission_from(document: Mapping[str, Any]) -> Submission:
    return Submission(str(document["group"]), int(document["first"]), int(document["size"]))


def retire_from(document: Mapping[str, Any]) -> dict[int, Leave]:
    """The elements of ``pool/retire.json``, by number."""
    return {
        int(number): Leave(_seconds(each.get("grace_seconds")), _seconds(each.get("close_at")))
        for number, each in document["elements"].items()
    }


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
