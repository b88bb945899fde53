"""The queues of a draft, with what a sysadmin should know of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hpc_launch.batch.machine import LiveQueue, Machine
from hpc_launch.config.wording import printable
from hpc_launch.models.fields import Word
from hpc_launch.models.schema import schema_of
from hpc_launch.survey.yaml_lines import flow, line
from hpc_launch.units import exact_memory, format_walltime

Lines = Iterator[str]


def is_a(kind: Any, text: str | None) -> bool:
    """Whether a text can stand for a value of this kind in a site profile."""
    from pydantic_core import SchemaValidator

    return SchemaValidator(schema_of(kind)).isinstance_python(text)


def source(machine: Machine, *names: str) -> str:
    """The command that told the first of these that one told."""
    return next((machine.commands[name] for name in names if name in machine.commands), "")


def queue_lines(machine: Machine) -> Lines:
    good = [queue for queue in machine.queues if is_a(Word, queue.name)]
    asked = f"{source(machine, 'queues')}, {source(machine, 'nodes')}"
    yield line("queues:" if good else "queues: {default: {}}", asked)
    if not good:
        yield "  # not found: queues: none that takes jobs"
    for queue in machine.queues:
        if queue in good:
            yield from _queue(queue)
        else:
            yield f"  # not found: queues: {queue.name!r}: no directive can carry this name"


def _queue(queue: LiveQueue) -> Lines:
    values = queue_values(queue)
    remarks = [*_unlike(queue), *_out(queue), *queue.remarks]
    yield f"  {flow(queue.name)}: {flow(values)}"
    missing = [key for key in ("nodes", "cores", "memory") if key not in values]
    if missing:
        yield f"    # not found: queues.{flow(queue.name)}: {', '.join(missing)}" + (
            ": no node of it takes jobs just now" if queue.nodes else ""
        )
    if not queue.walltime:
        yield "    # walltime: there is no longest one"
    yield from (f"    # {printable(remark)[:200]}" for remark in remarks)


def queue_values(queue: LiveQueue) -> Mapping[str, Any]:
    """The keys of a queue in a site profile: of unlike nodes the smallest, of nodes those that take jobs."""
    values = {
        "nodes": queue.ready,
        "cores": min(queue.cores, default=None),
        "memory": exact_memory(min(queue.memory)) if queue.memory else None,
        "walltime": queue.walltime and format_walltime(queue.walltime),
        "default_walltime": queue.default_walltime and format_walltime(queue.default_walltime),
        "max_nodes": queue.max_nodes,
    }
    return {key: value for key, value in values.items() if value}


def _unlike(queue: LiveQueue) -> Iterator[str]:
    for what, sizes in (("cores", list(map(str, queue.cores))), ("memory", list(map(exact_memory, queue.memory)))):
        if len(set(sizes)) > 1:
            yield f"unlike nodes: {what} from {sizes[0]} to {sizes[-1]}; the smallest counts"


def _out(queue: LiveQueue) -> Iterator[str]:
    out = [f"{node.name} ({node.out})" for node in queue.nodes or () if node.out]
    if out:
        more = f" and {len(out) - 3} more" if len(out) > 3 else ""
        yield f"not counted, they take no jobs just now: {', '.join(out[:3])}{more}"
