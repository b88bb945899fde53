"""The queues of a draft, with what a sysadmin should know of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hpc_launch.batch.machine import LiveQueue, Machine, vouching
from hpc_launch.survey.draft_allowed import fits, is_known
from hpc_launch.survey.draft_lines import Line, absent, flow, line, remark
from hpc_launch.survey.draft_system import source
from hpc_launch.units import exact_memory, format_walltime

Lines = Iterator[Line]


def usable(machine: Machine) -> Mapping[str, LiveQueue]:
    """The queues that a site profile can name, by name."""
    return {queue.name: queue for queue in reversed(machine.queues) if is_known(("queues", queue.name), {})}


def queue_lines(machine: Machine) -> Lines:
    """`queues`; there must be some."""
    good = usable(machine)
    yield line("queues:", ", ".join(filter(None, (source(machine, "queues"), source(machine, "nodes")))))
    for queue in machine.queues:
        if queue is good.get(queue.name):
            yield from _queue(queue)
        elif queue.name in good:
            yield remark(f"{queue.name}: there is a second one of this name", indent=2)
        else:
            yield absent("queues", f"{queue.name!r}: no site profile can name it", indent=2)


def _queue(queue: LiveQueue) -> Lines:
    told = _told(queue)
    values = {key: value for key, value in told.items() if fits(("queues", queue.name, key), value)}
    yield Line(f"  {flow(queue.name)}: {flow(values)}")
    missing = [key for key in ("nodes", "cores", "memory") if key not in told]
    if missing:
        none = ": no node of it takes jobs just now" if queue.nodes else ""
        yield absent(f"queues.{queue.name}", f"{', '.join(missing)}{none}", indent=4)
    for key in (key for key in told if key not in values):
        yield absent(f"queues.{queue.name}", f"{key}: {told[key]} is more than can be written", indent=4)
    if not queue.tells("walltime"):
        yield absent(f"queues.{queue.name}", "walltime: the batch system does not tell the longest one", indent=4)
    elif not queue.walltime:
        yield remark("walltime: there is no longest one", indent=4)
    yield from (remark(each, indent=4) for each in (*_unlike(queue), *_out(queue), *queue.remarks))


def _told(queue: LiveQueue) -> Mapping[str, Any]:
    """The keys of a queue in a site profile: of unlike nodes the smallest, of nodes those that take jobs."""
    values = {
        "nodes": queue.ready,
        "cores": min(queue.cores, default=None),
        "memory": exact_memory(min(queue.memory)) if queue.memory else None,
        "largest": _largest(queue),
        "gpus": queue.gpus,
        "exclusive": queue.exclusive,
        "walltime": queue.walltime and format_walltime(queue.walltime),
        "default_walltime": queue.default_walltime and format_walltime(queue.default_walltime),
        "max_nodes": queue.max_nodes,
        **_limits(queue),
    }
    return {key: value for key, value in values.items() if value}


def _limits(queue: LiveQueue) -> Mapping[str, Any]:
    shown = {key: exact_memory(limit) if key.endswith("memory") else limit for key, limit in queue.limits.items()}
    least = {key.removeprefix("least."): limit for key, limit in shown.items() if key.startswith("least.")}
    return {**{key: limit for key, limit in shown.items() if not key.startswith("least.")}, "least": least}


def _largest(queue: LiveQueue) -> Mapping[str, Any]:
    """What the largest of unlike nodes has; nothing of that in which they are alike."""
    sizes = {"cores": [*queue.cores], "memory": [*queue.memory]}
    most = {key: each[-1] for key, each in sizes.items() if each and each[0] != each[-1]}
    return {key: exact_memory(size) if key == "memory" else size for key, size in most.items()}


def _unlike(queue: LiveQueue) -> Iterator[str]:
    if _largest(queue):
        yield "unlike nodes: workers are laid out for the smallest, a job may ask for what the largest has"
    gpus = sorted(node.gpus for node in vouching(queue.nodes or ()) if node.gpus is not None)
    if gpus and gpus[0] != gpus[-1]:
        counts = "the fewest count" if queue.gpus else "not on every node"
        yield f"unlike nodes: GPUs from {gpus[0]} to {gpus[-1]}; {counts}"


def _out(queue: LiveQueue) -> Iterator[str]:
    out = [f"{node.name} ({node.out})" for node in queue.nodes or () if node.out]
    if out:
        more = f" and {len(out) - 3} more" if len(out) > 3 else ""
        yield f"not counted, they take no jobs just now: {', '.join(out[:3])}{more}"
