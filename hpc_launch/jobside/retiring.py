"""Elements on their way out: each is kept from new tasks, then its data move, then it closes. No task runs twice.

Dask's retiring does not wait for running tasks. It is called only when every worker of the element has confirmed that
it takes no more tasks, and two of its heartbeats since then have told that nothing runs: the first one may have been
under way already, and the result of a task comes by another connection than the heartbeat.

An element whose data have no room elsewhere closes all the same when its time is up. They are lost, and Dask computes
them anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from distributed.core import Status

from . import dask_private, room
from .elements import Leave
from .log import log

WAITING, MOVING, CLOSING = "waiting for tasks", "moving data", "closing"
TAKES_TASKS = (Status.running, Status.paused)
QUIET_HEARTBEATS = 2
STUCK = 60.0
"""Seconds without a piece of data moved, after which retiring is called off and begun anew."""
AGAIN = 2.0
"""Seconds between two attempts to move data or to pass tasks on."""
COMES_BACK = 60.0
"""Seconds in which a nanny has started a new worker in place of one that crashed."""


class Watched:
    """What is known of one worker since it was told to take no more tasks."""

    def __init__(self, worker: Any) -> None:
        self.server = worker.server_id
        self.confirmed = False
        self.last_seen = worker.last_seen
        self.quiet = 0

    def look(self, worker: Any) -> None:
        """Count heartbeats in a row, after the confirmation, that told of no running task."""
        if worker.executing or not self.confirmed:
            self.quiet = 0
        elif worker.last_seen != self.last_seen:
            self.quiet += 1
        self.last_seen = worker.last_seen


class Drain:
    """One element on its way out. ``step`` is called every half second or so and never waits."""

    def __init__(self, scheduler: Any, number: int, how: Leave) -> None:
        self.scheduler = scheduler
        self.number = number
        self.how = how
        self.since = time.monotonic()
        self.phase = WAITING
        self.held = False
        self.ended = False
        self.watched: dict[str, Watched] = {}
        self.call: asyncio.Task[Any] | None = None
        self.removals: list[asyncio.Task[Any] | None] = []
        self.data_bytes = 0
        self.keys_left = 0
        self.moved_at = 0.0
        self.fits_at = 0.0
        self.pass_at = 0.0
        self.gone_since: float | None = None

    def step(self, workers: Sequence[Any], promised: int) -> None:
        """Bring the element nearer to its end.

        ``workers`` are those of it that are connected now, ``promised`` the bytes of other elements that move just now.
        """
        now = time.monotonic()
        if not workers and self.call is None:
            self._notice_gone(now)
            return
        self.ended, self.gone_since = False, None
        self._keep_from_tasks(workers)
        if self.call is not None:
            self._attend_call(workers, now)
        elif self._is_quiet(workers) or self._grace_is_over(now):
            self._retire_if_it_fits(workers, promised, now)
        else:
            self.phase, self.held = WAITING, False
            self._pass_tasks_on(workers, now)

    def confirm(self, address: str, status: str) -> None:
        """A worker tells its status: also one that is not ours."""
        if (watched := self.watched.get(address)) and status == Status.closing_gracefully.name:
            watched.confirmed = True

    def call_off(self, workers: Sequence[Any]) -> None:
        """The element stays: whatever was begun is undone, and its workers take tasks again."""
        self.end_call()
        for worker in workers:
            if worker.status == Status.closing_gracefully and worker.address in self.watched:
                dask_private.tell(self.scheduler, worker, Status.running)

    def _keep_from_tasks(self, workers: Sequence[Any]) -> None:
        """Tell those that were not told yet: also a worker that has come back after a crash."""
        for worker in workers:
            watched = self.watched.get(worker.address)
            if watched is None or watched.server != worker.server_id or worker.status in TAKES_TASKS:
                watched = self.watched[worker.address] = Watched(worker)
            if worker.status in TAKES_TASKS:
                dask_private.tell(self.scheduler, worker, Status.closing_gracefully)
            watched.look(worker)
        for address in self.watched.keys() - {worker.address for worker in workers}:
            del self.watched[address]

    def _is_quiet(self, workers: Sequence[Any]) -> bool:
        return all(self.watched[worker.address].quiet >= QUIET_HEARTBEATS for worker in workers)

    def _grace_is_over(self, now: float) -> bool:
        return self.how.grace is not None and now >= self.since + self.how.grace

    def _pass_tasks_on(self, workers: Sequence[Any], now: float) -> None:
        if now < self.pass_at:
            return
        self.pass_at = now + AGAIN
        for worker in workers:
            if self.watched[worker.address].confirmed:
                dask_private.pass_on(self.scheduler, worker)

    def _retire_if_it_fits(self, workers: Sequence[Any], promised: int, now: float) -> None:
        if now < self.fits_at:
            return
        self.fits_at, self.moved_at = now + AGAIN, now
        data = list(dask_private.only_here(workers))
        self.data_bytes = sum(data)
        self.held = any(worker.actors for worker in workers) or not room.fits(
            data, free_memory(self.scheduler), promised
        )
        self.phase = MOVING if data or self.held else CLOSING
        if self.held and self.how.close_at is not None and time.time() >= self.how.close_at:
            self._close(workers)
        elif not self.held:
            addresses = [worker.address for worker in workers]
            self.call = asyncio.ensure_future(
                self.scheduler.retire_workers(workers=addresses, close_workers=True, remove=True)
            )

    def _close(self, workers: Sequence[Any]) -> None:
        self.phase, self.held, self.data_bytes = CLOSING, False, 0
        log.warning("hpc-launch: the time of element %d is up: what only it holds is computed anew", self.number)
        self.removals = [dask_private.remove(self.scheduler, worker) for worker in workers]

    def _attend_call(self, workers: Sequence[Any], now: float) -> None:
        """See how it goes: it hangs if the element does, and ends without effect if nobody can take the data."""
        assert self.call is not None
        left = sum(len(worker.has_what) for worker in workers)
        if left != self.keys_left:
            self.keys_left, self.moved_at = left, now
        if self.call.done():
            if not self.call.cancelled() and (fault := self.call.exception()):
                log.warning("hpc-launch: element %d could not be retired: %r", self.number, fault)
            self.held = bool(workers)
            self.phase = MOVING if workers else CLOSING
        if self.call.done() or now > self.moved_at + STUCK:
            self.end_call()

    def end_call(self) -> None:
        if self.call is not None and not self.call.done():
            self.call.cancel()
            dask_private.forget_retiring(self.scheduler, self.watched)
        self.call = None

    def _notice_gone(self, now: float) -> None:
        """It has ended if we sent it away; after a crash only when no new worker has come for a while."""
        self.held = False
        if self.gone_since is None:
            self.gone_since = now
        self.ended = self.ended or self.phase == CLOSING or now >= self.gone_since + COMES_BACK


def free_memory(scheduler: Any) -> list[int]:
    """Of each worker that can take over data."""
    return [room.free(worker.memory_limit, dask_private.used_bytes(worker)) for worker in scheduler.running]


class Retiring:
    """All elements that are to leave."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.drains: dict[int, Drain] = {}
        dask_private.hear(scheduler, self.confirm)

    def confirm(self, address: str, status: str) -> None:
        for drain in self.drains.values():
            drain.confirm(address, status)

    def step(self, wanted: Mapping[int, Leave], workers: Mapping[int, Sequence[Any]]) -> None:
        """One step for each element that is to leave; those that are no longer to leave are called back."""
        for number in self.drains.keys() - wanted.keys():
            self.drains.pop(number).call_off(workers.get(number, ()))
        for number, how in wanted.items():
            if number not in self.drains and number in workers:
                self.drains[number] = Drain(self.scheduler, number, how)
            if drain := self.drains.get(number):
                drain.how = how
                self._step_one(drain, workers.get(number, ()))

    def _step_one(self, drain: Drain, workers: Sequence[Any]) -> None:
        promised = sum(each.data_bytes for each in self.drains.values() if each.call is not None)
        try:
            drain.step(workers, promised)
        except Exception:  # the others go on, and this one tries again
            log.exception("hpc-launch: element %d", drain.number)

    def close(self) -> None:
        for drain in self.drains.values():
            drain.end_call()
