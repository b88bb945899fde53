"""What one node of a queue has, as far as jobs may ask for it."""

from __future__ import annotations

from fractions import Fraction

from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import BATCH_UNITS, MIB


def headroom(resolved: Resolved) -> Fraction:
    """Share of a node's memory that workers leave to everything else; none in a job without workers."""
    return resolved.site.memory.headroom if resolved.profile.has_workers else Fraction(0)


def memory_grain(site: Site, cores: int) -> int:
    """Bytes in whose multiples memory can be asked for on a node of which so many cores (slots) are asked for."""
    unit = max(MIB, BATCH_UNITS.get(site.memory.unit or "", MIB))
    return unit * cores if site.memory.directive in ("per-cpu", "per-slot") else unit


def usable_memory(queue: Queue, site: Site) -> int | None:
    """Bytes of a node, of the smallest, that can be asked for; None: nobody knows."""
    return _usable(queue.memory, queue.cores, site)


def most_memory(queue: Queue, site: Site) -> int | None:
    """The same of the largest."""
    return _usable(queue.largest.memory or queue.memory, queue.largest.cores or queue.cores, site)


def _usable(memory: int | None, cores: int | None, site: Site) -> int | None:
    """Batch systems count whole MiB, on some sites for each core."""
    if memory is None:
        return None
    grain = memory_grain(site, cores or 1)
    return memory // grain * grain


def usable_gpus(queue: Queue, site: Site) -> int | None:
    """GPUs of a node; None: nobody knows. A site that names them for some queues has none in the others."""
    known = any(other.gpus is not None for other in site.queues.values())
    return 0 if queue.gpus is None and known else queue.gpus
