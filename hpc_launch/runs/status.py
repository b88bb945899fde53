"""How runs stand just now: records are brought up to date, and what runs have left behind is called off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hpc_launch.models.record import Record
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.leftover_jobs import cancel_leftover_jobs
from hpc_launch.runs.look import ask, look
from hpc_launch.runs.settle import View, settle


def bring_up_to_date(directory: Path) -> View:
    """Look at one run, ask the batch system if that is needed, and keep what is certain.

    Raises:
        UsageError: the record cannot be read.
    """
    return bring_all_up_to_date([(directory, read_record(directory))])[0]


def bring_all_up_to_date(runs: Sequence[tuple[Path, Record]]) -> list[View]:
    """The same for several runs; each batch system is asked once for all of them, and once more for what they left."""
    return cancel_leftover_jobs([settle(one) for one in ask([look(directory, record) for directory, record in runs])])
