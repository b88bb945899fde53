"""All that we use of the Dask scheduler though Dask promises it to nobody; tried with distributed 2026.3 to 2026.8.

Where a version has it no more, the answer is the careful one (given in each function), and the log says so once.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Any, ParamSpec, TypeVar, cast

from distributed.core import Status

from .log import log

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
missed: set[str] = set()


def careful(answer: Any) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Give this answer where Dask has changed."""

    def wrap(function: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @functools.wraps(function)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            try:
                return function(*args, **kwargs)
            except (AttributeError, KeyError, TypeError, ImportError) as fault:
                if function.__name__ not in missed:
                    missed.add(function.__name__)
                    log.warning("hpc-launch: this version of Dask does not let us %s: %r", function.__name__, fault)
                return cast(Answer, answer)

        return guarded

    return wrap


@careful(False)
def tell(scheduler: Any, worker: Any, status: Status) -> bool:
    """Set a worker's status on both sides, as `Scheduler.retire_workers` does; False: it was not told."""
    stimulus = f"hpc-launch-{status.name}-{time.time()}"
    message = {"op": "worker-status-change", "status": status.name, "stimulus_id": stimulus}
    scheduler.stream_comms[worker.address].send(message)
    scheduler.handle_worker_status_change(status, worker, stimulus)
    return True


@careful(False)
def hear(scheduler: Any, heard: Callable[[str, str], None]) -> bool:
    """Call ``heard(address, status)`` whenever a worker confirms a status; False: nobody will be called."""
    usual = scheduler.stream_handlers["worker-status-change"]

    def also_heard(status: str, worker: str, stimulus_id: str) -> None:
        usual(status=status, worker=worker, stimulus_id=stimulus_id)
        heard(worker, status)

    scheduler.stream_handlers["worker-status-change"] = also_heard
    return True


@careful(None)
def duration_of(scheduler: Any, task: Any) -> float | None:
    """How long a task takes, by others of its prefix; None: unknown."""
    prefix = task.prefix
    if prefix.duration_average < 0 and prefix.max_exec_time <= 0:
        return None
    return float(scheduler._get_prefix_duration(prefix))


@careful(((), 0))
def queued(scheduler: Any, number: int) -> tuple[Collection[Any], int]:
    """Some of the tasks that wait for a free thread, and how many there are."""
    return list(islice(scheduler.queued, number)), len(scheduler.queued)


@careful(((), 0))
def unrunnable(scheduler: Any, number: int) -> tuple[Collection[Any], int]:
    """Some of the tasks that no worker can run now, from the first to the last, and how many there are."""
    every = max(1, len(scheduler.unrunnable) // number)
    return list(islice(scheduler.unrunnable, 0, None, every)), len(scheduler.unrunnable)


@careful(0.0)
def longest_task(scheduler: Any) -> float:
    """Seconds of the longest task, as far as heartbeats and averages can tell."""
    prefixes = scheduler.task_prefixes.values()
    return max((max(prefix.max_exec_time, prefix.duration_average, 0.0) for prefix in prefixes), default=0.0)


@careful(0)
def used_bytes(worker: Any) -> int:
    """Data of a worker, in memory and spilled, and what its process has held for long besides."""
    return max(int(worker.nbytes), 0) + int(worker._memory_unmanaged_old)


@careful(None)
def forget_retiring(scheduler: Any, addresses: Iterable[str]) -> None:
    """No more data are moved away from these workers: `retire_workers` leaves that behind when it is cancelled.

    A worker at the end of its lifetime has itself retired: of two such wishes both stay, for it waits for its own.
    """
    from distributed.active_memory_manager import RetireWorker

    policies = scheduler.extensions["amm"].policies
    for address in addresses:
        found = [each for each in policies if isinstance(each, RetireWorker) and each.address == address]
        if len(found) == 1:
            policies.discard(found[0])


@careful(None)
def remove(scheduler: Any, worker: Any) -> asyncio.Task[Any] | None:
    """Close a worker with all that it does and holds. No task counts it as a failure of its own; None: it stays."""
    stimulus = f"hpc-launch-remove-{time.time()}"
    removal = scheduler.remove_worker(worker.address, expected=True, close=True, stimulus_id=stimulus)
    task: asyncio.Task[Any] = asyncio.ensure_future(removal)
    return task


@careful(None)
def pass_on(scheduler: Any, worker: Any) -> None:
    """Have others do what this worker has not begun, as stealing does: the worker is asked, so nothing runs twice.

    Dask steals only from workers with more tasks than threads; a seceded task here could wait for these for ever.
    """
    stealing = scheduler.extensions["stealing"]
    for task in list(islice((each for each in worker.processing if each not in worker.executing), 100)):
        able = scheduler.valid_workers(task)
        others = (scheduler.running if able is None else able & scheduler.running) - {worker}
        if others and task not in worker.long_running:
            stealing.move_task_request(task, worker, min(others, key=load))


def load(worker: Any) -> float:
    return float(len(worker.processing) / max(1, worker.nthreads))


def only_here(workers: Iterable[Any]) -> Iterator[int]:
    """Size of each piece of data that no running worker but these holds, once."""
    leaving = set(workers)
    seen: set[Any] = set()
    for worker in leaving:
        for task in worker.has_what:
            if task not in seen and not any(
                holder not in leaving and holder.status == Status.running for holder in task.who_has or ()
            ):
                seen.add(task)
                yield max(0, task.nbytes)


@careful(True)
def valid_workers(scheduler: Any, task: Any) -> bool:
    """Whether any worker may run a task that is bound to some."""
    able = scheduler.valid_workers(task)
    return able is None or bool(able)
