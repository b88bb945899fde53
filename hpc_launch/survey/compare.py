"""A site profile against the live machine: what would be refused or never start, and what is merely different."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hpc_launch.batch.machine import LiveQueue
from hpc_launch.config.origin import KeyPath
from hpc_launch.models.site import Queue
from hpc_launch.survey.compare_environments import environments
from hpc_launch.survey.compare_host import differences_here
from hpc_launch.survey.findings import Comparison, Difference
from hpc_launch.units import MIB, format_memory, format_walltime


def compare(both: Comparison) -> list[Difference]:
    """Every difference, the grave ones first."""
    found = [*_whole(both), *_queues(both), *environments(both), *differences_here(both)]
    return sorted(found, key=lambda difference: not difference.grave)


def _whole(both: Comparison) -> Iterator[Difference]:
    site, machine = both.site, both.machine
    if site.detect.hostname and not re.fullmatch(site.detect.hostname, both.host.name):
        clause = f"is called {both.host.name}: is it the right machine?"
        yield both.differ(("detect", "hostname"), site.detect.hostname, clause, grave=False, by="this host")
    if site.detect.cluster and machine.cluster and site.detect.cluster != machine.cluster:
        yield both.differ(("detect", "cluster"), site.detect.cluster, f"says {machine.cluster}")
    if machine.array == 0 and site.arrays:
        yield both.differ(("arrays",), "true", "takes no arrays")
    elif machine.array is not None and site.arrays:
        yield from both.upper(("limits", "array"), site.limits.array, machine.array)
    if machine.submitted is not None:
        yield from both.upper(("limits", "submitted", "jobs"), site.limits.submitted.jobs, machine.submitted)
    for key, live in machine.running.items():
        shown = format_memory if key == "memory" else str
        yield from both.upper(("limits", "running", key), getattr(site.limits.running, key), live, shown)
    resource = site.memory.resource
    if resource and machine.resources is not None and resource not in machine.resources:
        known = ", ".join(sorted(machine.resources)) or "none"
        yield both.differ(("memory", "resource"), resource, f"has no such resource of memory; it has {known}")


def _queues(both: Comparison) -> Iterator[Difference]:
    if not both.names_queues:
        return
    live = {queue.name: queue for queue in both.machine.queues}
    for name, queue in both.site.queues.items():
        if name in live:
            yield from _queue(both, ("queues", name), queue, live[name])
        else:
            yield both.differ(("queues", name), "there is one", _absent(both, name))
    for name in live:
        if name in both.site.retired_queues:
            path: KeyPath = ("retired_queues", name)
            yield both.differ(path, both.site.retired_queues[name], "has a queue of this name", grave=False)
        elif name not in both.site.queues:
            yield both.differ(("queues", name), "", "has a queue of this name", grave=False)


def _absent(both: Comparison, name: str) -> str:
    """What is said of a queue that takes no jobs: there is none of the name, or why it takes none."""
    if why := both.machine.closed.get(name):
        return f"takes no jobs in it: {why}"
    known = ", ".join(queue.name for queue in both.machine.queues) or "none"
    return f"has no such queue that takes jobs; it has {known}"


def _queue(both: Comparison, path: KeyPath, queue: Queue, live: LiveQueue) -> Iterator[Difference]:
    if live.tells("walltime"):
        yield from both.upper((*path, "walltime"), queue.walltime, live.walltime, format_walltime)
    if live.tells("max_nodes"):
        yield from both.upper((*path, "max_nodes"), queue.max_nodes, live.max_nodes)
    if live.tells("default_walltime") and queue.default_walltime != live.default_walltime:
        said = format_walltime(queue.default_walltime) if queue.default_walltime else ""
        clause = f"says {format_walltime(live.default_walltime)}" if live.default_walltime else "says none"
        yield both.differ((*path, "default_walltime"), said, clause, grave=False)
    for name, limit in live.limits.items():
        yield from _limit(both, (*path, *name.split(".")), queue, limit)
    yield from _nodes(both, (*path, "nodes"), queue.nodes, live)
    yield from _size(both, (*path, "cores"), queue.cores, live.cores, str)
    # As plans do: a size in GB is never a whole number of the MiB that batch systems count.
    memory = None if queue.memory is None else queue.memory // MIB * MIB
    sizes = [size // MIB * MIB for size in live.memory]
    yield from _size(both, (*path, "memory"), memory, sizes, format_memory)
    if queue.largest.cores and live.cores:
        yield from both.upper((*path, "largest", "cores"), queue.largest.cores, live.cores[-1])
    if queue.largest.memory and sizes:
        most = queue.largest.memory // MIB * MIB
        yield from both.upper((*path, "largest", "memory"), most, sizes[-1], format_memory)
    if live.gpus is not None and (queue.gpus or 0) != live.gpus:
        yield from both.upper((*path, "gpus"), queue.gpus, live.gpus)
    if live.exclusive is not None and queue.exclusive != live.exclusive:
        clause = "gives jobs whole nodes" if live.exclusive else "shares nodes between jobs"
        yield both.differ((*path, "exclusive"), str(queue.exclusive).lower(), clause, grave=False)


def _limit(both: Comparison, path: KeyPath, queue: Queue, live: int) -> Iterator[Difference]:
    """A limit that is called as in a site profile; of one that is wanted at least, less than the machine's is grave."""
    said: Any = queue
    for key in path[2:]:
        said = getattr(said, str(key))
    shown = format_memory if path[-1] in ("memory", "max_memory", "max_user_memory") else str
    if path[2] != "least":
        yield from both.upper(path, said, live, shown)
    elif said != live:
        grave = said is not None and said < live
        yield both.differ(path, "" if said is None else shown(said), f"says {shown(live)}", grave)


def _nodes(both: Comparison, path: KeyPath, said: int | None, live: LiveQueue) -> Iterator[Difference]:
    if live.nodes is None or live.ready is None or said == live.ready:
        return
    out = [f"{node.name}: {node.out}" for node in live.nodes if node.out]
    which = f" ({', '.join(out[:3])}{f', and {len(out) - 3} more' if len(out) > 3 else ''})" if out else ""
    clause = f"has {live.ready} that take{'s' * (live.ready == 1)} jobs{which}"
    yield both.differ(path, "" if said is None else str(said), clause, said is not None and said > live.ready)


def _size(
    both: Comparison, path: KeyPath, said: int | None, live: Sequence[int], shown: Callable[[Any], str]
) -> Iterator[Difference]:
    """Of one node: more than the largest has is grave; between the smallest and that, some nodes have it."""
    if not live or said == live[0]:
        return
    smallest, largest = live[0], live[-1]
    has = f"says {shown(smallest)}" if smallest == largest else f"says {shown(smallest)} to {shown(largest)}"
    if said is not None and smallest < said <= largest:
        enough = sum(size >= said for size in live)
        has += f", so much on {enough} of {len(live)} nodes"
    yield both.differ(path, "" if said is None else shown(said), has, said is not None and said > largest)
