"""A run directory that is not where it was: deleted, or only its file system not mounted on this host."""

from __future__ import annotations

import os
from pathlib import Path

from hpc_launch.runs.ownership import RECORD


def keep_parent(kept: Path, directory: Path) -> None:
    """Write down which directory a run directory stands in: its inode number, as the text of a symbolic link.

    Device numbers would not do: those of network file systems differ from host to host, and after each mount.

    Raises:
        OSError: it cannot be written, or the run directory is not there.
    """
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept.unlink(missing_ok=True)
    os.symlink(str(os.stat(_parent(directory)).st_ino), kept)


def is_gone(directory: Path, kept: Path | None) -> bool:
    """Whether a run directory certainly exists no more: the directory that it stood in is there without it.

    Where a file system is not mounted, an empty directory stands in its place.
    """
    try:
        os.stat(directory / RECORD)
    except (FileNotFoundError, NotADirectoryError):
        return _is_parent_there(_parent(directory), kept)
    except (OSError, ValueError):
        return False
    return False


def _parent(directory: Path) -> str:
    return os.path.dirname(os.path.realpath(directory))


def _is_parent_there(parent: str, kept: Path | None) -> bool:
    try:
        found = os.stat(parent).st_ino
        if kept and os.path.lexists(kept):
            return os.readlink(kept) == str(found)
        return bool(os.listdir(parent))  # an earlier version kept nothing
    except OSError:
        return False
