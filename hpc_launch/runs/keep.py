"""The keeper of a run on a login host."""

from __future__ import annotations

from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.keeper import intervals
from hpc_launch.keeper.job import FromOutside
from hpc_launch.keeper.keep import Keeping
from hpc_launch.keeper.reading import UNREADABLE
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.pool import POOL


def keep(directory: Path) -> None:
    """Keep a run's workers at the number that is wanted, until it is over or this process is told to end.

    Raises:
        UsageError: it cannot grow.
        Held: another keeper has it.
    """
    record = read_record(directory)  # refuses a directory that others may write: it names commands to run
    every = intervals.read()
    try:
        keeping = Keeping(directory, FromOutside(directory, every.ask), every, beside=False)
    except UNREADABLE as fault:
        if isinstance(fault, PermissionError):
            raise
        hint = "Only runs of the layout job-array have worker jobs that can be added."
        raise UsageError(Problem(f"{record.id} has no {POOL}/groups.json to keep it by", hint=hint)) from fault
    keeping.run()
