"""The workers: how many on a node, with how much memory, and where they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hpc_launch.models.job import Share
from hpc_launch.models.plan import Reason, Reasons
from hpc_launch.models.profile import AUTO, Workers
from hpc_launch.models.site import ParallelEnvironment, Queue, Site
from hpc_launch.models.worker_group import Bounds, WorkerGroup
from hpc_launch.plan.node import usable_gpus, usable_memory
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, exact_memory

LEAST_MEMORY = 100 * MIB
"""Bytes that a worker is given unasked."""
START_TIMEOUT = 600
"""Seconds until enough workers are connected, where all of them are in one job (docs/contracts.md)."""
EVENLY = "spread evenly over as few nodes as hold all"
USUAL_THRESHOLDS = {
    "target": Fraction(6, 10), "spill": Fraction(7, 10), "pause": Fraction(8, 10), "terminate": Fraction(95, 100),
}  # fmt: skip
"""Dask's own (distributed.yaml)."""
LAST_SECONDS = 35
"""In which a worker whose tasks are done moves its data (`keeper.intervals`)."""
LONGEST_STAGGER = 300
"""Seconds. Workers that began together leave one after the other: their data has to move to those that stay."""


@dataclass(frozen=True)
class Beside:
    """What runs beside the workers, and is asked for on every node of their job."""

    shares: Sequence[Share]
    several_nodes: bool
    """Whether that job may have several nodes."""

    @property
    def cores(self) -> int:
        return sum(share.cores for share in self.shares)

    @property
    def memory(self) -> int:
        """In bytes."""
        return sum(share.memory_bytes for share in self.shares)


