"""Watches the worker jobs of a run that can grow, from inside the Dask scheduler.

Tells the keeper in ``state/N/demand.json`` what is wanted and what can be spared, and retires the elements that
``pool/retire.json`` names. It decides nothing else. Without a keeper it writes only what people are told of groups.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin
from tornado.ioloop import PeriodicCallback

from . import dask_private, report
from .elements import Known
from .pool_files import Files, Reader
from .retiring import Retiring

STEP = 0.5
SOON, LATER = 120.0, 60.0
"""For so long files are read at each look for a worker whose element is not known, then once in so many seconds: it may
be none of ours, or a file system has been slow."""
POKE = "hpc_launch_poke"


class Eyes(SchedulerPlugin):
    """What is known of this run's workers, and what is told of them."""

    name = "hpc-launch-eyes"

    def __init__(self, scheduler: Any, run: str, state: str) -> None:
        self.scheduler = scheduler
        self.known = Known()
        self.names: dict[str, int] = {}
        self.came: set[str] = set()
        self.rejoins: Counter[int] = Counter()  # by element, since it last finished a task
        self.finished: Counter[str] = Counter()  # tasks, by the names of workers
        self.unresolved: dict[str, float] = {}  # name of a worker whose element or group is not known → since when
        self.look_up_at = 0.0
        self.longest_task = 0.0
        self.retiring = Retiring(scheduler)
        self.files = Files(Reader(run, state), f"{state}/demand.json", asyncio.get_running_loop(), self.take)
        self.look_every = self.files.look_every
        self.look_at = 0.0
        self.told: dict[str, Any] = {}
        self.step_callback = PeriodicCallback(self.turn, 1000 * min(STEP, self.look_every))

    async def before_close(self) -> None:
        """Called by the scheduler when it begins to end; nothing is waited for."""
        self.step_callback.stop()
        self.retiring.close()

    async def poke(self) -> str:
        """RPC: the files are looked at now, and ``demand.json`` is written though nothing may have changed.

        A keeper may begin soon.
        """
        self.look_at, self.told = 0.0, {}
        self.files.expect_keeper()
        return "OK"

    def add_worker(self, scheduler: Any, worker: str) -> None:
        name = str(scheduler.workers[worker].name)
        if (number := self.element_of(name)) is None:
            self.files.poke()
        elif name in self.came:
            self.rejoins[number] += 1
        self.came.add(name)

    def transition(self, key: Any, start: Any, finish: Any, *args: Any, **kwargs: Any) -> None:
        """A task has changed; those that a worker has finished are counted."""
        done = start == "processing" and finish == "memory"
        if done and (worker := self.scheduler.workers.get(kwargs.get("worker"))) is not None:
            self.finished[name := str(worker.name)] += 1
            self.rejoins.pop(self.names.get(name, -1), None)

    def take(self, known: Known) -> None:
        """The files have told this."""
        if self.files.unresolved:
            self.look_up_at = time.monotonic() + LATER
        if known != self.known:
            self.known, self.look_at = known, 0.0
        self.turn()

    def element_of(self, name: str) -> int | None:
        """The element of a worker."""
        number = self.names.get(name)
        if number is None and (number := self.known.element_of(name)) is not None:
            self.names[name] = number
        return number

    def elements(self) -> dict[int, list[Any]]:
        """The workers of each element that has any."""
        found: dict[int, list[Any]] = defaultdict(list)
        unresolved: dict[str, float] = {}
        now = time.monotonic()
        for worker in self.scheduler.workers.values():
            number = self.element_of(name := str(worker.name))
            if number is not None:
                found[number].append(worker)
            if number is None or self.known.group_of(number) is None:
                unresolved[name] = self.unresolved.get(name, now)
        self.unresolved = unresolved
        late = bool(unresolved) and now >= self.look_up_at
        self.files.unresolved = late or any(now < since + SOON for since in unresolved.values())
        return found

    def turn(self) -> None:
        """A step for each element that leaves; now and then a look at everything."""
        now = time.monotonic()
        if not self.known.retire and not self.retiring.drains and now < self.look_at:
            return
        elements = self.elements()
        self.retiring.step(self.known.retire, elements)
        if now >= self.look_at:
            self.look_at = now + self.look_every
            self.look(elements)

    def look(self, elements: dict[int, list[Any]]) -> None:
        self.longest_task = max(self.longest_task, dask_private.longest_task(self.scheduler))
        document = report.document(self, elements)
        if not self.files.kept:
            document = report.for_people(document)
        leaving = any(not drain.ended for drain in self.retiring.drains.values())
        changed, self.told = document != self.told, document
        self.files.changing = changed or leaving or self.files.unresolved
        self.files.offer({"schema": 1, "time": time.time(), **document}, at_once=changed)


def open_on(scheduler: Any, run: str, state: str) -> Eyes:
    """Begin to watch; raises nothing that a file system says."""
    eyes = Eyes(scheduler, run, state)
    scheduler.add_plugin(eyes)
    scheduler.handlers[POKE] = eyes.poke
    eyes.files.start()
    eyes.step_callback.start()
    return eyes
