"""A real scheduler with the eyes in it, and real workers, in this process or in nannies' ones, on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, Scheduler, Worker

from hpc_launch.jobside import eyes

SETTINGS = {
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.pause": False,  # workers of this process have all of its memory
}
PATIENCE = 90
"""Seconds after which a test gives up; none takes so long where all is well."""


class Cluster:
    """A run directory, its scheduler, a client; elements are added and retired by number."""

    def __init__(self, run: Path, scheduler: Scheduler, client: Any, watch: eyes.Eyes, stack: AsyncExitStack) -> None:
        self.run, self.scheduler, self.client, self.eyes, self.stack = run, scheduler, client, watch, stack
        self.state = run / "state" / "1"
        self.elements: dict[int, list[Any]] = {}

    async def add(self, *numbers: int, kind: type = Worker, workers: int = 1, **options: Any) -> None:
        """Start elements of so many workers on the host ``n-1``."""
        for number in numbers:
            (self.state / "elements" / str(number)).write_text(f"n-1 {100 + number}\n")
            names = [f"n-1-{number}" if workers == 1 else f"n-1-{number}-{index}" for index in range(workers)]
            each = {"nthreads": 1, "memory_limit": 0, "local_directory": str(self.run / "local")} | options
            made = [kind(self.scheduler.address, name=name, **each) for name in names]
            self.elements[number] = list(await asyncio.gather(*map(self.stack.enter_async_context, made)))

    def submitted(self, file: int, group: str, first: int, size: int) -> None:
        self.write(f"{file}.json", {"group": group, "first": first, "size": size})

    def retire(self, *numbers: int, grace: float | None = None, close_at: float | None = None) -> None:
        how = {"grace_seconds": grace, "close_at": close_at}
        self.write("retire.json", {"elements": {str(number): how for number in numbers}})

    def write(self, name: str, document: dict[str, Any]) -> None:
        path = self.run / "pool" / name
        path.with_suffix(".new").write_text(json.dumps({"schema": 1, **document}))
        path.with_suffix(".new").replace(path)

    def told(self) -> dict[str, Any]:
        """What demand.json says now."""
        try:
            document: dict[str, Any] = json.loads((self.state / "demand.json").read_text())
        except FileNotFoundError:
            return {
                "draining": {},
                "ended": [],
                "groups": {},
                "held_by_data": [],
                "spare": [],
                "unknown_workers": 0,
                "rejoins": {},
            }
        return document

    async def until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until demand.json is as wanted."""
        give_up = time.monotonic() + PATIENCE
        while not condition(told := self.told()):
            assert time.monotonic() < give_up, told
            await asyncio.sleep(0.05)
        return told


def in_time(test: Coroutine[Any, Any, None]) -> None:
    """Run a test to its end; one that waits for what never comes fails."""
    asyncio.run(asyncio.wait_for(test, 2 * PATIENCE))


@asynccontextmanager
async def cluster_in(run: Path, kept: bool = True, /, **groups: dict[str, Any]) -> AsyncIterator[Cluster]:
    state = run / "state" / "1"
    (state / "elements").mkdir(parents=True)
    (run / "pool").mkdir()
    if kept:
        (run / "pool" / "lease").touch()
    usual = {"threads": 1, "resources": {}}
    groups = {name: usual | group for name, group in (groups or {"workers": {}}).items()}
    (run / "pool" / "groups.json").write_text(json.dumps({"schema": 1, "groups": groups}))
    async with AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(
            Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0")
        )
        watch = eyes.open_on(scheduler, str(run), str(state))
        client = await stack.enter_async_context(connected(scheduler.address))
        yield Cluster(run, scheduler, client, watch, stack)


def connected(address: str, name: str | None = None) -> Any:
    """A client of the test's own event loop."""
    return Client(address, asynchronous=True, name=name)  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HPC_LAUNCH_INTERVALS", "look=0.1,quiet=0.3")
    with dask.config.set(SETTINGS):
        yield
