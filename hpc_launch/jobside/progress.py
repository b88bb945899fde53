"""Runs inside the Dask scheduler (``--preload``) and tells the outside how it stands, through small files in state/."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from distributed.diagnostics.plugin import SchedulerPlugin
from tornado.ioloop import PeriodicCallback

if TYPE_CHECKING:
    from distributed import Scheduler

STATE = os.path.join(os.environ["HPC_LAUNCH_RUN_DIR"], "state", os.environ["HPC_LAUNCH_ATTEMPT"])
MINIMUM = int(os.environ["HPC_LAUNCH_MINIMUM"])
INTERVAL = 2000  # milliseconds
PARENT = os.getppid()
GOODBYE = 5  # seconds
SCHEDULER_FILE = os.path.join(os.environ["HPC_LAUNCH_RUN_DIR"], "scheduler.json")


def replace(name: str, text: str) -> None:
    """Write a state file so that a reader on any node sees the old text or the new one, never a part."""
    path = os.path.join(STATE, name)
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


def job_is_gone() -> bool:
    """Whether the job's shell has ended: this process was its child, or, through MPI or a container, is on its host."""
    if os.getppid() != PARENT:
        return True
    shell, host = os.environ.get("HPC_LAUNCH_JOB_SHELL"), os.uname().nodename
    if shell is None:
        with suppress(OSError, ValueError), open(os.path.join(STATE, "shell")) as file:
            shell, host = file.read().split()
    return shell is not None and host == os.uname().nodename and not is_running(shell)


def is_running(process: str) -> bool:
    """Whether there is a process of this number that has not ended: one that nobody has waited for yet has."""
    with suppress(OSError), open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


class Progress(SchedulerPlugin):
    """Says once that enough workers are connected, and every few seconds how things stand."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.ready = False
        self.sees_job = not job_is_gone()  # a container may hide it

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        # A full or slow disk must not end the cluster: the next time may do.
        with suppress(OSError):
            self.write_if_ready()

    def write_if_ready(self) -> None:
        if not self.ready and len(self.scheduler.workers) >= MINIMUM:
            self.write()
            replace("ready", self.scheduler.address)
            self.ready = True

    def look(self) -> None:
        if self.sees_job and job_is_gone():
            # The job's shell was killed and can no longer end anything; without a scheduler the workers end too.
            with suppress(OSError, ValueError), open(os.path.join(STATE, "workload")) as file:
                os.killpg(int(file.read()), signal.SIGTERM)
            self.end = asyncio.ensure_future(self.scheduler.close())
            return
        with suppress(OSError):
            self.write_if_ready()
            self.write()

    def write(self) -> None:
        scheduler = self.scheduler
        metrics = [worker.metrics for worker in scheduler.workers.values()]
        dashboard = scheduler.services.get("dashboard")
        replace(
            "progress.json",
            json.dumps(
                {
                    "schema": 1,
                    "time": time.time(),
                    "address": scheduler.address,
                    "dashboard": dashboard.port if dashboard else None,
                    "workers": len(scheduler.workers),
                    "threads": scheduler.total_nthreads,
                    "tasks": Counter(task.state for task in scheduler.tasks.values()),
                    "memory_bytes": sum(m.get("memory", 0) for m in metrics),
                    "spilled_bytes": sum(m.get("spilled_bytes", {}).get("disk", 0) for m in metrics),
                }
            ),
        )


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    if scheduler.scheduler_file != SCHEDULER_FILE:
        return  # a task's own cluster, in a process that has this run's settings
    progress = Progress(scheduler)
    scheduler.add_plugin(progress)
    PeriodicCallback(progress.look, INTERVAL).start()


async def dask_teardown(scheduler: Scheduler) -> None:
    """Called by the scheduler when it ends: the workers' nannies are told to end them, and a moment is waited for it.

    A worker that closes because its scheduler does leaves its nanny waiting for two seconds, and tracebacks in the log.
    """
    if scheduler.scheduler_file != SCHEDULER_FILE:
        return
    terminate = {"op": "terminate", "reason": "the run is over", "reply": False}
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(scheduler.broadcast(msg=terminate, nanny=True, on_error="ignore"), GOODBYE)
    give_up = time.monotonic() + GOODBYE
    while scheduler.workers and time.monotonic() < give_up:
        await asyncio.sleep(0.05)
