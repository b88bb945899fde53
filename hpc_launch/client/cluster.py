"""`HPCCluster`: a Dask cluster object that stands for a run, which lives in the batch system without it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed.core import Status, rpc
from distributed.deploy.cluster import Cluster

from hpc_launch import context
from hpc_launch.client.adaptivity import wished
from hpc_launch.client.companion import Companion
from hpc_launch.client.ending import end_run
from hpc_launch.client.endpoint import INSIDE, Endpoint, refuse_unless_reachable, run_directory, security_of
from hpc_launch.client.request import prepared
from hpc_launch.client.scaling import Scaling
from hpc_launch.client.shown import Shown
from hpc_launch.client.submission import submit_and_say
from hpc_launch.client.through import tunnel_to
from hpc_launch.client.waiting import looks, shown_here, wait_for_scheduler, why_queued
from hpc_launch.errors import UsageError
from hpc_launch.runs import describe, evidence
from hpc_launch.runs.demand import Unsatisfiable
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.pool_status import Pool
from hpc_launch.runs.services import Page

PENDING = 1.0
"""Seconds that the first await of an asynchronous object waits for a scheduler that may be there already."""

LOOK = 5.0
"""Seconds between two looks at how its worker jobs stand."""
ASK = 30.0
"""Seconds between two questions to the batch system, while some of them wait."""


class HPCCluster(Scaling, Shown, Cluster):  # type: ignore[misc]  # `adapt` knows other words
    """A Dask cluster in the batch system. Only `close()`, or leaving a `with`, ends a run that the object made.

    Args:
        profile: a file; its workload is not run.
        run: take up this run instead: its id, the beginning of one, or its directory.
        site: name or path of a site profile.
        asynchronous: for use in an event loop, with `await`. The first await does not wait for the queue.
        loop: as in Dask.
        wait: for the scheduler; left out: yes, but not with `asynchronous`.
        tunnel: go through ssh to the scheduler's node, or by way of the site's login host.
        shutdown_on_close: whether `close()` ends the run; left out: if the object made it.
        keys: of a profile, nested ones as mappings; or dask-jobqueue's words of one job. They win over the file's.
            Without any, and without a profile: the run that this process is part of, or else defaults alone.
    """

    def __init__(
        self,
        profile: str | os.PathLike[str] | None = None,
        *,
        run: str | os.PathLike[str] | None = None,
        site: str | None = None,
        asynchronous: bool = False,
        loop: Any = None,
        wait: bool | None = None,
        tunnel: bool = False,
        shutdown_on_close: bool | None = None,
        **keys: Any,
    ) -> None:
        self.context = context.current()
        nothing_said = profile is None and site is None and not keys
        makes = run is None and not (nothing_said and INSIDE in self.context.environment)
        if not makes and not nothing_said:
            raise UsageError("a run that is taken up is as it is: leave out the profile, the site and the keys")
        self._prepared = prepared(profile, site, keys, self.context) if makes else None
        if not makes:
            self._take_up(run_directory(self.context, run))
        self.shutdown_on_close = makes if shutdown_on_close is None else shutdown_on_close
        self._wait = not asynchronous if wait is None else wait
        self._page: Page | None = None
        self._pools: Mapping[str, Pool] = {}
        self._unsatisfiable: tuple[Unsatisfiable, ...] = ()
        self._why = ""
        self._wants_tunnel = tunnel
        self._tunnel: Companion | None = None
        self._keeper: Companion | None = None
        self._submission: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        name = self._prepared.plan.name if self._prepared else self.run
        super().__init__(asynchronous=asynchronous, loop=loop, quiet=True, name=name)
        if not asynchronous:
            self._begin_and_show()

    @classmethod
    def from_run(cls, run: str | os.PathLike[str] | None = None, **options: Any) -> HPCCluster:
        """Take up a run, from whichever process; left out: the one this process is part of, or the latest.

        Closing the object leaves the run alone. Options: `asynchronous`, `loop`, `wait`, `tunnel`, `shutdown_on_close`.
        """
        return cls(run=run_directory(context.current(), run), **options)

    def _take_up(self, directory: Path) -> None:
        self.directory, self.security, self.run = directory, security_of(directory), read_record(directory).id

    def _submit(self) -> None:
        """Submit what was prepared, if it was not yet."""
        if self._prepared is not None:
            directory, said = submit_and_say(self._prepared, self.context)
            self._prepared = None
            self._take_up(directory)
            self.name = self.run
            self._log(said)

    def _begin_and_show(self) -> None:
        found = None
        self._loop_runner.start()
        try:
            self._submit()
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
        if self._submission is not None:
            await self._submission
        steps = looks(self.directory)
        while found is None:
            step = await asyncio.to_thread(_next, steps)
            if isinstance(step, Endpoint):
                found = step
            else:
                self._why = describe.line(step)
        near = found
        if self._wants_tunnel:
            near, self._tunnel = await asyncio.to_thread(tunnel_to, found)
        else:
            await asyncio.to_thread(refuse_unless_reachable, found)
        self.scheduler_comm = rpc(near.address, connection_args=self.security.get_connection_args("client"))
        self._page, self._why = near.dashboard, ""
        self._adaptive = self._adaptive or await asyncio.to_thread(wished, self)
        await self._start()
        self._watching = asyncio.create_task(self._watch_pools())

    async def _watch_pools(self) -> None:
        """Keep up with what keeper and scheduler tell; while worker jobs wait, also with the batch system's reason."""
        ask_at = 0.0
        while self.status == Status.running:
            found = await asyncio.to_thread(evidence.read, self.directory)
            self._pools, self._unsatisfiable = found.pools, found.unsatisfiable
            if not any(pool.queued for pool in self._pools.values()):
                self._why = ""
            elif time.monotonic() >= ask_at:
                ask_at = time.monotonic() + ASK
                self._why = await asyncio.to_thread(why_queued, self.directory)
            await asyncio.sleep(LOOK)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            self._log(str(fault))
            self.status = Status.failed

    async def _arrive(self) -> HPCCluster:
        if self._connecting is None:
            self._submission = asyncio.create_task(asyncio.to_thread(self._submit))
            self._connecting = self._begin()
            await self._submission
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
        ends = self.shutdown_on_close and self.status not in (Status.closing, Status.closed)
        await self._disconnect()
        if ends and self._prepared is None:
            await asyncio.to_thread(end_run, self.directory, self._log)

    async def _disconnect(self) -> None:
        if self._submission is not None:  # what is about to be submitted can be ended only then
            await asyncio.wait([self._submission])
        self._adaptive = None  # what was asked for still holds
        self._page = None
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._watching is not None:
            self._watching.cancel()
        await super()._close()
        for companion in (self._keeper, self._tunnel):
            if companion is not None:
                await asyncio.to_thread(companion.close)

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
