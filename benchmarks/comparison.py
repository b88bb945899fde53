"""Numbers taken in turn, and what is said about them."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("dask", "distributed", "bokeh", "pydantic", "typer")
QUIET = 0.9
"""The part of all cores that is idle on a machine where nothing else goes on."""
PATIENCE = 120
"""Seconds to wait for that."""


@dataclass(frozen=True)
class Spread:
    """The middle and both ends of some numbers."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])

    def __str__(self) -> str:
        return f"{self.median:7.3f}  ({self.least:.3f} to {self.most:.3f})"


def pairwise(these: Sequence[float], others: Sequence[float]) -> Spread:
    """Each number divided by the one that was taken in the same round: a busy moment slows down both."""
    return Spread.of(this / other for this, other in zip(these, others, strict=True))


def wait_for_quiet() -> None:
    """Wait until this machine has had nothing to do for a second; says so where it goes on without."""
    give_up = time.monotonic() + PATIENCE
    while idle_part(1.0) < QUIET:
        if time.monotonic() > give_up:
            print(f"this machine has been busy for {PATIENCE} s: measured all the same", file=sys.stderr)
            return


def idle_part(seconds: float) -> float:
    """How idle all cores were while so many seconds went by (proc(5): /proc/stat)."""

    def ticks() -> tuple[int, int]:
        every = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return every[3] + every[4], sum(every)  # idle and waiting for a disk, of all

    idle_before, before = ticks()
    time.sleep(seconds)
    idle, now = ticks()
    return (idle - idle_before) / max(now - before, 1)


def machine() -> dict[str, str | int | None]:
    """Cores of this machine, version of Python, versions of packages in its environment (None: not installed)."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def described(facts: dict[str, str | int | None]) -> str:
    return ", ".join(f"{name} {'is not installed' if value is None else value}" for name, value in facts.items())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
