"""Ending the run of an object that is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hpc_launch.client.wake import wake_job
from hpc_launch.runs.cancel import cancel
from hpc_launch.runs.close import close
from hpc_launch.runs.directory import read_record


def end_run(directory: Path, say: Callable[[str], None]) -> None:
    """Close it if it is a standing cluster, otherwise cancel it; errors as those two."""
    if read_record(directory).plan.stands:
        close(directory, say, wake_job)
    else:
        cancel(directory, say)
