"""`HPCCluster`: a Dask cluster object that is a thin hand on a run, which lives in the batch system without it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from distributed.core import Status, rpc
from distributed.deploy.cluster import Cluster

from hpc_launch import context
from hpc_launch.client import amounts
from hpc_launch.client.adaptivity import Adaptivity
from hpc_launch.client.endpoint import Endpoint, refuse_unless_reachable, run_directory, security_of
from hpc_launch.client.waiting import looks, shown_here, wait_for_scheduler
from hpc_launch.errors import UsageError
from hpc_launch.runs import scale as scaling
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.look import look
from hpc_launch.runs.settle import View, settle

PENDING = 1.0
"""Seconds that the first await of an asynchronous object waits for a scheduler that may be there already."""


class HPCCluster(Cluster):
    """A Dask cluster in the batch system. Only `close()`, or leaving a `with`, ends a run that the object made.

    Args:
        run: take up this run: its id, the beginning of one, or its directory.
        asynchronous: for use in an event loop, with `await`. The first await does not wait for the queue.
        wait: for the scheduler; left out: yes, but not with `asynchronous`.
        shutdown_on_close: whether `close()` ends the run.
    """

    scheduler_comm: Any

    def __init__(
        self,
        *,
        run: str | os.PathLike[str] | None = None,
        asynchronous: bool = False,
        loop: Any = None,
        wait: bool | None = None,
        shutdown_on_close: bool = False,
    ) -> None:
        self.context = context.current()
        self.directory = run_directory(self.context, run)
        self.shutdown_on_close = shutdown_on_close
        self.security = security_of(self.directory)
        self._wait = not asynchronous if wait is None else wait
        self._connecting: asyncio.Task[None] | None = None
        super().__init__(asynchronous=asynchronous, loop=loop, quiet=True, name=read_record(self.directory).id)
        if not asynchronous:
            self._begin_and_show()

    @classmethod
    def from_run(cls, run: str | os.PathLike[str] | None = None, **options: Any) -> HPCCluster:
        """Take up a run, from whichever process; closing the object leaves it alone. Options as above."""
        return cls(run=run, **options)

    def _begin_and_show(self) -> None:
        found = None
        self._loop_runner.start()
        try:
            if self._wait:
                with shown_here() as show:
                    found = wait_for_scheduler(self.directory, show)
            self.sync(self._begin_with, found)
        except BaseException:  # also Ctrl-C: the run is left alone
            self.sync(self._disconnect)
            raise

    async def _begin_with(self, found: Endpoint | None) -> None:
        self._connecting = self._begin(found)
        if found is not None:
            await self

    def _begin(self, found: Endpoint | None = None) -> asyncio.Task[None]:
        """Go for the scheduler in the background."""
        task = asyncio.create_task(self._connect(found))
        task.add_done_callback(self._note_failure)
        return task

    async def _connect(self, found: Endpoint | None) -> None:
        steps = looks(self.directory)
        while not isinstance(found, Endpoint):
            found = await asyncio.to_thread(_next, steps)
        await asyncio.to_thread(refuse_unless_reachable, found)
        self.scheduler_comm = rpc(found.address, connection_args=self.security.get_connection_args("client"))
        await self._start()

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            self._log(str(fault))
            self.status = Status.failed

    async def _arrive(self) -> HPCCluster:
        if self._connecting is None:
            self._connecting = self._begin()
            if not self._wait:
                await asyncio.wait([self._connecting], timeout=PENDING)
                if not self._connecting.done():
                    return self
        await asyncio.shield(self._connecting)  # raises what came in the way
        return self

    def __await__(self) -> Generator[Any, Any, HPCCluster]:
        return self._arrive().__await__()

    async def __aenter__(self) -> HPCCluster:
        if self._connecting is None or self._wait:
            await self
        return self

    async def _watch_worker_status(self, comm: Any) -> None:
        """As long as the scheduler tells of its workers; then it is noticed that it is gone."""
        await super()._watch_worker_status(comm)
        if self.status == Status.running:
            self.status = Status.failed
            self.scheduler_info["workers"].clear()
            self._log(f"the scheduler of {self.name} is gone: `hpc-launch status {self.name}` tells why")

    async def _close(self) -> None:
        await self._disconnect()

    async def _disconnect(self) -> None:
        self._adaptive = None  # what was asked for still holds
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        await super()._close()

    def scale(
        self,
        n: int | None = None,
        *,
        jobs: int | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
        group: str | None = None,
    ) -> None:
        """Ask for so many workers, or as many as so many jobs, cores or so much memory hold.

        Raises:
            UsageError: the cluster is closed, the run over or of a layout that cannot grow.
        """
        self._ask_for(group, lambda chosen: amounts.fixed(chosen, n, jobs, cores, memory))
        self._adaptive = None

    def adapt(self, *, group: str | None = None, **words: Any) -> Adaptivity:  # type: ignore[override]
        """Ask for as many workers as the tasks need, from now on.

        Args:
            group: of these workers.
            words: `minimum` and `maximum` (workers), or `minimum_jobs`, `maximum_cores`, `maximum_memory` …;
                `interval` and `wait_count` as in Dask.
        """
        target = self._ask_for(group, lambda chosen: amounts.adaptive(chosen, **words))
        self._adaptive = Adaptivity(self, target)
        return self._adaptive

    def _ask_for(self, group: str | None, wanted: Callable[[scaling.Group], scaling.Target]) -> scaling.Target:
        if self.status in (Status.closing, Status.closed):
            raise UsageError(f"this object is closed: HPCCluster.from_run({self.name!r}) takes the run up again")
        view = self._look()
        chosen = scaling.group_of(view, group)
        scaling.ask_for(view, self.context, chosen, target := wanted(chosen))
        if self.status == Status.running and self.loop:
            self.loop.add_callback(self._poke)
        return target

    def _look(self) -> View:
        """At its files alone: the batch system may take long to answer."""
        return settle(look(self.directory, read_record(self.directory)))

    async def _poke(self) -> None:
        with suppress(OSError):  # then it is seen a little later
            await self.scheduler_comm.hpc_launch_poke()

    @property
    def scheduler(self) -> Any:
        """What is known of the scheduler: `scheduler.workers`, to be read."""
        return SimpleNamespace(address=self.scheduler_address, workers=MappingProxyType(self.scheduler_info["workers"]))

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> Any:
        return _taken_up, (str(self.directory),)


def _taken_up(directory: str) -> HPCCluster:
    """What a pickled object becomes in another process."""
    return HPCCluster.from_run(Path(directory), wait=False)


def _next(steps: Any) -> Any:
    return next(steps)
