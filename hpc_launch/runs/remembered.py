"""What was found of runs that are over for good, kept beside the index: they need not be read again to be listed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.runs.ownership import RECORD

SCHEMA = 1


@dataclass(frozen=True)
class Over:
    """A run that is over for good."""

    state: str
    """The word of its outcome."""
    shown: str
    """The same for people: `failed (7)`."""
    site: str
    seen: tuple[int, ...]
    """What `look_outside` gave before the record was read: as long as it gives the same, nothing has changed."""


def look_outside(directory: str) -> tuple[int, ...]:
    """Numbers that differ once a run's record was replaced, or its job has begun again; none if they cannot be read.

    A record is replaced as a whole. A job that begins again replaces `state/attempt`.
    """
    try:
        around, record = os.stat(directory), os.stat(f"{directory}/{RECORD}")
        state = os.stat(f"{directory}/state").st_mtime_ns
    except (OSError, ValueError):
        return ()
    whose = (around.st_ino, around.st_uid, around.st_mode, record.st_uid, record.st_mode)
    return (*whose, record.st_ino, record.st_size, record.st_mtime_ns, state)


def recall(file: Path) -> dict[str, Over]:
    """By directory what was kept; nothing if that cannot be read."""
    try:
        with open(file, encoding="utf-8") as opened:
            if os.fstat(opened.fileno()).st_uid != os.geteuid():
                return {}
            kept: Any = json.load(opened)
        if kept["schema"] != SCHEMA:
            return {}
        return {
            where: Over(state, shown, site, tuple(seen)) for where, (state, shown, site, seen) in kept["runs"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # whatever else stands there
        return {}


def remember(file: Path, runs: Mapping[str, Over]) -> None:
    """Replace what is kept; that it cannot be written changes nothing."""
    from hpc_launch.keeper import disk  # most listings write nothing, and start faster without

    kept = {directory: (run.state, run.shown, run.site, run.seen) for directory, run in runs.items()}
    with suppress(OSError, ValueError):
        disk.replace(file, {"schema": SCHEMA, "runs": kept})
