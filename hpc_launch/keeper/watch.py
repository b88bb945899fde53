"""What the run directory tells, looked at no more than is needed: what cannot be read just now is as it was."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hpc_launch.keeper import disk, reading
from hpc_launch.keeper.ledger import Ledger
from hpc_launch.keeper.reading import UNREADABLE
from hpc_launch.keeper.values import Demand, Look, Run, Told, Wish


class Watch:
    def __init__(self, directory: Path, run: Run, ledger: Ledger, stale: float) -> None:
        self.directory, self.run, self.ledger, self.stale = directory, run, ledger, stale
        self.attempt = 0
        self.wish, self.demand = Wish(), Demand()
        self.wish_stamp: disk.Stamp | None = None
        self.demand_stamp: disk.Stamp | None = None
        self.has_demand, self.demand_at = False, time.monotonic()
        self.began: dict[int, float] = {}
        self.gone: dict[int, float] = {}
        self.run_ends: float | None = None

    @property
    def state(self) -> Path:
        return self.directory / "state" / str(self.attempt)

    def read(self) -> None:
        """Look for all that may have changed. Raises OSError where what was submitted cannot be seen."""
        self._read_attempt()
        self.sees_wish()
        self.sees_demand()
        self.ledger.read()
        self._read_elements()

    def look(self, told: Mapping[int, Told]) -> Look:
        """What is known now."""
        return Look(
            time.time(),
            tuple(self.ledger.submissions.values()),
            self.wish,
            self.demand if self.hears_scheduler() else None,
            self.began,
            self.gone,
            told,
            self.run_ends,
        )

    def hears_scheduler(self) -> bool:
        """Whether the scheduler has said something lately: it does so now and then though nothing changes."""
        return self.has_demand and time.monotonic() - self.demand_at < self.stale

    def is_over(self) -> bool:
        """Whether the run has an outcome: nothing is submitted any more."""
        self._read_attempt()
        return (self.state / "outcome").exists()

    def _read_attempt(self) -> None:
        """The newest attempt: elements of an earlier one that have ended stay so; those that run are on their own."""
        with suppress(OSError, ValueError):
            newest = int((self.directory / "state" / "attempt").read_text())
            if newest != self.attempt:
                self.attempt, self.has_demand, self.demand_stamp = newest, False, None
                self.began = {}
                for attempt in range(1, newest):
                    ended = _numbers(self.directory / "state" / str(attempt) / "elements-gone")
                    self.gone = dict.fromkeys(ended, time.time()) | self.gone
                self._read_end()

    def _read_end(self) -> None:
        """When the walltime of the scheduler's job is over."""
        with suppress(*UNREADABLE):
            first = (self.state / "events").read_text().split("\n")[0]
            if self.run.walltime and first.split()[1] == "started":
                self.run_ends = float(first.split()[0]) + self.run.walltime

    def sees_wish(self) -> bool:
        """Whether there is a new wish; reads it."""
        path = self.directory / "control" / "scale.json"
        if (now := disk.stamp(path)) == self.wish_stamp:
            return False
        with suppress(*UNREADABLE):
            self.wish, self.wish_stamp = reading.wish_from(disk.load(path), self.run), now
        return True

    def sees_demand(self) -> bool:
        """Whether the scheduler says something new of elements; reads it. Before it says anything: whether it began."""
        if not self.attempt:
            self._read_attempt()
            return bool(self.attempt)
        path, before = self.state / "demand.json", _of_elements(self.demand)
        if (now := disk.stamp(path)) == self.demand_stamp:
            return False
        with suppress(*UNREADABLE):
            document = disk.load(path)
            age = 0.0 if self.has_demand else max(0.0, time.time() - float(document["time"]))  # an earlier keeper's?
            self.demand, self.demand_stamp = reading.demand_from(document), now
            self.demand_at, self.has_demand = time.monotonic() - age, True
        return _of_elements(self.demand) != before

    def _read_elements(self) -> None:
        """Elements that run, and have ended. One that began before it was first seen did so when its file was made."""
        with suppress(FileNotFoundError):
            running = _numbers(self.state / "elements")
            for number in running - self.began.keys():
                self.began[number] = min(time.time(), os.stat(self.state / "elements" / str(number)).st_mtime)
            for number in self.began.keys() - running:
                del self.began[number]
        for number in _numbers(self.state / "elements-gone") - self.gone.keys():
            self.gone[number] = time.time()
        for number in self.gone.keys() & self.began.keys():
            del self.gone[number]  # it was put back into the queue, and has begun again


def _of_elements(demand: Demand) -> tuple[object, ...]:
    """What a word of the scheduler says of elements: tasks that are finished are no reason to look at anything else."""
    return demand.connected, demand.draining, demand.wanted


def _numbers(directory: Path) -> set[int]:
    """The numbers that a directory's files are named by; none where there is no such directory."""
    with suppress(FileNotFoundError):
        return {int(name) for name in os.listdir(directory) if name.isdecimal()}
    return set()
