"""What one look of the scheduler's preload costs with many workers and tasks, which are simulated.

python benchmarks/look.py [WORKERS] [TASKS]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Scheduler
from distributed.core import Status
from distributed.scheduler import WorkerState

from hpc_launch.jobside import eyes
from hpc_launch.jobside.elements import Group, Known, Submission

LOOKS = 20
GIB = 2**30


def add_workers(scheduler: Any, number: int) -> list[WorkerState]:
    """Two workers on each node."""
    for index in range(number):
        worker = WorkerState(
            address=f"tcp://10.{index >> 16}.{index >> 8 & 255}.{index & 255}:4000",
            status=Status.running,
            pid=1,
            name=f"n-{index // 2}-{index // 2}-{index % 2}",
            nthreads=8,
            memory_limit=16 * GIB,
            local_directory="/tmp",
            nanny=None,
            server_id=str(index),
            scheduler=scheduler,
        )
        scheduler.workers[worker.address] = worker
        scheduler.running.add(worker)
    return list(scheduler.workers.values())


def add_tasks(scheduler: Any, workers: list[WorkerState], number: int) -> None:
    """A half waits, the others are spread over the workers; every hundredth wants a GPU; of ten kinds."""
    for index in range(number):
        waits = index % 2
        task = scheduler.new_task(f"kind{index % 10}-{index}", None, "waiting")
        task.prefix.duration_average = 1.0 + index % 10
        if index % 100 == 1:
            task.resource_restrictions = {"GPU": 1}
            scheduler.unrunnable[task] = 0.0
        elif waits:
            task.priority = (0, index)
            scheduler.queued.add(task)
        else:
            workers[index // 2 % len(workers)].processing.add(task)


def add_data(scheduler: Any, workers: list[WorkerState], number: int) -> None:
    for index in range(number):
        task = scheduler.new_task(f"data-{index}", None, "memory")
        task.set_nbytes(1000)
        scheduler.add_replica(task, workers[index % len(workers)])


def milliseconds(function: Callable[[], Any]) -> float:
    """The median of some looks."""
    times = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def known(workers: int) -> Known:
    groups = (Group("cpu", 8, {}), Group("gpu", 8, {"GPU": 1.0}))
    nodes = workers // 2
    return Known(groups, 30.0, (Submission("cpu", 0, nodes),), {number: f"n-{number}" for number in range(nodes)})


async def measure(workers: int, tasks: int) -> None:
    with tempfile.TemporaryDirectory() as run:
        scheduler: Any = Scheduler(dashboard=False, port=0)
        watch = eyes.Eyes(scheduler, run, str(Path(run) / "state"))
        watch.known = known(workers)
        there = add_workers(scheduler, workers)
        add_tasks(scheduler, there, tasks)
        busy = milliseconds(lambda: watch.look(watch.elements()))
        for worker in there:
            worker.processing.clear()
        add_data(scheduler, there, tasks)
        idle = milliseconds(lambda: watch.look(watch.elements()))
        step = milliseconds(lambda: watch.retiring.step({}, watch.elements()))
        print(
            f"{workers} workers, {tasks} tasks: {busy:.1f} ms; all of them idle, as many pieces of data: {idle:.1f} ms"
        )
        print(f"a step while an element leaves, each half second: {step:.1f} ms")


if __name__ == "__main__":
    asyncio.run(measure(*(int(word) for word in [*sys.argv[1:], 1000, 100_000][:2])))
