"""The record in a run directory: how it is read, and replaced."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.models.record import MAIN, SCHEMA, Record, data_of, record_of
from hpc_launch.models.stored import Unfit
from hpc_launch.runs.lock import alone
from hpc_launch.runs.ownership import RECORD, opened, refuse_shared, refuse_unless_private

CONTROL, WORKER_JOBS = "control", "worker-jobs"
"""A directory, and in it what the scheduler's job reads: the ids of worker jobs, one a line, as they were submitted."""


def write_record(directory: Path, record: Record) -> None:
    """Replace `run.json`: whoever reads it, and whatever crashes, finds the old one or the new one.

    Raises:
        NotPrivate: the directory is not the caller's alone.
        OSError: it could not be written; the old one is still there.
    """
    with opened(directory) as descriptor:
        _replace(descriptor, RECORD, json.dumps(data_of(record), indent=2, ensure_ascii=False) + "\n")


def _worker_jobs(record: Record) -> str:
    """What is to stand in WORKER_JOBS."""
    return "".join(f"{job_id}\n" for job_id in record.worker_ids)


def write_control(directory: Path, name: str, text: str) -> None:
    """Replace a file that the job reads. Raises as `write_record`."""
    with opened(directory) as descriptor:
        with suppress(FileExistsError):
            os.mkdir(CONTROL, 0o700, dir_fd=descriptor)
        control = os.open(CONTROL, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        try:
            _replace(control, name, text)
        finally:
            os.close(control)


def _replace(directory: int, name: str, text: str) -> None:
    """Write a file of the open directory as a whole, mode 0600, so that it outlives a crash."""
    # a process id is one host's alone, and a login node has many sisters
    new = f".{name}.{os.uname().nodename}.{secrets.token_hex(8)}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(new, dir_fd=directory)
        raise
    with suppress(OSError):  # some network file systems cannot; the file itself is safe
        os.fsync(directory)  # or the rename itself may be lost in a crash


def read_record(directory: Path) -> Record:
    """The record of the run in this directory.

    Raises:
        NotPrivate: the directory, or the record, is somebody else's, or others may write it.
        UsageError: there is none, it cannot be read, or a newer hpc-launch wrote it.
    """
    try:
        with opened(directory) as descriptor:
            return _read(descriptor, directory / RECORD)
    except OSError as fault:
        raise UsageError(f"{directory / RECORD} cannot be read: {fault.strerror or fault}") from fault


def _read(directory: int, path: Path) -> Record:
    """The record in the open directory; `path` is told in errors."""
    with open(RECORD, encoding="utf-8", errors="replace", opener=partial(os.open, dir_fd=directory)) as file:
        refuse_shared(path, os.fstat(file.fileno()))
        text = file.read()
    return _parsed(text, path)


def _parsed(text: str, path: Path) -> Record:
    content: object = None
    try:
        content = json.loads(text)
        _check_schema(path, content)
        if "\\u" in text:  # half a character cannot be written again
            json.dumps(content, ensure_ascii=False).encode()
        record = record_of(content)
    except Unfit as fault:
        by = f" (written by hpc-launch {content.get('version')})" if isinstance(content, dict) else ""
        raise UsageError(f"{path} is not a record as this hpc-launch knows it{by}: {fault}") from None
    except (ValueError, RecursionError) as fault:
        raise UsageError(f"{path} is damaged: {fault}") from fault
    if not any(job.role in MAIN for job in record.jobs):
        raise UsageError(f"{path} is damaged: none of its jobs holds the scheduler")
    return record


def update_record(directory: Path, change: Callable[[Record], Record]) -> Record:
    """Read the record again, change it, and write it if that made a difference.

    A submit that still waits for its answer and a status in another terminal may both want to add something:
    each changes what is there now, not what it read long ago, and one after the other.

    Raises:
        OSError: it could not be written.
        UsageError: it could not be read.
    """
    refuse_unless_private(directory)  # before a lock is put there
    with alone(directory):
        old = read_record(directory)
        new = change(old)
        if (ids := _worker_jobs(new)) != _worker_jobs(old):  # before the record: a job may run that waits for it
            write_control(directory, WORKER_JOBS, ids)
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
