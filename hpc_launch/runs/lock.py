"""One at a time: whoever changes the record of a run holds a file beside it, also on a network file system."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".run.json.lock"
STALE = 10.0
"""Seconds after which a lock that did not change is nobody's: it is held for milliseconds."""
WAIT = 15.0
"""Seconds after which one goes on without: an update that may be lost is better than one that is not made."""

Seen = tuple[int, int, str]
"""Inode, time and owner: two locks that follow each other differ in one of them."""


@contextmanager
def alone(directory: Path, stale: float = STALE, wait: float = WAIT) -> Iterator[bool]:
    """Keep other processes, on any host, from changing the record meanwhile; gives whether that is certain.

    A file that only one can create, as open(2) has it for O_EXCL, also on NFS; flock(2) is local to a host on
    some of the file systems that clusters have. Never raises an OSError of its own: where no lock can be made
    the update itself will tell.
    """
    lock, owner = directory / LOCK, f"{os.uname().nodename} {os.getpid()} {secrets.token_hex(8)}\n"
    taken = _take(lock, owner, stale, wait)
    try:
        yield taken
    finally:
        if taken and (seen := _look(lock)) and seen[2] == owner:  # or somebody found us too slow, and has it now
            with suppress(OSError):
                lock.unlink()


def _take(lock: Path, owner: str, stale: float, wait: float) -> bool:
    began = since = time.monotonic()
    last: Seen | None = None
    while True:
        try:
            return _create(lock, owner)
        except FileExistsError:
            pass
        except OSError:
            return False
        # The age by our own clock: a file server's may be minutes off.
        now, seen = time.monotonic(), _look(lock)
        if seen != last:
            last, since = seen, now
        elif seen and now - since >= stale:
            with suppress(OSError):
                lock.unlink()
            continue
        if now - began >= wait:
            return False
        time.sleep(0.01 + secrets.randbelow(20) / 1000)


def _create(lock: Path, owner: str) -> bool:
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(owner)
    except BaseException:  # a full disk
        with suppress(OSError):
            lock.unlink()
        raise
    return True


def _look(lock: Path) -> Seen | None:
    try:
        with open(lock, encoding="utf-8", errors="replace") as file:
            status = os.fstat(file.fileno())
            return status.st_ino, status.st_mtime_ns, file.read(1000)
    except OSError:
        return None
