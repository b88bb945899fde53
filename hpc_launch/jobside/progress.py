"""Runs inside the Dask scheduler (``--preload``) and tells the outside how it stands, through small files in state/.

As a guest on the shared file system: while nothing changes, one file is replaced once a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from distributed.diagnostics.plugin import SchedulerPlugin
from tornado.ioloop import PeriodicCallback

from . import state
from .clients import is_a_users

if TYPE_CHECKING:
    from distributed import Scheduler

MINIMUM = int(os.environ["HPC_LAUNCH_MINIMUM"])
INTERVAL = 2000  # milliseconds between two looks at the scheduler
AT_LEAST = 60  # seconds after which it is told again how things stand, though nothing has changed
LITTLE = 0.1  # a part by which memory in use may differ from what was told, and nothing has changed
UNFINISHED = ("waiting", "processing", "queued", "no-worker")
PARENT = os.getppid()
GOODBYE = 5  # seconds
WAKE = "hpc_launch_wake"
LOST = ("handle-worker-cleanup", "check-worker-ttl")
"""How the reason begins with which the scheduler removes a worker that is gone without a word."""
GROWS = os.path.isdir(os.path.join(os.environ["HPC_LAUNCH_RUN_DIR"], "pool"))
"""Then workers of other kinds may come, and ``pools.py`` tells of tasks that none of them could run."""
SAMPLE = 10_000
"""Tasks looked at of those that no worker can run."""


@cache
def shell_told_in_state() -> tuple[str, str]:
    """Process id and host of the job's shell; raises OSError or ValueError while they are not there."""
    with open(state.path("shell")) as file:
        shell, host = file.read().split()
    return shell, host


def job_shell() -> str | None:
    """The process id of the job's shell, where it is on this host: this process is its child, or MPI has started it."""
    shell, host = os.environ.get("HPC_LAUNCH_JOB_SHELL"), os.uname().nodename
    if shell is None:
        with suppress(OSError, ValueError):
            shell, host = shell_told_in_state()
    return shell if host == os.uname().nodename else None


def job_is_gone() -> bool:
    """Whether the job's shell has ended."""
    if os.getppid() != PARENT:
        return True
    shell = job_shell()
    return shell is not None and not is_running(shell)


def is_running(process: str) -> bool:
    """Whether there is a process of this number that has not ended: one that nobody has waited for yet has."""
    with suppress(OSError), open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


def has_changed(now: dict[str, Any], told: dict[str, Any]) -> bool:
    """Whether it is to be told how things stand now; memory in use is never quite the same."""
    rough = ("memory_bytes", "spilled_bytes")
    if any(abs(now[key] - told[key]) > LITTLE * told[key] for key in rough):
        return True
    return any(now[key] != told[key] for key in now.keys() - rough)


class Progress(SchedulerPlugin):
    """Says once that enough workers are connected, and how things stand."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.ready = False
        self.sees_job = not job_is_gone()  # a container may hide it
        self.told: dict[str, Any] = {}
        self.told_at = float("-inf")
        self.clients = 0
        self.died = 0
        self.restarted: set[str] = set()
        self.ending = False

    def add_client(self, scheduler: Scheduler, client: str) -> None:
        self.clients += is_a_users(client)

    def remove_worker(self, scheduler: Scheduler, worker: str, **about: Any) -> None:
        self.died += str(about.get("stimulus_id")).startswith(LOST) and worker not in self.restarted

    def restart(self, scheduler: Scheduler) -> None:
        """Called when a client has all workers started anew."""
        self.restarted.update(scheduler.workers)

    async def before_close(self) -> None:
        """Called by the scheduler when it begins to end: what happens to workers from now on is no news."""
        self.ending = True
        with suppress(OSError):
            given = {"tasks_given": tasks_given(self.scheduler)}
            self.write({**(self.told or self.standing()), **self.counts(), **given})

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        # A full or slow disk must not end the cluster: the next time may do.
        with suppress(OSError):
            self.write_if_ready()

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        self.wake_job()  # the workload's, perhaps, which is about to end

    def write_if_ready(self) -> None:
        if not self.ready and len(self.scheduler.workers) >= MINIMUM:
            self.write(self.standing())
            state.tell("ready", self.scheduler.address)
            self.ready = True
            self.wake_job()

    def look(self) -> None:
        if self.ending:
            return
        if self.sees_job and job_is_gone():
            # The job's shell was killed and can no longer end anything; without a scheduler the workers end too.
            with suppress(OSError, ValueError), open(state.path("workload")) as file:
                os.killpg(int(file.read()), signal.SIGTERM)
            self.end = asyncio.ensure_future(self.scheduler.close())
            return
        with suppress(OSError):
            self.write_if_ready()
            self.write_if_changed()

    def write_if_changed(self) -> None:
        now, told = self.standing(), self.told
        if not told or has_changed(now, told) or time.monotonic() - self.told_at >= AT_LEAST:
            self.write(now)
            if told and lacks_workers(now) != lacks_workers(told):
                self.wake_job()

    def wake_job(self) -> None:
        """Tell the job's shell that there is news in state/, where it seldom looks by itself."""
        if self.sees_job and (shell := job_shell()) is not None:
            with suppress(ProcessLookupError):
                os.kill(int(shell), signal.SIGURG)

    async def hear(self) -> None:
        """RPC: there is news in control/, too."""
        self.wake_job()

    def write(self, standing: dict[str, Any]) -> None:
        document = {"schema": 1, "time": time.time(), "last": self.ending, **standing}
        state.tell("progress.json", json.dumps(document))
        self.told, self.told_at = standing, time.monotonic()

    def standing(self) -> dict[str, Any]:
        scheduler = self.scheduler
        metrics = [worker.metrics for worker in scheduler.workers.values()]
        dashboard = scheduler.services.get("dashboard")
        return {
            "address": scheduler.address,
            "dashboard": dashboard.port if dashboard else None,
            "workers": len(scheduler.workers),
            "threads": scheduler.total_nthreads,
            "tasks": Counter(task.state for task in scheduler.tasks.values()),
            "memory_bytes": sum(m.get("memory", 0) for m in metrics),
            "spilled_bytes": sum(m.get("spilled_bytes", {}).get("disk", 0) for m in metrics),
            "unsatisfiable": [] if GROWS else unsatisfiable(scheduler),
            **self.counts(),
        }

    def counts(self) -> dict[str, int]:
        """Since the scheduler began."""
        return {"clients": self.clients, "workers_died": self.died}


