"""Telling a run that there is news for it in `control/`, where it seldom looks by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from hpc_launch.client.endpoint import PROBE_FOR, Endpoint, endpoint, security_of
from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs.settle import View

Tell = Callable[[Any], Awaitable[None]]


def wake_job(view: View) -> None:
    """Have the scheduler wake the job's shell. Where this host does not reach it, the job finds out by itself."""
    _tell(view, _wake)


def tell_of_wish(view: View) -> None:
    """The same for the scheduler itself and the job's shell, which starts the run's keeper."""
    _tell(view, tell_scheduler_of_wish)


async def tell_scheduler_of_wish(scheduler: Any) -> None:
    """The same through a connection that is there, an `rpc`. Raises OSError."""
    await scheduler.hpc_launch_poke()
    await _wake(scheduler)


async def _wake(scheduler: Any) -> None:
    await scheduler.hpc_launch_wake()


def _tell(view: View, tell: Tell) -> None:
    with suppress(OSError, asyncio.TimeoutError, HpcLaunchError):
        if found := endpoint(view):
            asyncio.run(asyncio.wait_for(_tell_at(found, tell), PROBE_FOR))


async def _tell_at(found: Endpoint, tell: Tell) -> None:
    from distributed import rpc

    arguments = security_of(found.directory).get_connection_args("client")
    async with rpc(found.address, connection_args=arguments) as scheduler:
        await tell(scheduler)
