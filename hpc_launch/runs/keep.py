"""The keeper of a run on a login host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.keeper import intervals
from hpc_launch.keeper.job import FromOutside
from hpc_launch.keeper.keep import Keeping
from hpc_launch.keeper.reading import UNREADABLE
from hpc_launch.runs.job_ids import batch_system, elsewhere
from hpc_launch.runs.scale import kept_by_job, what_can_grow
from hpc_launch.runs.settle import View
from hpc_launch.runs.submissions import POOL, read_document

ENDS_WITHIN = 60.0
"""Seconds in which a keeper ends by itself whose run is over."""


@contextmanager
def kept_meanwhile(directory: Path) -> Iterator[None]:
    """Where the run's jobs may not keep it a child of this process does so, for as long as somebody waits here."""
    known = read_document(directory / POOL / "groups.json")
    if known is None or kept_by_job(known):
        yield
        return
    with open(directory / "logs" / "keeper.log", "ab") as log:
        words = [sys.executable, "-m", "hpc_launch", "keep", str(directory)]
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
        with suppress(subprocess.TimeoutExpired):
            child.wait(ENDS_WITHIN)
    finally:
        child.terminate()
        child.wait()


def keep(view: View, say: Callable[[str], None]) -> int | None:
    """Keep a run's workers at the number that is wanted, until it is over, or a signal ends this; gives its number.

    Raises:
        UsageError: it is over, cannot grow, or its jobs cannot be seen from here.
        Held: another keeper has it.
    """
    record = view.record
    what_can_grow(view, "be kept")
    if there := elsewhere(batch_system(record), record):
        raise UsageError(Problem(f"the jobs of {record.id} are processes of {there}", hint="Keep it there."))
    every = intervals.read()
    try:
        keeping = Keeping(view.directory, FromOutside(view.directory, every.ask), every, beside=False)
    except UNREADABLE as fault:
        raise UsageError(f"{record.id} cannot be kept just now: {fault}") from fault
    say(f"the worker jobs of {record.id} are looked after from here until it is over; Ctrl-C leaves them as they are")
    return keeping.run()
