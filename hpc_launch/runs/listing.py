"""All runs of a user, at one look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any

from hpc_launch.errors import HpcLaunchError, Problem, UsageError
from hpc_launch.runs import index, remembered
from hpc_launch.runs.index import Entry, Place
from hpc_launch.runs.ownership import NotPrivate
from hpc_launch.runs.remembered import Over, look_outside

if TYPE_CHECKING:
    from hpc_launch.models.record import Outcome, Record
    from hpc_launch.runs.settle import View

OVER = "over.json"
LAUNCH_FAILED: Outcome = "launch-failed"
"""Who asks for those that failed may mean these, too."""


@dataclass(frozen=True)
class Row:
    """One run of the index."""

    id: str
    state: str
    """In one word, as `--state` takes it."""
    shown: str
    """For people: how it stands, or why nothing is known of it."""
    site: str = ""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """For programs, as `status --json` has it; empty if it was not asked for."""
    over: Over | None = None
    """What may be kept of it."""


@dataclass(frozen=True)
class Wanted:
    """Which runs are to be listed; None, or nothing: all."""

    name: str | None = None
    """A pattern, as a shell has them."""
    states: Sequence[str] = ()
    site: str | None = None
    limit: int | None = None

    def of_name(self, entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in entries if fnmatchcase(entry.name, self.name)] if self.name else list(entries)

    def of_site(self, found: Iterator[_Read]) -> Iterator[_Read]:
        """As many as are wanted, unless their states decide that."""
        there = (one for one in found if self.site is None or one.what.site == self.site)
        return islice(there, None if self.states else self.limit)

    def has_state_of(self, row: Row) -> bool:
        return not self.states or row.state in self.states

    def may_mean(self, row: Row) -> bool:
        """Whether it never began its workload, where those that failed are asked for without these."""
        return row.state == LAUNCH_FAILED and "failed" in self.states and LAUNCH_FAILED not in self.states


@dataclass(frozen=True)
class Listing:
    """The runs that were wanted, newest first."""

    rows: Sequence[Row]
    never_began: int
    """How many more never began their workload, where only those that failed were asked for."""


@dataclass(frozen=True)
class _Read:
    """A run of the index, and what is known of it before any batch system is asked."""

    entry: Entry
    what: Record | Row
    seen: tuple[int, ...] = ()


def listed(context: Place, wanted: Wanted | None = None, *, documents: bool = False) -> Listing:
    """Runs of the index; each batch system is asked once for all of them that are not over.

    Args:
        documents: each row has its document. Then all runs are read, also those that are over for good.

    Raises:
        UsageError: there is no such state.
    """
    wanted = wanted or Wanted()
    _refuse_states(wanted.states)
    everything = index.entries(context)
    kept = remembered.recall(context.state / OVER)
    recalled = {} if documents else kept
    read = list(wanted.of_site(_read(entry, recalled) for entry in wanted.of_name(everything)))
    rows = _rows(read, documents)
    _keep(context, everything, kept, {str(one.entry.directory): row.over for one, row in zip(read, rows, strict=True)})
    return Listing([*filter(wanted.has_state_of, rows)][: wanted.limit], sum(map(wanted.may_mean, rows)))


def _read(entry: Entry, kept: Mapping[str, Over]) -> _Read:
    seen = look_outside(str(entry.directory))
    over = kept.get(str(entry.directory))
    if over and over.seen == seen:
        return _Read(entry, Row(entry.id, over.state, over.shown, over.site, over=over))
    return _Read(entry, _record(entry), seen)


def _record(entry: Entry) -> Record | Row:
    from hpc_launch.runs.directory import read_record

    try:
        if entry.there:
            return read_record(entry.directory)
        what = "is gone" if entry.gone else "cannot be seen from here"
        return _without_record(entry, f"its directory {what}: {entry.directory}")
    except NotPrivate as fault:
        return _without_record(entry, fault.problems[0].message, fault.briefly)
    except HpcLaunchError as fault:
        return _without_record(entry, fault.problems[0].message)


def _without_record(entry: Entry, problem: str, refused: str = "") -> Row:
    state = "refused" if refused else "unknown"
    document = {
        "run": entry.id,
        "directory": str(entry.directory),
        "state": state,
        "outcome": None,
        "exit_code": None,
        "reason": problem,
    }
    return Row(entry.id, state, f"refused: {refused}" if refused else problem, document=document)


def _rows(read: Sequence[_Read], documents: bool) -> list[Row]:
    """Look at those that are not known to be over."""
    records = [(one.entry.directory, one.what) for one in read if not isinstance(one.what, Row)]
    if not records:
        return [one.what for one in read if isinstance(one.what, Row)]
    from hpc_launch.runs.status import bring_all_up_to_date

    views = {view.directory: view for view in bring_all_up_to_date(records)}
    return [
        one.what if isinstance(one.what, Row) else _row(views[one.entry.directory], one.seen, documents) for one in read
    ]


def _row(view: View, seen: tuple[int, ...], with_document: bool) -> Row:
    from hpc_launch.runs.describe import as_json

    standing, record = view.standing, view.record
    shown = f"failed ({standing.exit_code})" if standing.outcome == "failed" else standing.state
    if record.plan.stands and not standing.over:
        shown += " (standing cluster)"
    over = Over(standing.state, shown, record.site, seen) if seen and _is_over_for_good(view) else None
    return Row(record.id, standing.state, shown, record.site, as_json(view) if with_document else {}, over)


def _is_over_for_good(view: View) -> bool:
    """Whether nothing is left to be decided or called off."""
    from hpc_launch.runs.leftover_jobs import may_have_left_jobs

    certain = view.final and view.standing.understood and not view.standing.doubt
    return certain and view.record.outcome is not None and not may_have_left_jobs(view.record)


def _keep(
    context: Place, everything: Sequence[Entry], kept: Mapping[str, Over], found: Mapping[str, Over | None]
) -> None:
    """Keep what was found, and what was kept of the other runs of the index."""
    known = {**kept, **found}
    new = {where: over for entry in everything if (over := known.get(where := str(entry.directory)))}
    if new != kept:
        remembered.remember(context.state / OVER, new)


def _refuse_states(words: Sequence[str]) -> None:
    if not words:
        return
    from hpc_launch.runs.outcome import STATES

    for word in words:
        if word not in STATES:
            raise UsageError(Problem(f"--state: no run is ever {word!r}", hint=f"One of: {', '.join(STATES)}"))
