"""Start a Dask cluster on a supercomputer from a short profile, run a workload on it, and keep a record of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpc_launch.client.cluster import HPCCluster as HPCCluster
    from hpc_launch.client.connection import connect as connect

__version__ = "0.1.0"

_FOR_NOTEBOOKS = {"HPCCluster": "hpc_launch.client.cluster", "connect": "hpc_launch.client.connection"}
"""Where they stand; imported when they are asked for, since Dask comes with them."""


def __getattr__(name: str) -> Any:
    if name not in _FOR_NOTEBOOKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_FOR_NOTEBOOKS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_FOR_NOTEBOOKS])