@dataclass(frozen=True)
class Lifetime:
    """After how many seconds workers leave by themselves."""

    seconds: int | None
    stagger: int | None = None

    @classmethod
    def until_walltime(cls, walltime: int, end_early: int, replaced: bool = False) -> Lifetime:
        """So that the last worker leaves before the batch system ends its job, and not all at the same moment.

        Dask adds up to plus or minus `stagger` to each worker's `seconds`. Where worker jobs are `replaced` the run's
        keeper has them leave before that, one job after the other: then this is for the worst case.
        """
        if replaced:
            return cls(walltime - min(LAST_SECONDS, walltime // 4), 0)
        stagger = min(LONGEST_STAGGER, walltime // 20)
        return cls(walltime - end_early - stagger, stagger)


def group(resolved: Resolved, queue: Queue, beside: Beside, lifetime: Lifetime) -> tuple[WorkerGroup, Reasons]:
    """All workers of the run, or of a group, of which the site is known to have a node for one."""
    workers, site = resolved.profile.workers, resolved.site
    memory = workers.memory or share_of_memory(resolved, queue, beside)
    assert memory is not None
    most = workers.per_node or most_per_node(resolved, queue, beside, memory)
    per_node = planned_per_node(resolved, most, beside)
    nodes = -(-workers.count // per_node)
    made = WorkerGroup(
        count=workers.count,
        per_node=per_node,
        nodes=nodes,
        on_last_node=workers.count - (nodes - 1) * per_node,
        threads=workers.threads,
        memory_bytes=memory,
        gpus=workers.gpus,
        resources=_resources(resolved),
        interface=interface(workers.interface, queue, site),
        local_directory=local_directory(workers.local_directory, site),
        spill=_spill(resolved),
        thresholds=thresholds_of(workers),
        lifetime_seconds=lifetime.seconds,
        lifetime_stagger_seconds=lifetime.stagger,
        death_timeout_seconds=workers.timeout or START_TIMEOUT,
        options=tuple(workers.options),
        adapt=_bounds(workers),
        at_once=workers.at_once,
        cores=workers.cores,
        imports=tuple(workers.imports),
    )
    return made, _reasons(resolved, made, "as many as fit by cores and memory" if per_node == most else EVENLY)


def planned_per_node(resolved: Resolved, most: int, beside: Beside) -> int:
    """Workers on each node but the last, where `most` may be: those of one job are spread over the fewest nodes.

    Not where a parallel environment divides the slots: one that fills host after host would give 96 + 4 of 100.
    """
    workers, environment = resolved.profile.workers, resolved.site.parallel_environments.nodes
    divides = environment is not None and environment.slots is None
    packed = min(workers.count or most, most)
    if workers.per_node or workers.spread == "packed" or not beside.several_nodes or divides:
        return packed
    nodes = -(-workers.count // packed)
    return -(-workers.count // nodes)


def _bounds(workers: Workers) -> Bounds | None:
    """Between which the number of workers adapts to the tasks."""
    if (given := workers.adapt) is None:
        return None
    maximum = workers.count if given.maximum is None else given.maximum
    return Bounds(given.minimum, maximum, given.interval, given.wait_count, given.target_duration)


def share_of(made: WorkerGroup) -> Share:
    """What the workers take of a node."""
    return Share("workers", made.per_node, made.cores_of_each, made.memory_bytes, made.gpus)


def _reasons(resolved: Resolved, made: WorkerGroup, per_node: str) -> Reasons:
    """Why the keys that were left open have the values that they have; so many workers are on a node for this."""
    lifetime: tuple[str | None, str] = (None, f"computed: none in {resolved.profile.layout}")
    if made.lifetime_seconds is not None:
        spread = f", ±{made.lifetime_stagger_seconds} s" if made.lifetime_stagger_seconds else ""
        leave = f"computed: leave in order before the walltime{spread}"
        lifetime = (f"{made.lifetime_seconds}s", leave)
    found = {
        "cores": Reason(made.cores_of_each, "computed: one for each thread"),
        "memory": Reason(exact_memory(made.memory_bytes), "computed: its cores' share of what a node can give"),
        "per_node": Reason(made.per_node, f"computed: {per_node}"),
        "interface": Reason(made.interface, resolved.said_by_site("network", "interface")),
        "local_directory": Reason(made.local_directory, resolved.said_by_site("storage", "local")),
        "lifetime": Reason(*lifetime),
    }
    if made.spill != "auto":
        found["spill"] = Reason(made.spill, resolved.said_by_site("storage", "local_kind"))
    return {(*resolved.workers_path, key): reason for key, reason in found.items()}


def interface(wanted: str, queue: Queue, site: Site) -> str | None:
    """The network interface to use; None: whatever Dask takes."""
    return (queue.interface or site.network.interface) if wanted == AUTO else wanted


def local_directory(wanted: str, site: Site) -> str:
    """Where workers spill to, and what is theirs alone."""
    return site.storage.local if wanted == AUTO else wanted


def free_memory(resolved: Resolved, queue: Queue, beside: Beside) -> Fraction | None:
    """Bytes of a node for its workers; None: nobody knows a node's memory."""
    memory = usable_memory(queue, resolved.site)
    return None if memory is None else memory * (1 - resolved.site.memory.headroom) - beside.memory


def share_of_memory(resolved: Resolved, queue: Queue, beside: Beside) -> int | None:
    """Bytes of a worker when the profile says nothing: its cores' share of a node; None: nobody knows."""
    free = free_memory(resolved, queue, beside)
    if free is None or queue.cores is None:
        return None
    return int(free * resolved.profile.workers.cores_of_each / queue.cores)


def most_per_node(resolved: Resolved, queue: Queue, beside: Beside, memory: int) -> int:
    """As many as fit by cores, memory and GPUs; at least one, so that the checks can say by how much it does not."""
    workers = resolved.profile.workers
    fits = [workers.count] if workers.count else []
    if queue.cores is not None:
        fits.append((queue.cores - beside.cores) // workers.cores_of_each)
    if (free := free_memory(resolved, queue, beside)) is not None:
        fits.append(int(free // memory))
    if workers.gpus and (gpus := usable_gpus(queue, resolved.site)) is not None:
        fits.append(gpus // workers.gpus)
    environments = resolved.site.parallel_environments
    most = max(1, _within_slots(environments.node, min(fits, default=1), beside, workers.cores_of_each))
    if beside.several_nodes and most < workers.count:
        most = _within_slots(environments.nodes, most, beside, workers.cores_of_each)
    return max(1, most)


def _within_slots(environment: ParallelEnvironment | None, most: int, beside: Beside, cores: int) -> int:
    """As many as fit where each host gives a fixed number of slots."""
    if environment is None or environment.slots is None:
        return most
    return min(most, (environment.slots - beside.cores) // cores)


def _resources(resolved: Resolved) -> dict[str, float]:
    """Dask's resources of each worker; its GPUs are one, under the name that Dask's own examples give them."""
    workers = resolved.profile.workers
    return {**({"GPU": float(workers.gpus)} if workers.gpus else {}), **workers.resources}


def thresholds_of(workers: Workers) -> dict[str, float | Literal[False]]:
    """Those that the profile says; `spill: true` says Dask's own."""
    said: dict[str, float | Literal[False]] = {}
    if workers.spill != "auto":
        said = {name: float(USUAL_THRESHOLDS[name]) if workers.spill else False for name in ("target", "spill")}
    return {
        **said,
        **{name: False if share is False else float(share) for name, share in workers.thresholds.given.items()},
    }


def _spill(resolved: Resolved) -> bool | Literal["auto"]:
    workers, storage = resolved.profile.workers, resolved.site.storage
    if workers.spill != "auto" or workers.local_directory != "auto" or storage.local_kind is None:
        return workers.spill
    return storage.local_kind == "disk"
