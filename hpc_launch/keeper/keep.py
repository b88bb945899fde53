"""Keeping a run from its beginning to its end: the lease, signals, and what comes last."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from hpc_launch.batch.faults import HpcLaunchError, Problem
from hpc_launch.keeper.hands import Over, say
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.lease import Lease, Lost
from hpc_launch.keeper.leftover import call_off_all
from hpc_launch.keeper.loop import Keeper
from hpc_launch.keeper.steps import reached

SLICE = 0.5
"""Seconds between two looks at what is on this host: the job's shell, and whether this process was told to end."""


class Held(HpcLaunchError):
    """Another keeper has this run, and lives."""

    exit_code = 2


class Told:
    """Whether this process was told to end: it does so when what it is about just now is done. USR1: to look at once.

    A batch system may warn the processes of a job by USR1 and USR2, too.
    """

    def __init__(self) -> None:
        self.by: int | None = None
        """The signal that told it to end."""
        self.to_look = False
        self.before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.before[number] = signal.signal(number, self._end)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            self.before[number] = signal.signal(number, self._look)

    def stop_listening(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.by = self.by or number

    def _look(self, number: int, frame: FrameType | None) -> None:
        self.to_look = True


class Keeping:
    """One process that keeps a run, or waits to.

    Args:
        directory: the run directory.
        job_is_there: whether the scheduler's job still is.
        beside: whether this is a process of that job, whose shell ends the run's jobs when it is over.
    """

    def __init__(self, directory: Path, job_is_there: Callable[[Keeper], bool], every: Intervals, beside: bool) -> None:
        self.lease = Lease(directory / "pool" / "lease", every.stale)
        self.keeper = Keeper(directory, self.lease, every, from_job=beside)
        self.job_is_there, self.every, self.beside = job_is_there, every, beside
        self.told = Told()

    def run(self) -> int | None:
        """Keep the run until it is over, or a signal tells this process to end: gives its number.

        Raises Held, unless it may wait.
        """
        self.told.listen()
        try:
            while self._goes_on():
                if self.lease.take():
                    reached("leased")
                    self._keep()
                elif not self.beside and self.lease.is_surely_held():
                    who = self.lease.held_by()
                    raise Held(
                        Problem(f"{who} looks after this run's worker jobs already", hint="One keeper is enough.")
                    )
                else:
                    self._wait(self.every.quiet)
            if self.told.by is None and self.lease.take():
                call_off_all(self.keeper.system, self.keeper.watch)  # nobody else may be left to do it
        except Over:
            if not self.beside:
                self._wait(self.every.quiet)  # workers that run end with their scheduler, and tidy up
                call_off_all(self.keeper.system, self.keeper.watch)
        finally:
            self.lease.release()
            self.told.stop_listening()
        return self.told.by

    def _keep(self) -> None:
        """Keep the run as long as the lease is ours. Raises Over."""
        complaint = ""
        try:
            while self._goes_on():
                try:
                    self.keeper.turn()
                except OSError as fault:
                    if str(fault) != complaint:
                        say(complaint := str(fault))
                self._wait(self.keeper.seconds_to_wait())
        except Lost as fault:
            say(str(fault))

    def _goes_on(self) -> bool:
        return self.told.by is None and self.job_is_there(self.keeper)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._goes_on() and not self.told.to_look:
            time.sleep(min(SLICE, left))
        if self.told.to_look:
            self.told.to_look = False
            self.keeper.wake()
