"""`connect`: a Dask client of a run."""

from __future__ import annotations

import os
from typing import Any

from distributed import Client

from hpc_launch import context
from hpc_launch.client.endpoint import refuse_unless_reachable, run_directory, security_of
from hpc_launch.client.waiting import shown_here, wait_for_scheduler


def connect(run: str | os.PathLike[str] | None = None, **options: Any) -> Client:
    """A Dask client of a run; while the run waits in the queue, it is shown where it stands.

    Args:
        run: its id, the beginning of one, or its directory; left out: inside a run that run, otherwise the latest.
        options: of `distributed.Client`.

    Raises:
        UsageError: there is no such run, it is over, or its directory is not yours alone.
        Unreachable: this host has no way to its scheduler.
    """
    directory = run_directory(context.current(), run)
    with shown_here() as show:
        found = wait_for_scheduler(directory, show)
    refuse_unless_reachable(found)
    return Client(found.address, security=security_of(directory), **options)
