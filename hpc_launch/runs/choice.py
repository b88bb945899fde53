"""Which run is meant where only one that goes on can be: to end it, or to wait for its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Record
from hpc_launch.runs import index, status
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.index import Ambiguous, Entry, Place


def find_unfinished(context: Place, words: str | None = None, *, to_end: bool = False) -> Path:
    """As `index.find`; of several runs of a name, or that begin alike, those that are over are not meant.

    Each batch system is asked once, and only where there are several. A run of which it cannot be told whether it
    is over may be the one that is meant.

    Args:
        to_end: it is to be ended; then the latest of several that go on is not guessed from a name.

    Raises:
        UsageError: none is meant, or several that are not over; or several that begin alike, and all of them are over.
    """
    if len(namesakes := index.of_name(context, words)) > 1:
        left = _unfinished(namesakes)
        if words and to_end and len(left) > 1:
            raise Ambiguous(words, left, "runs that are not over")
        words = left[0].id if left else words
    try:
        return index.find(context, words)
    except Ambiguous as several:
        left = _unfinished(several.matching)
        if len(left) == 1:
            return index.find(context, left[0].id)
        raise Ambiguous(several.words, left, "runs that are not over") if left else several from None


def _unfinished(entries: Sequence[Entry]) -> list[Entry]:
    left = [entry for entry in entries if not entry.gone]
    over = {view.directory for view in status.bring_all_up_to_date(list(_records(left))) if view.standing.over}
    return [entry for entry in left if entry.directory not in over]


def _records(entries: Sequence[Entry]) -> Iterator[tuple[Path, Record]]:
    for entry in entries:
        with suppress(HpcLaunchError):  # a damaged record, or one that cannot be seen from here: nobody knows
            yield entry.directory, read_record(entry.directory)
