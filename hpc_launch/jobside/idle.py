"""Since when nobody uses a cluster. Loaded into the Dask scheduler (``--preload``) of a standing one, it ends that."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tornado.ioloop import PeriodicCallback

from . import state
from .clients import is_a_users

if TYPE_CHECKING:
    from distributed import Scheduler

MINIMUM = int(os.environ.get("HPC_LAUNCH_MINIMUM", "0"))
INTERVAL = 2000  # milliseconds between two looks at the scheduler


def idle_since(scheduler: Any, before: float | None) -> float | None:
    """Since when there is no task, no data, and no client of a user, by the monotonic clock; None: it is not so now."""
    if scheduler.tasks or any(is_a_users(str(name)) for name in scheduler.clients):
        return None
    return time.monotonic() if before is None else before


class Idle:
    """Ends the scheduler once it was idle for so many seconds."""

    def __init__(self, scheduler: Scheduler, seconds: float, note: str) -> None:
        self.scheduler = scheduler
        self.seconds = seconds
        self.note = note
        self.since: float | None = None
        self.began = False
        self.callback = PeriodicCallback(self.look, INTERVAL)

    def look(self) -> None:
        self.began = self.began or len(self.scheduler.workers) >= MINIMUM  # until then it is waited for
        self.since = idle_since(self.scheduler, self.since) if self.began else None
        if self.since is not None and time.monotonic() - self.since >= self.seconds:
            self.callback.stop()
            self.end = asyncio.ensure_future(self.close())

    async def close(self) -> None:
        """The job's shell sees that the scheduler ends, and by a file why."""
        with suppress(OSError), open(self.note, "w"):
            pass
        await self.scheduler.close()


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    Idle(scheduler, float(os.environ["HPC_LAUNCH_IDLE_TIMEOUT"]), state.path("idle")).callback.start()
