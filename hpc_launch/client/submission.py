"""Submitting what an object was asked for, and saying so where it was asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.explain.sentences import submitted
from hpc_launch.runs.submit import submit

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.prepare import Prepared


def submit_and_say(prepared: Prepared, context: Context) -> tuple[Path, str]:
    """Submit it; gives the run directory and what was said.

    Raises:
        UsageError: the run directory cannot be made.
        BatchSystemError: refused, or not answered.
    """
    message = [prepared.rendered.message.rstrip()] if prepared.rendered.message else []
    say(*message, *(f"note: {note}" for note in prepared.planned.notes))
    directory, record = submit(prepared.rendered, context)
    said = submitted(prepared.plan, record.main.job_id, directory)
    say(said, f"it goes on without this process; `hpc-launch close {record.id}` ends it")
    return directory, said


def say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)
