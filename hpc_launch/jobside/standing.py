"""Loaded into the Dask scheduler (``--preload``) of a standing cluster, which it ends when it was idle for too long."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tornado.ioloop import PeriodicCallback

if TYPE_CHECKING:
    from distributed import Scheduler

RUN = os.environ["HPC_LAUNCH_RUN_DIR"]
INTERVAL = 2000  # milliseconds between two looks at the scheduler
OURS = ("fire-and-forget", "Client-hpc-launch-", "Client-worker-")
"""Clients that do not count: Dask's own, those of hpc-launch, made as ``Client(name="hpc-launch")``, and those that
workers keep for their tasks."""


def idle_since(scheduler: Any, before: float | None) -> float | None:
    """Since when there is no task, no data, and no client of a user; None: it is not so now."""
    others = [name for name in scheduler.clients if not str(name).startswith(OURS)]
    if scheduler.tasks or others:
        return None
    return before or time.time()


class Idle:
    """Ends the scheduler once it was idle for so many seconds."""

    def __init__(self, scheduler: Scheduler, seconds: float) -> None:
        self.scheduler = scheduler
        self.seconds = seconds
        self.since: float | None = None
        self.look_at = PeriodicCallback(self.look, INTERVAL)

    def look(self) -> None:
        self.since = idle_since(self.scheduler, self.since)
        if self.since is not None and time.time() - self.since >= self.seconds:
            self.look_at.stop()
            self.end = asyncio.ensure_future(self.close())

    async def close(self) -> None:
        with suppress(OSError):  # a full disk: then nobody hears why
            self.tell(f"it was idle for {in_words(self.seconds)}")
        await self.scheduler.close()

    def tell(self, reason: str) -> None:
        """For the job's shell, which sees that the scheduler ends."""
        path = os.path.join(RUN, "state", os.environ["HPC_LAUNCH_ATTEMPT"], "idle")
        with open(path + ".new", "w") as file:
            file.write(reason + "\n")
        os.replace(path + ".new", path)


def in_words(seconds: float) -> str:
    """``1 h``, ``90 min``, ``20 s``."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)} {unit}"
    return f"{seconds:g} s"


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    if scheduler.scheduler_file == os.path.join(RUN, "scheduler.json"):  # otherwise a task's own cluster
        Idle(scheduler, float(os.environ["HPC_LAUNCH_IDLE_TIMEOUT"])).look_at.start()
