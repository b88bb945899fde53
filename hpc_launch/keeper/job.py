"""Whether the scheduler's job is still there."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hpc_launch.batch import processes
from hpc_launch.keeper import disk
from hpc_launch.keeper.loop import Keeper
from hpc_launch.keeper.reading import UNREADABLE


class Shell:
    """Seen from inside of it: the job's shell, `HPC_LAUNCH_JOB_SHELL`, has started this process, or what did so."""

    def __init__(self) -> None:
        self.parent = os.getppid()
        self.shell = int(os.environ.get("HPC_LAUNCH_JOB_SHELL") or self.parent)
        self.started = processes.started(self.shell)

    def __call__(self, keeper: Keeper) -> bool:
        same = self.started is not None and processes.started(self.shell) == self.started
        return same and os.getppid() == self.parent


class FromOutside:
    """Seen from another host: the batch system is asked while the scheduler is silent, and only its word counts."""

    def __init__(self, directory: Path, ask: float) -> None:
        self.directory, self.ask = directory, ask
        self.asked = time.monotonic()
        self.there = True

    def __call__(self, keeper: Keeper) -> bool:
        now = time.monotonic()
        if self.there and not keeper.watch.hears_scheduler() and now >= self.asked + self.ask:
            self.asked = now
            if job := self._main_job():
                self.there = not keeper.system.states([job])[job].status.over
        return self.there

    def _main_job(self) -> str | None:
        """The id of the run's first job, as `run.json` tells."""
        try:
            job = disk.load(self.directory / "run.json")["jobs"][0]["job_id"]
        except UNREADABLE:
            return None
        return job if isinstance(job, str) else None
