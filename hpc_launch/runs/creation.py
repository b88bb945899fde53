"""How a run directory is made: new, or out of an empty one, and the caller's alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpc_launch.batch.account import account
from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs.ownership import NotPrivate, opened

ELSEWHERE = "Name another place with --run-dir DIR, or set `storage.runs` in the site profile."


def create(directory: Path) -> None:
    """Make the run directory, mode 0700: it will hold credentials, and the user's command.

    Args:
        directory: absolute; must not exist, or be empty and the caller's own.

    Raises:
        UsageError: it holds something already, is somebody else's, or cannot be made.
    """
    if not str(directory).isprintable():
        raise UsageError(
            f"the name of a run directory must be UTF-8 without control characters, not {str(directory)!r}"
        )
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            _take_over(directory)
        try:
            _check_protection(directory, shown=directory)
        except UsageError:
            directory.rmdir()
            raise
    except OSError as fault:
        raise _not_made(directory, fault) from fault


def try_out(directory: Path) -> None:
    """Whether `create` could make it: a directory is made and removed as near to it as there is one already.

    Raises:
        UsageError: it could not, or would not be the caller's alone there.
    """
    try:
        with made_and_removed(directory.parent) as tried:
            _check_protection(tried, shown=directory)
    except OSError as fault:
        raise _not_made(directory, fault) from fault


@contextmanager
def made_and_removed(place: Path) -> Iterator[Path]:
    """A directory of mode 0700 in this one, or in the nearest one above it that is there. Raises OSError."""
    there = next((each for each in (place, *place.parents) if os.path.lexists(each)), place)
    tried = Path(tempfile.mkdtemp(prefix=".hpc-launch-check-", dir=there))
    try:
        yield tried
    finally:
        tried.rmdir()


def _not_made(directory: Path, fault: OSError) -> UsageError:
    return UsageError(Problem(f"cannot make the run directory {directory}: {fault.strerror or fault}", hint=ELSEWHERE))


def _take_over(directory: Path) -> None:
    if not directory.is_dir():
        raise _not_new(directory, "is there already, and no directory")
    _refuse_anothers(directory, os.stat(directory))  # also of one that cannot be opened
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _refuse_anothers(directory, os.fstat(descriptor))
        _refuse_filled(directory, descriptor)
        os.fchmod(descriptor, 0o700)
        _refuse_filled(directory, descriptor)  # somebody else was quick; from now on nobody can be
    finally:
        os.close(descriptor)


def _refuse_anothers(directory: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        owner = account(found.st_uid).name
        raise _not_new(directory, f"belongs to {owner}; a run directory is your own: it holds the key of the run")


def _refuse_filled(directory: Path, descriptor: int) -> None:
    if os.listdir(descriptor):
        raise _not_new(directory, "is there already and not empty; a run directory belongs to one run alone")


def _not_new(directory: Path, why: str) -> UsageError:
    hint = "Name one that does not exist yet, or leave out --run-dir."
    return UsageError(Problem(f"{directory} {why}", hint=hint))


def _check_protection(directory: Path, shown: Path) -> None:
    """Refuse a new run directory on a file system that keeps neither owner nor mode: no command would read it."""
    try:
        with opened(directory):
            return
    except NotPrivate as fault:
        cause = f"{shown} cannot be protected: made with mode 0700, {fault.briefly} on this file system all the same"
        raise UsageError(Problem(cause, hint=ELSEWHERE)) from fault
