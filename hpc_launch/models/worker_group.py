"""Workers of one kind, as planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""By which numerical libraries have threads of their own in each task."""
WORKERS: Final = "workers"
"""The group of all workers, where the profile has no groups: none of these has this name."""


@dataclass(frozen=True)
class Bounds:
    """Of a group that has as many workers as the tasks need; None: as the keeper and the scheduler do it unasked."""

    minimum: int
    maximum: int
    interval: int | None
    wait_count: int | None
    target_duration: int | None


@dataclass(frozen=True)
class WorkerGroup:
    """Workers that are alike."""

    count: int
    per_node: int
    nodes: int
    """Or elements of a job array, of one node each."""
    on_last_node: int
    """The last node, or element, holds what is left."""
    threads: int
    memory_bytes: int
    gpus: int
    """Of each worker."""
    resources: Mapping[str, float]
    interface: str | None
    local_directory: str
    spill: bool | Literal["auto"]
    """Whether they may unless their user has said so; auto: each node looks of what kind its local directory is."""
    lifetime_seconds: int | None
    lifetime_stagger_seconds: int | None
    """By so much, at most, each worker's lifetime differs; None: it counts from the worker's start, for all alike."""
    death_timeout_seconds: int
    options: tuple[str, ...]
    adapt: Bounds | None = None
    """None: their number is fixed."""
    thresholds: Mapping[str, float | Literal[False]] = field(default_factory=dict)
    """Of Dask's memory policy those that the profile says: shares of a worker's memory."""
    at_once: int | None = None
    """Elements that are submitted at one time, at most; None: any number."""
    cores: int | None = None
    """Asked for, for each worker, where the profile says it; None: one for each thread."""
    imports: tuple[str, ...] = ()
    """Modules that are imported once for all workers of a node."""

    @property
    def cores_of_each(self) -> int:
        """Asked for, for each worker."""
        return self.cores or self.threads

    @property
    def first_nodes(self) -> int:
        """Those that are submitted at first."""
        return self.nodes if self.at_once is None else min(self.nodes, self.at_once)

    @property
    def most_at_once(self) -> int:
        """Workers that may be there at one time."""
        most = max(self.count, self.adapt.maximum if self.adapt else 0)
        return most if self.at_once is None else min(most, self.at_once * self.per_node)

    @property
    def needs_keeper(self) -> bool:
        """Whether its worker jobs are not all submitted at first, or not all that there will be."""
        return self.adapt is not None or self.first_nodes < self.nodes


def script_of(stem: str, group: str) -> str:
    """The file of a group's own that is called so: `workers.sh`, or `workers-GROUP.sh`."""
    return f"{stem}.sh" if group == WORKERS else f"{stem}-{group}.sh"


def ends_before(walltime: int | None, run: int | None) -> bool:
    """Whether a worker job's walltime ends while its run may go on, which then needs another one in its place."""
    return walltime is not None and (run is None or walltime < run)
