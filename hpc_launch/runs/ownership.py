"""Whose a run directory is: its record names commands to run, so it is read only if nobody else can have written it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpc_launch.batch.account import account
from hpc_launch.config.wording import printable
from hpc_launch.errors import Problem, UsageError
from hpc_launch.quoting import word

RECORD = "run.json"


class NotPrivate(UsageError):
    """A run directory, or its record, that is somebody else's, or that others may write."""

    def __init__(self, problem: Problem, briefly: str) -> None:
        super().__init__(problem)
        self.briefly = briefly
        """For a column of a table: `it belongs to otheruser`."""


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A descriptor of the directory, which is the caller's and which nobody else may write.

    A link is followed once, by the opening: what is reached through the descriptor is in the directory that was
    checked, wherever its name leads by then. Directories above it do not count.

    Raises:
        NotPrivate: it is somebody else's, or others may write it.
        OSError: there is none, or it cannot be read.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        refuse_foreign(directory, os.stat(directory))  # the better reason
        raise
    try:
        refuse_shared(directory, os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_unless_private(directory: Path) -> None:
    """Refuse the directory unless it is the caller's and nobody else may write it.

    Raises:
        NotPrivate: it is not so.
        UsageError: it cannot be read.
    """
    try:
        with opened(directory):
            return
    except OSError as fault:
        raise UsageError(f"{printable(str(directory))} cannot be read: {fault.strerror or fault}") from fault


def refuse_shared(path: Path, found: os.stat_result) -> None:
    """Refuse what is somebody else's, or may be written by others.

    Args:
        path: its name, to tell.
        found: what fstat(2) says of it, once it was opened.

    Raises:
        NotPrivate: it is so. Access lists show in the group's bits (acl(5)).
    """
    refuse_foreign(path, found)
    if not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    raise NotPrivate(
        Problem(
            f"{printable(str(path))} is refused: others may write it (mode {stat.S_IMODE(found.st_mode):04o}), and a"
            " run's record names commands to run",
            hint="If you are certain that nobody else has changed anything there: chmod go-w " + word(str(path)),
        ),
        "others may write it",
    )


def refuse_foreign(path: Path, found: os.stat_result) -> None:
    """Refuse what is somebody else's; arguments and errors as above."""
    if found.st_uid == os.geteuid():
        return
    owner, you = account(found.st_uid).name, account().name
    raise NotPrivate(
        Problem(
            f"{printable(str(path))} is refused: it belongs to {owner}, not to you ({you}), and a run's record names"
            " commands to run",
            hint=f"Only {owner} can look at it with hpc-launch, or end it. `hpc-launch list` shows your own runs.",
        ),
        f"it belongs to {owner}",
    )
