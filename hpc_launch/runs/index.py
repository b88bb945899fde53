"""A user's runs: one symbolic link for each, from its id to its directory. Nothing to lock or damage."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs.absence import is_gone, keep_parent
from hpc_launch.runs.creation import made_and_removed
from hpc_launch.runs.ownership import RECORD, refuse_unless_private

SHOWN = 10
_MADE_OF_NAME = re.compile(r"-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\Z")
"""What stands behind the name in an id."""


class Place(Protocol):
    """What the index needs of a context."""

    @property
    def directory(self) -> Path: ...
    @property
    def state(self) -> Path: ...


@dataclass(frozen=True)
class Entry:
    """One run of the index."""

    id: str
    directory: Path
    kept: Path | None = None
    """Where it is kept which directory the run directory was made in; None: it is not in the index."""

    @property
    def name(self) -> str:
        """The run's name, which its id begins with."""
        return _MADE_OF_NAME.sub("", self.id)

    @property
    def there(self) -> bool:
        """Whether the run directory still exists."""
        return _holds_a_run(self.directory)

    @property
    def gone(self) -> bool:
        """Whether it certainly exists no more."""
        return is_gone(self.directory, self.kept)


class Ambiguous(UsageError):
    """What was typed is the name of several runs, or the beginning of their ids."""

    def __init__(self, words: str, matching: Sequence[Entry], what: str = "runs") -> None:
        self.words, self.matching = words, matching
        shown = "\n    ".join(entry.id for entry in matching[:SHOWN])
        more = f"\n    … and {len(matching) - SHOWN} more" if len(matching) > SHOWN else ""
        super().__init__(f"{words!r} may mean {len(matching)} {what}; say the id of one:\n    {shown}{more}")


def add(context: Place, run_id: str, directory: Path) -> None:
    """Make a run known by its id.

    Raises:
        OSError: the user's state directory cannot be written, or the run directory is not there.
    """
    keep_parent(_parents(context) / run_id, directory)
    links = _links(context)
    links.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.symlink(directory, links / run_id)


def try_out(context: Place) -> None:
    """Whether a run could be added. Raises OSError."""
    links = _links(context)
    try:
        with made_and_removed(links):
            pass
    except OSError as fault:
        raise OSError(fault.errno, fault.strerror, str(links)) from fault


def forget(context: Place, entry: Entry) -> None:
    """Delete a run's entry, unless another run has taken its place there. Raises OSError."""
    link = _links(context) / entry.id
    if link.is_symlink() and Path(os.readlink(link)) == entry.directory:
        link.unlink()
        (_parents(context) / entry.id).unlink(missing_ok=True)


def entries(context: Place) -> list[Entry]:
    """All runs of the index, newest first; also those whose directory is gone."""
    links: list[tuple[int, Entry]] = []
    try:
        found = list(os.scandir(_links(context)))
    except OSError:
        return []
    for link in found:
        try:
            made = link.stat(follow_symlinks=False).st_mtime_ns
            links.append((made, Entry(link.name, Path(os.readlink(link.path)), _parents(context) / link.name)))
        except OSError:  # not a link, or removed meanwhile
            continue
    return [entry for _, entry in sorted(links, key=lambda one: (one[0], one[1].id), reverse=True)]


def find(context: Place, words: str | None = None) -> Path:
    """The directory of the run that is meant.

    Args:
        words: its id, a name, which means the latest of that name, the beginning of an id, or a directory; None: the
            latest of all.

    Raises:
        UsageError: none is meant, several are, its directory is gone, or is not the caller's alone.
    """
    directory = _meant(context, words)
    refuse_unless_private(directory)
    return directory


def of_name(context: Place, words: str | None) -> list[Entry]:
    """The runs of this name, newest first; none if it is an id."""
    return _of_name(entries(context), words)


def _of_name(known: Sequence[Entry], words: str | None) -> list[Entry]:
    return [] if any(entry.id == words for entry in known) else [entry for entry in known if entry.name == words]


def find_entry(context: Place, words: str) -> Entry:
    """The entry of the run that is meant, also if its directory is gone or is not the caller's.

    For what deletes runs: several runs of one name are several runs that begin alike.

    Raises:
        UsageError: none is meant, or several are.
    """
    known = entries(context)
    if matching := _matching(known, words):
        return matching[0]
    directory = _meant(context, words)
    return next((entry for entry in known if entry.directory == directory), Entry(directory.name, directory))


def _matching(known: Sequence[Entry], words: str) -> list[Entry]:
    """The run of this id, or the one whose id begins so. Raises Ambiguous."""
    if "/" in words:
        return []
    matching = [e for e in known if e.id == words] or [e for e in known if words and e.id.startswith(words)]
    if len(matching) > 1:
        raise Ambiguous(words, matching)
    return matching


def _meant(context: Place, words: str | None) -> Path:
    known = entries(context)
    if words is None:
        return _latest(known)
    if matching := _of_name(known, words) or _matching(known, words):
        return _there(matching[0])
    directory = Path(os.path.abspath(context.directory / words)) if words else None
    if directory and _holds_a_run(directory):
        return directory
    raise _unknown(words, known)


def _holds_a_run(directory: Path) -> bool:
    """Whether there is a record in it; also where that cannot be seen, which reading it will tell."""
    try:
        return stat.S_ISREG(os.stat(directory / RECORD).st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def _links(context: Place) -> Path:
    return context.state / "runs"


def _parents(context: Place) -> Path:
    return context.state / "parents"


def _latest(known: list[Entry]) -> Path:
    if not known:
        raise UsageError(Problem("there is no run yet", hint="Start one: hpc-launch submit profile.yaml"))
    latest, others = known[0], [entry for entry in known[1:] if entry.there]
    if latest.there or not others:
        return _there(latest)
    raise UsageError(
        Problem(
            f"the run directory of the latest run, {latest.id}, is gone: {latest.directory}",
            hint=f"Say which run you mean; the newest that is still there is {others[0].id}.",
        )
    )


def _there(entry: Entry) -> Path:
    if entry.there:
        return entry.directory
    if not entry.gone:
        cause = f"the run directory of {entry.id} cannot be seen from here: {entry.directory}"
        raise UsageError(Problem(cause, hint=f"If it was deleted: hpc-launch remove --forget {entry.id}"))
    raise UsageError(
        Problem(
            f"the run directory of {entry.id} is gone: {entry.directory}",
            hint="It was deleted or moved. If it was moved, give its new place instead of the id.",
        )
    )


def _unknown(words: str, known: list[Entry]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(words, [*{entry.name for entry in known}, *(entry.id for entry in known)], n=3, cutoff=0.5)
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    return UsageError(
        Problem(
            f"no run {words!r}: neither an id or the beginning of one, nor a name, nor a run directory",
            hint=f"{hint}`hpc-launch list` shows all runs.",
        )
    )
