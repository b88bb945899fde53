"""Several queues, any of which will do: what a job can count on wherever it starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hpc_launch.models.site import NodeSize, Queue


def smallest(queues: Sequence[Queue]) -> Queue:
    """One queue of which plans are made in place of all these: of each size the smallest that is known.

    What else a queue allows or wants is looked at in each of them (`checks.plan_on_site`), and what may not differ is
    refused where it does (`checks.several_queues`).
    """
    first, *others = queues
    if not others:
        return first
    return Queue().model_copy(
        update={
            "cores": _least(queue.cores for queue in queues),
            "memory": _least(queue.memory for queue in queues),
            "gpus": _gpus(queues),
            "largest": _largest(queues),
            "walltime": _least(queue.walltime for queue in queues),
            "qos": next((queue.qos for queue in queues if queue.qos), None),
            "interface": first.interface,
            "directives": first.directives,
        }
    )


def _least(sizes: Iterable[int | None]) -> int | None:
    return min((size for size in sizes if size is not None), default=None)


def _gpus(queues: Sequence[Queue]) -> int | None:
    """Where some queue names them, those that do not have none."""
    known = any(queue.gpus is not None for queue in queues)
    return min(queue.gpus or 0 for queue in queues) if known else None


def _largest(queues: Sequence[Queue]) -> NodeSize:
    """The smallest of the largest nodes."""
    cores = _least(queue.largest.cores or queue.cores for queue in queues)
    memory = _least(queue.largest.memory or queue.memory for queue in queues)
    return NodeSize().model_copy(update={"cores": cores, "memory": memory})