def tasks_given(scheduler: Scheduler) -> int | None:
    """How many tasks were given to workers so far; None: this version of Dask does not tell."""
    with suppress(AttributeError, TypeError, KeyError):
        return sum(prefix.state_counts["processing"] for prefix in scheduler.task_prefixes.values())
    return None


def unsatisfiable(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Tasks that ask for more of a resource than any worker has; workers that are still to come are like the others."""
    with suppress(AttributeError, TypeError):  # Dask promises these names to nobody
        sample = list(islice(scheduler.unrunnable, 0, None, 1 + len(scheduler.unrunnable) // SAMPLE))
        asked = Counter(tuple(sorted((task.resource_restrictions or {}).items())) for task in sample)
        there = [worker.resources for worker in scheduler.workers.values()]
        return [
            {"resources": dict(needs), "tasks": number * len(scheduler.unrunnable) // len(sample)}
            for needs, number in asked.items()
            if there and not any(all(has.get(name, 0) >= amount for name, amount in needs) for has in there)
        ]
    return []


def lacks_workers(standing: dict[str, Any]) -> bool:
    """Whether tasks wait, and there is no worker at all."""
    return standing["workers"] == 0 and any(standing["tasks"].get(state) for state in UNFINISHED)


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    progress = Progress(scheduler)
    scheduler.add_plugin(progress)
    scheduler.handlers[WAKE] = progress.hear
    with suppress(OSError):
        state.tell("python", f"{sys.executable} ({os.environ.get('HPC_LAUNCH_PYTHON_IS', 'that of the run')})\n")
        progress.write_if_ready()  # where no worker is waited for
    PeriodicCallback(progress.look, INTERVAL).start()


async def dask_teardown(scheduler: Scheduler) -> None:
    """Called by the scheduler when it ends: workers are sent home, also those who come just now.

    A worker that closes because its scheduler does leaves its nanny waiting for two seconds, and tracebacks in the log.
    """
    told: set[str] = set()
    give_up = time.monotonic() + GOODBYE
    while (scheduler.workers or worker_jobs_run()) and time.monotonic() < give_up:
        new = set(scheduler.workers) - told
        await send_home(scheduler, new)
        told |= new
        await asyncio.sleep(0.02 if scheduler.workers else 0.1)  # where none is left, it is files that are looked at


async def send_home(scheduler: Scheduler, workers: set[str]) -> None:
    """Tell their nannies to end them."""
    terminate = {"op": "terminate", "reason": "the run is over", "reply": False}
    if workers:
        with suppress(asyncio.TimeoutError):
            call = scheduler.broadcast(msg=terminate, workers=list(workers), nanny=True, on_error="ignore")
            await asyncio.wait_for(call, GOODBYE)


def worker_jobs_run() -> bool:
    """Whether workers of a job may be on their way: without a scheduler they would wait for it for minutes."""
    with suppress(OSError), os.scandir(state.path("elements")) as elements:
        return any(elements)
    return False
