"""Loaded into Dask workers (``--preload``) where a site lets some ports alone through: of their pages none is served.

There are no such pages, but Dask has a port for them on loopback, any free one.

Dask loads it as a file, under the file's name, which is one that nobody else uses: a worker's process may be a new
Python, to which this directory is no package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Worker


async def dask_setup(worker: Worker) -> None:
    """Called by the worker when it starts (Dask's preload protocol)."""
    worker.http_server.stop()
