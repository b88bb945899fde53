"""Runs that nobody needs any more: their directories are deleted, or only their entries in the index."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.config.wording import printable
from hpc_launch.errors import HpcLaunchError, Problem, UsageError
from hpc_launch.runs import index, status
from hpc_launch.runs.index import Entry, Place
from hpc_launch.runs.job_ids import batch_system, find_by_name
from hpc_launch.runs.leftover_jobs import may_have_left_jobs
from hpc_launch.runs.outcome import Standing
from hpc_launch.runs.ownership import RECORD, opened
from hpc_launch.runs.settle import View

GONE = "the run directory is gone; whether jobs still run, the batch system alone knows"


@dataclass(frozen=True)
class Decision:
    """What becomes of one run."""

    entry: Entry
    stays: Problem | None = None
    """Why it is not removed; None: it may be."""

    def as_json(self) -> dict[str, Any]:
        """With the reason, where it stays."""
        reason = {"reason": self.stays.message} if self.stays else {}
        return {"run": self.entry.id, "directory": str(self.entry.directory), **reason}


def judge(entry: Entry, view: View | None = None) -> Decision:
    """Whether the run may be removed: it is over for good, nothing of it may live, and all of it is the caller's.

    Args:
        entry: the run.
        view: how it stands just now; left out: it is looked at.
    """
    try:
        return Decision(entry, None if entry.gone else _refusal(entry, view))
    except HpcLaunchError as fault:
        return Decision(entry, fault.problems[0])
    except OSError as fault:
        return Decision(entry, Problem(f"{printable(str(entry.directory))} cannot be read: {fault.strerror or fault}"))


def _refusal(entry: Entry, view: View | None) -> Problem | None:
    where = printable(str(entry.directory))
    if not entry.there:
        hint = f"If it was deleted: hpc-launch remove --forget {entry.id}"
        return Problem(f"{where} cannot be seen from here: whether {entry.id} is over is not known", hint=hint)
    if entry.directory.is_symlink():
        return Problem(
            f"{where} is a symbolic link: what it leads to is not removed", hint="Name the directory itself."
        )
    view = view or status.bring_up_to_date(entry.directory)
    run, standing = view.record.id, view.standing
    if not standing.understood:
        return Problem(f"{run}: a later hpc-launch wrote how it ended", hint="Remove it with that version.")
    if not view.final or standing.doubt:
        return _not_certainly_over(run, standing)
    if may_have_left_jobs(view.record):
        return Problem(f"{run} is over, but jobs of it may live", hint=f"End them first: hpc-launch cancel {run}")
    if foreign := next(_of_others(entry.directory), None):
        return Problem(f"{run}: {printable(foreign)} is not yours", hint="Nothing of the run was removed.")
    return None


def _not_certainly_over(run: str, standing: Standing) -> Problem:
    """What holds of it, and the next step."""
    unanswered = (
        f"End it first: hpc-launch cancel {run}\nIf its batch system never answers: hpc-launch remove --forget {run}"
    )
    if standing.doubt:
        cause = f"{run} tells that it has ended ({standing.outcome}), but its batch system does not: {standing.doubt}"
        return Problem(cause, hint=unanswered)
    if standing.over:
        cause = (
            f"{run} seems to be over ({standing.outcome}), but for a minute its files may still come to say otherwise"
        )
        return Problem(cause, hint=f"Wait until it is certain: hpc-launch wait {run}")
    if standing.state == "unknown":
        return Problem(f"whether {run} is over is not known: {standing.why}", hint=unanswered)
    return _goes_on(run, standing)


def _goes_on(run: str, standing: Standing) -> Problem:
    hint = f"End it first: hpc-launch cancel {run}\nOr wait for its end: hpc-launch wait {run}"
    return Problem(f"{run} goes on: {standing.state}", hint=hint)


def _of_others(directory: Path) -> Iterator[str]:
    """What belongs to somebody else in it. Links are not followed. Raises OSError, NotPrivate."""
    with opened(directory) as descriptor:
        for place, directories, files, here in os.fwalk(".", dir_fd=descriptor, onerror=_raise):
            for name in (*directories, *files):
                if os.stat(name, dir_fd=here, follow_symlinks=False).st_uid != os.geteuid():
                    yield os.path.normpath(os.path.join(directory, place, name))


def _raise(fault: OSError) -> None:
    raise fault


def delete(context: Place, entry: Entry, say: Callable[[str], None]) -> None:
    """Delete a run's directory with all that is in it, its record last, and its entry in the index.

    Whatever ends this in between, it can be called again. Where the directory is gone, that is told.

    Raises:
        OSError: something cannot be deleted.
        NotPrivate: the directory is not the caller's alone.
    """
    if entry.gone:
        say(f"{entry.id}: {GONE}")
    else:
        _delete_directory(entry.directory)
    index.forget(context, entry)


def _delete_directory(directory: Path) -> None:
    with opened(directory) as descriptor:
        for place, directories, files, here in os.fwalk(".", topdown=False, onerror=_raise, dir_fd=descriptor):
            for name in files:
                if (place, name) != (".", RECORD):
                    os.unlink(name, dir_fd=here)
            for name in directories:
                _delete_directory_or_link(name, here)
        os.unlink(RECORD, dir_fd=descriptor)
    directory.rmdir()


def _delete_directory_or_link(name: str, within: int) -> None:
    if stat.S_ISLNK(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=within)
    else:
        os.rmdir(name, dir_fd=within)


def forget(context: Place, entry: Entry, say: Callable[[str], None]) -> None:
    """Delete a run's entry in the index alone; its directory stays.

    Its jobs are asked for first, by their ids and by their names; those that may live are told.

    Raises:
        UsageError: the batch system says that it goes on.
    """
    try:
        view = status.bring_up_to_date(entry.directory) if entry.there else None
    except HpcLaunchError as fault:
        say(f"{entry.id}: nothing is known of its jobs: {fault.problems[0].message}")
        view = None
    if entry.gone:
        say(f"{entry.id}: {GONE}")
    elif not entry.there:
        say(f"{entry.id}: nothing is known of its jobs: its directory cannot be seen from here")
    if view and (view.standing.doubt or not view.standing.over):
        if not view.standing.doubt and view.standing.state != "unknown":
            raise UsageError(_goes_on(view.record.id, view.standing))
        say(f"{entry.id}: these jobs of it may live: {', '.join(_may_live(view)) or 'none whose id is known'}")
    index.forget(context, entry)


def _may_live(view: View) -> list[str]:
    """The ids of its jobs, those that only their names lead to, too."""
    ids = list(view.record.job_ids)
    with suppress(HpcLaunchError):
        system = batch_system(view.record)
        for job in view.record.jobs:
            found = find_by_name(system, view.record, job.job_name)
            if isinstance(found, str) and found not in ids:
                ids.append(found)
    return ids
