"""Telling a run's job that there is news for it in `control/`, where it seldom looks by itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hpc_launch.client.endpoint import PROBE_FOR, Endpoint, endpoint, security_of
from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs.settle import View


def wake_job(view: View) -> None:
    """Have the scheduler wake the job's shell. Where this host does not reach it, the job finds out by itself."""
    with suppress(OSError, asyncio.TimeoutError, HpcLaunchError):
        if found := endpoint(view):
            asyncio.run(asyncio.wait_for(_wake(found), PROBE_FOR))


async def _wake(found: Endpoint) -> None:
    from distributed import rpc

    arguments = security_of(found.directory).get_connection_args("client")
    async with rpc(found.address, connection_args=arguments) as scheduler:
        await scheduler.hpc_launch_wake()
