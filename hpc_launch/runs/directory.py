"""The run directory: how it is made, and how its record is read and replaced."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.models.record import SCHEMA, Record
from hpc_launch.runs.lock import alone

RECORD = "run.json"


def create(directory: Path) -> None:
    """Make the run directory, mode 0700: it will hold credentials, and the user's command.

    Args:
        directory: absolute; must not exist, or be empty.

    Raises:
        UsageError: it holds something already, or cannot be made.
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
    except OSError as fault:
        raise UsageError(
            Problem(
                f"cannot make the run directory {directory}: {fault.strerror or fault}",
                hint="Name another place with --run-dir DIR, or set `storage.runs` in the site profile.",
            )
        ) from fault


def _take_over(directory: Path) -> None:
    if not directory.is_dir() or any(directory.iterdir()):
        raise UsageError(
            Problem(
                f"{directory} is there already and not empty; a run directory belongs to one run alone",
                hint="Name one that does not exist yet, or leave out --run-dir.",
            )
        )
    directory.chmod(0o700)


def write_record(directory: Path, record: Record) -> None:
    """Replace `run.json`: whoever reads it, and whatever crashes, finds the old one or the new one.

    Raises:
        OSError: it could not be written; the old one is still there.
    """
    text = record.model_dump_json(by_alias=True, indent=2) + "\n"
    # a process id is one host's alone, and a login node has many sisters
    new = directory / f".{RECORD}.{os.uname().nodename}.{secrets.token_hex(8)}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, directory / RECORD)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _sync(directory)  # or the rename itself may be lost in a crash


def read_record(directory: Path) -> Record:
    """The record of the run in this directory.

    Raises:
        UsageError: there is none, it cannot be read, or a newer hpc-launch wrote it.
    """
    from pydantic import ValidationError

    path = directory / RECORD
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raise UsageError(f"{path} cannot be read: {fault.strerror or fault}") from fault
    try:
        content = json.loads(text)
        _check_schema(path, content)
        return Record.model_validate_json(text)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        by = f" (written by hpc-launch {content.get('version')})" if isinstance(content, dict) else ""
        raise UsageError(f"{path} is not a record as this hpc-launch knows it{by}: {where}: {first['msg']}") from None
    except ValueError as fault:
        raise UsageError(f"{path} is damaged: {fault}") from fault


def update_record(directory: Path, change: Callable[[Record], Record]) -> Record:
    """Read the record again, change it, and write it if that made a difference.

    A submit that still waits for its answer and a status in another terminal may both want to add something:
    each changes what is there now, not what it read long ago, and one after the other.

    Raises:
        OSError: it could not be written.
        UsageError: it could not be read.
    """
    with alone(directory):
        old = read_record(directory)
        new = change(old)
        if new != old:
            write_record(directory, new)
    return new


def _check_schema(path: Path, content: object) -> None:
    from hpc_launch import __version__

    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        by = content.get("version", "of a later version") if isinstance(content, dict) else ""
        raise UsageError(
            Problem(
                f"{path} has schema {schema}; this hpc-launch, {__version__}, knows schemas up to {SCHEMA}",
                hint=f"It was written by hpc-launch {by}: use that one or a newer one.",
            )
        )


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot; the file itself is safe
        pass
    finally:
        os.close(descriptor)
