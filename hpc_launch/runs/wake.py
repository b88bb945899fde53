"""Telling a run's job that there is news for it in `control/`, where it seldom looks by itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpc_launch.runs.settle import View

TIMEOUT = 3.0
"""Seconds. The scheduler answers at once, or this host does not reach it."""


def wake_job(view: View) -> bool:
    """Have the scheduler wake the job's shell; gives whether it did. Where it does not, the job finds out by itself."""
    address = view.evidence.progress.address if view.evidence.progress else None
    if address is None:
        return False
    with suppress(OSError, asyncio.TimeoutError, ImportError):
        tls = view.directory / "tls" if view.record.plan.security == "tls" else None
        asyncio.run(asyncio.wait_for(_wake(address, tls), TIMEOUT))
        return True
    return False


async def _wake(address: str, tls: Path | None) -> None:
    import distributed

    dask: Any = distributed  # it has no types of its own here
    credentials = dask.Security(
        require_encryption=tls is not None,
        tls_ca_file=tls and str(tls / "ca.pem"),
        tls_client_cert=tls and str(tls / "ca.pem"),
        tls_client_key=tls and str(tls / "key.pem"),
    )
    arguments = credentials.get_connection_args("client")
    async with dask.rpc(address, timeout=TIMEOUT, connection_args=arguments) as scheduler:
        await scheduler.hpc_launch_wake()
