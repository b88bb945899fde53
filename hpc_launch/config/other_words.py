"""What batch systems, dask-jobqueue and other launchers call our keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

OURS: Final[Mapping[str, tuple[str, ...]]] = {
    "partition": ("queue",),
    "partitions": ("queues",),
    "project": ("account",),
    "n_workers": ("workers.count",),
    "nworkers": ("workers.count",),
    "num_workers": ("workers.count",),
    "processes": ("workers.per_node", "workers.count"),
    "nodes": ("workers.count", "workers.per_node"),
    "cores": ("workers.cores",),
    "cpus": ("workers.cores",),
    "ncpus": ("workers.cores",),
    "time": ("walltime",),
    "script": ("workload.command",),
    "env": ("environment.variables",),
    "cwd": ("workload.directory",),
    "job_script_prologue": ("environment.setup",),
    "job_extra_directives": ("directives",),
}
"""Their word → the keys that mean it; those that a document does not have are not told."""


def ours(word: str, parent: str, is_key: Callable[[str], bool]) -> tuple[str, ...]:
    """Which keys are meant by a word of others, written below `parent` ("" at the top); those near it first.

    Args:
        word: as it was written; upper case and dashes do not matter.
        parent: dotted.
        is_key: whether the document may have this dotted key.
    """
    meant = OURS.get(word.casefold().replace("-", "_"), ())
    beside = [f"{parent}.{name.rpartition('.')[2]}" for name in meant] if parent else []
    return tuple(filter(is_key, beside)) or tuple(filter(is_key, meant))
