"""What the keeper remembers from one look to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.values import Retirement

LONG_AGO = float("-inf")


@dataclass(frozen=True)
class OfGroup:
    """Of one group."""

    target: int | None = None
    """Of an adaptive group, in workers; None: it is not one, or was none until now."""
    wanted: tuple[int, ...] = ()
    """What the latest looks at the demand wanted, the newest last."""
    counted: float = LONG_AGO
    """When the newest of them was."""
    failures: int = 0
    """Elements in a row that ended before a worker of theirs connected."""
    brake: str | None = None
    """Why nothing is submitted until somebody wishes anew."""
    loops: int = 0
    """Elements in a row that were ended since their workers came back again and again, and finished no task."""
    finished: int = 0
    """Tasks, when that was last looked at."""
    failed: int = 0
    """Elements that ended before a worker connected, or were ended for such a loop, of all times."""
    lost: int = 0
    """Elements that have ended or leave, not since there were too many, and have not been replaced."""
    replaced: int = 0
    tries: int = 0
    """Submissions in a row that failed."""
    not_before: float = LONG_AGO
    """The next submission."""
    refusal: str | None = None
    """What the batch system said to the last one."""


@dataclass(frozen=True)
class Memory:
    serial: int | None = None
    """Of the wish that is worked on; None: no keeper has worked on any."""
    wished: float = 0.0
    """When it came up: what was submitted before does not count against it."""
    groups: Mapping[str, OfGroup] = field(default_factory=dict)
    connected: frozenset[int] = frozenset()
    """Elements of which a worker was ever connected."""
    judged: frozenset[int] = frozenset()
    """Elements that have ended, and were counted."""
    silent: Mapping[int, float] = field(default_factory=dict)
    """Element that runs and has no worker → since when."""
    retiring: Mapping[int, Retirement] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()
    """Elements that were ever to retire: their end is no failure."""
    looping: frozenset[int] = frozenset()
    """Elements that were ended since their workers came back again and again."""
    ended: Mapping[int, float] = field(default_factory=dict)
    """Element → when the batch system was last told to end it."""
    next_submission: float = LONG_AGO

    def of(self, group: str) -> OfGroup:
        return self.groups.get(group, OfGroup())

    def with_group(self, group: str, **changes: Any) -> Memory:
        return replace(self, groups={**self.groups, group: replace(self.of(group), **changes)})


def after_submission(
    memory: Memory, group: str, size: int, refusal: str | None, now: float, intervals: Intervals
) -> Memory:
    """The memory once the batch system was asked for `size` elements; `refusal`: why there are none, or may be none."""
    was = memory.of(group)
    memory = replace(memory, next_submission=now + intervals.submit)
    if refusal is not None:
        pause = min(intervals.patience, intervals.submit * 2.0 ** min(was.tries, 30))
        return memory.with_group(group, tries=was.tries + 1, not_before=now + pause, refusal=refusal)
    replacing = min(size, was.lost)
    return memory.with_group(
        group, tries=0, not_before=LONG_AGO, refusal=None, lost=was.lost - replacing, replaced=was.replaced + replacing
    )
