"""One keeper at a time, on whatever host: it holds `pool/lease`, and looks at it before everything that it does."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from hpc_launch.batch import processes
from hpc_launch.batch.faults import HpcLaunchError, NoAnswer


class Lost(HpcLaunchError):
    """Another keeper has taken over: this one was silent for too long."""


class Lease:
    """A file that only one process can create, as open(2) has it for O_EXCL, also on NFS.

    It holds `HOST:PID:START@BOOT SECONDS`, and is written anew now and then: one that does not change is nobody's.
    """

    def __init__(self, path: Path, stale: float) -> None:
        self.path, self.stale = path, stale
        self.owner = processes.this_one()
        self.seen: str | None = None
        """What it held when another had it."""
        self.since = 0.0
        """Since when that did not change; by our own clock, since a file server's may be minutes off."""
        self.moved = False
        """Whether it was seen to change in another's hands."""

    def take(self) -> bool:
        """Try to take it; whoever gets no has to try again later, and sees by then whether the other one lives."""
        with suppress(FileExistsError):
            return self._create()
        text = _read(self.path)
        if text is None:
            return False  # it was there a moment ago
        if _owner(text) == self.owner:
            return True
        if text != self.seen:
            self.moved = self.seen is not None
            self.seen, self.since = text, time.monotonic()
        if not _is_dead(text) and time.monotonic() < self.since + self.stale:
            return False
        self._remove(text)
        return False if _read(self.path) is not None else self._try_again()

    def held_by(self) -> str:
        """Who has it, or had it: `HOST:PID`."""
        return ":".join((self.seen or "").split(":")[:2]) or "another keeper"

    def is_surely_held(self) -> bool:
        """Whether another keeper certainly lives."""
        with suppress(NoAnswer):
            return self.moved or bool(self.seen and processes.lives(_owner(self.seen)))
        return self.moved

    def renew(self) -> None:
        """Say that its holder lives. Raises Lost, or OSError."""
        # The file that was opened is the one that is written: if another takes over meanwhile, it has a new one.
        if _read(self.path) is None and not self.path.exists():
            raise Lost(f"{self.path} is gone")
        with open(self.path, "r+", encoding="utf-8") as file:
            if _owner(file.read()) != self.owner:
                raise Lost(f"another keeper has taken over: {self.path}")
            file.seek(0)
            file.write(self._line())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())

    def check(self) -> None:
        """Whether it is still ours. Raises Lost where it is not, or where that cannot be told."""
        text = _read(self.path)
        if text is None or _owner(text) != self.owner:
            raise Lost(f"another keeper has taken over: {self.path}")

    def release(self) -> None:
        with suppress(OSError, Lost):
            self.check()
            self.path.unlink()

    def _create(self) -> bool:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(self._line())
        return True

    def _try_again(self) -> bool:
        with suppress(FileExistsError):
            return self._create()
        return False

    def _remove(self, text: str) -> None:
        """Remove a lease that holds this text; if another one was faster, and it is his by now, he keeps it."""
        aside = self.path.with_name(f".lease.{processes.host()}.{os.getpid()}")
        with suppress(OSError):
            os.rename(self.path, aside)
            if _read(aside) != text:
                os.link(aside, self.path)
            aside.unlink()

    def _line(self) -> str:
        return f"{self.owner} {time.time():.3f}\n"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _owner(text: str) -> str:
    return text.partition(" ")[0]


def _is_dead(text: str) -> bool:
    """Whether its holder was a process of this host, and is no more."""
    owner = _owner(text)
    with suppress(NoAnswer):
        return bool(owner.strip()) and processes.lives(owner) is False
    return False
