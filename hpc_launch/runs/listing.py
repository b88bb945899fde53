"""All runs of a user, at one look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from hpc_launch.errors import HpcLaunchError, Problem, UsageError
from hpc_launch.models.record import Outcome, Record
from hpc_launch.runs import describe, index, status
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.index import Entry, Place
from hpc_launch.runs.ownership import NotPrivate
from hpc_launch.runs.settle import View

GOES_ON = ("submitting", "queued", "starting", "running", "suspended", "ending")
STATES = (*GOES_ON, *get_args(Outcome), "unknown", "refused")
"""All that `list` may say of a run."""


@dataclass(frozen=True)
class Row:
    """One run of the index: what is known of it, or why nothing is."""

    entry: Entry
    view: View | None = None
    problem: str = ""
    refused: str = ""
    """Why nothing in its directory is acted on, in a few words; empty if that is not the problem."""

    @property
    def state(self) -> str:
        """In one word, as `--state` takes it."""
        if self.view:
            return self.view.standing.state
        return "refused" if self.refused else "unknown"

    def as_json(self) -> dict[str, Any]:
        """As `status --json` has it; a run without a record has no more than its name and the reason."""
        if self.view:
            return describe.as_json(self.view)
        nothing = {"state": self.state, "outcome": None, "exit_code": None}
        return {
            "run": self.entry.id,
            "directory": str(self.entry.directory),
            **nothing,
            "reason": self.problem,
        }

    def cells(self) -> list[str]:
        """For people."""
        if not self.view:
            return [self.entry.id, f"refused: {self.refused}" if self.refused else self.problem, ""]
        standing, record = self.view.standing, self.view.record
        state = f"failed ({standing.exit_code})" if standing.outcome == "failed" else standing.state
        if record.plan.stands and not standing.over:
            state += " (standing cluster)"
        return [record.id, state, record.site]


@dataclass(frozen=True)
class Wanted:
    """Which runs are to be listed; None, or nothing: all."""

    name: str | None = None
    """A pattern, as a shell has them."""
    states: Sequence[str] = ()
    site: str | None = None
    limit: int | None = None

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Record | Row]]:
        """Those with that name and site; as many as are wanted, unless their states decide that."""
        found = ((entry, _read(entry)) for entry in entries if fnmatchcase(entry.name, self.name or "*"))
        of_site = (
            one for one in found if self.site is None or (isinstance(one[1], Record) and one[1].site == self.site)
        )
        return islice(of_site, None if self.states else self.limit)


def listed(context: Place, wanted: Wanted | None = None) -> list[Row]:
    """Runs of the index, newest first; each batch system is asked once for all of them that are not over.

    Raises:
        UsageError: there is no such state.
    """
    wanted = wanted or Wanted()
    _refuse_states(wanted.states)
    read = dict(wanted.read(index.entries(context)))
    good = [(entry.directory, record) for entry, record in read.items() if isinstance(record, Record)]
    views: dict[Path, View] = {view.directory: view for view in status.bring_all_up_to_date(good)}
    rows = [Row(entry, views[entry.directory]) if isinstance(one, Record) else one for entry, one in read.items()]
    return [row for row in rows if not wanted.states or row.state in wanted.states][: wanted.limit]


def _refuse_states(words: Sequence[str]) -> None:
    for word in words:
        if word not in STATES:
            raise UsageError(Problem(f"--state: no run is ever {word!r}", hint=f"One of: {', '.join(STATES)}"))


def _read(entry: Entry) -> Record | Row:
    if not entry.there:
        what = "is gone" if entry.gone else "cannot be seen from here"
        return Row(entry, problem=f"its directory {what}: {entry.directory}")
    try:
        return read_record(entry.directory)
    except NotPrivate as fault:
        return Row(entry, problem=fault.problems[0].message, refused=fault.briefly)
    except HpcLaunchError as fault:
        return Row(entry, problem=fault.problems[0].message)
