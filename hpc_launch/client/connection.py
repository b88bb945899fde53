"""`connect`: a Dask client of a run."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from distributed import Client

from hpc_launch import context
from hpc_launch.client.companion import Companion
from hpc_launch.client.endpoint import Endpoint, refuse_unless_reachable, run_directory, security_of
from hpc_launch.client.shown import link_to
from hpc_launch.client.through import tunnel_to
from hpc_launch.client.waiting import shown_here, wait_for_scheduler
from hpc_launch.runs.services import Page


class ThroughTunnel(Client):
    """A client whose scheduler is at the other end of an ssh, which ends with it."""

    tunnel: Companion | None = None
    page: Page | None = None

    @property
    def dashboard_link(self) -> str:
        return link_to(self.page)

    async def _close(self, fast: bool = False) -> None:
        await super()._close(fast)
        if self.tunnel is not None:
            await asyncio.to_thread(self.tunnel.close)


def connect(run: str | os.PathLike[str] | None = None, *, tunnel: bool = False, **options: Any) -> Client:
    """A Dask client of a run; while the run waits in the queue, it is shown where it stands.

    Args:
        run: its id, the beginning of one, or its directory; left out: inside a run that run, otherwise the latest.
        tunnel: go through ssh to the scheduler's node, or by way of the site's login host; it ends with the client.
        options: of `distributed.Client`.

    Raises:
        UsageError: there is no such run, it is over, or its directory is not yours alone.
        Unreachable: this host has no way to its scheduler.
    """
    directory = run_directory(context.current(), run)
    with shown_here() as show:
        found = wait_for_scheduler(directory, show)
    if tunnel:
        return _through_tunnel(found, options)
    refuse_unless_reachable(found)
    return Client(found.address, security=security_of(directory), **options)


def _through_tunnel(found: Endpoint, options: dict[str, Any]) -> Client:
    near, tunnel = tunnel_to(found)
    try:
        client = ThroughTunnel(near.address, security=security_of(found.directory), **options)
    except BaseException:
        tunnel.close()
        raise
    client.tunnel, client.page = tunnel, near.dashboard
    return client
