"""Which runs `remove` is about: those that are named, or all that are old enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs import index, status
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.index import Entry, Place
from hpc_launch.runs.remove import Decision, judge


def named(context: Place, words: Sequence[str]) -> list[Decision]:
    """Each run that was named, once. Raises UsageError: one is not known, or several are meant."""
    found = [index.find_entry(context, each) for each in words]
    return [judge(entry) for entry in dict.fromkeys(found)]


def old(context: Place, older_than: timedelta | None, keep: int) -> list[Decision]:
    """All runs but the newest `keep`, as far as they were submitted so long ago.

    Each batch system is asked once. Of runs that cannot be read their age is not known: they stay.
    """
    entries = index.entries(context)[keep:]
    before = datetime.now(timezone.utc) - (older_than or timedelta(0))
    runs = []
    decided: dict[Entry, Decision] = {}
    for entry in entries:
        try:
            if entry.there and (record := read_record(entry.directory)).created <= before:
                runs.append((entry, record))
        except HpcLaunchError as fault:
            decided[entry] = Decision(entry, fault.problems[0])
    views = status.bring_all_up_to_date([(entry.directory, record) for entry, record in runs])
    decided.update((entry, judge(entry, view)) for (entry, _), view in zip(runs, views, strict=True))
    return list(_in_order(entries, decided, older_than is None))


def _in_order(entries: Sequence[Entry], decided: dict[Entry, Decision], of_any_age: bool) -> Iterator[Decision]:
    for entry in entries:
        if entry in decided:
            yield decided[entry]
        elif of_any_age and not entry.there:  # no age is known of those whose directory is gone
            yield judge(entry)
