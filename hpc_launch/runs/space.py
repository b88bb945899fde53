"""Whether a file system has room for a run, looked at before anything is made or submitted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.units import format_memory

BLOCK = 4096
"""Bytes that even the shortest file takes on most file systems."""
LATER = 64
"""Files, of a block each, that a small run adds to those that are submitted: record, keys, logs, state."""


def require(place: Path, files: Mapping[str, str]) -> None:
    """Refuse a run whose files there is no room for. Of quotas only writing tells.

    Args:
        place: the run directory, which need not be there yet.
        files: name → text of what will be written into it.

    Raises:
        UsageError: there is too little space, or there are too few inodes.
    """
    there = next((parent for parent in (place, *place.parents) if parent.exists()), None)
    try:
        left = os.statvfs(there or place)
    except OSError:
        return  # making the directory says it better
    number = len(files) + LATER
    needed = BLOCK * LATER + sum(-(-len(text.encode()) // BLOCK) * BLOCK for text in files.values())
    space = left.f_bavail * left.f_frsize
    if space < needed:
        _refuse(place, f"no space left: {format_memory(space)} on its file system, a run needs {format_memory(needed)}")
    if left.f_files and left.f_favail < number:
        _refuse(place, f"no inodes left: {left.f_favail} on its file system, a run needs {number}")


def _refuse(place: Path, cause: str) -> None:
    hint = "Make room there, name another place with --run-dir DIR, or set `storage.runs` in the site profile."
    raise UsageError(Problem(f"cannot make the run directory {place}: {cause}", hint=hint))
