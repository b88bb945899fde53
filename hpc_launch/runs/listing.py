"""All runs of a user, at one look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Record
from hpc_launch.runs import describe, index, status
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.index import Entry, Place
from hpc_launch.runs.ownership import NotPrivate
from hpc_launch.runs.settle import View


@dataclass(frozen=True)
class Row:
    """One run of the index: what is known of it, or why nothing is."""

    entry: Entry
    view: View | None = None
    problem: str = ""
    refused: str = ""
    """Why nothing in its directory is acted on, in a few words; empty if that is not the problem."""

    def as_json(self) -> dict[str, Any]:
        """As `status --json` has it; a run without a record has no more than its name and the reason."""
        if self.view:
            return describe.as_json(self.view)
        nothing = {"state": "refused" if self.refused else "unknown", "outcome": None, "exit_code": None}
        return {
            "run": self.entry.id,
            "directory": str(self.entry.directory),
            **nothing,
            "reason": self.problem,
        }

    def cells(self) -> list[str]:
        """For people."""
        if not self.view:
            return [self.entry.id, f"refused: {self.refused}" if self.refused else self.problem, "", ""]
        standing, record = self.view.standing, self.view.record
        state = f"failed ({standing.exit_code})" if standing.outcome == "failed" else standing.state
        if record.plan.stands and not standing.over:
            state += " (standing cluster)"
        return [record.id, state, record.site, f"{record.created.astimezone():%Y-%m-%d %H:%M:%S}"]


def listed(context: Place) -> list[Row]:
    """All runs of the index, newest first; each batch system is asked once for all that are not over."""
    read = {entry: _read(entry) for entry in index.entries(context)}
    good = [(entry.directory, record) for entry, record in read.items() if isinstance(record, Record)]
    views: dict[Path, View] = {view.directory: view for view in status.bring_all_up_to_date(good)}
    return [Row(entry, views[entry.directory]) if isinstance(one, Record) else one for entry, one in read.items()]


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
