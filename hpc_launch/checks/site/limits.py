"""Limits that do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch import units
from hpc_launch.checks.site.places import count, mapping
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import dotted
from hpc_launch.errors import Problem


def submitted(document: Document) -> Iterator[Problem]:
    """Jobs that run are among those that are submitted."""
    for queue in mapping(document, ("queues",)):
        path = ("queues", queue, "max_submitted")
        most, running = count(document, path), count(document, ("queues", queue, "max_jobs"))
        if most is not None and running is not None and most < running:
            cause = f"{dotted(path)}: {most} is less than max_jobs, {running}, which could never run at once"
            hint = "queued and running jobs count together: write how many there may be of both, or leave one out"
            yield Problem(cause, document.origins.get(path), hint)


def largest(document: Document) -> Iterator[Problem]:
    """The largest of unlike nodes is no smaller than the usual one."""
    for queue in mapping(document, ("queues",)):
        for key, size in (("cores", count), ("memory", _memory)):
            path, usual = ("queues", queue, "largest", key), ("queues", queue, key)
            most, least = size(document, path), size(document, usual)
            if most is not None and least is not None and most < least:
                said, other = (at(document.data, place) for place in (path, usual))
                cause = f"{dotted(path)}: {said} is less than {key} of the queue, {other}"
                hint = f"{key}: what a usual node gives; largest: what the largest does. Swap them, or leave it out"
                yield Problem(cause, document.origins.get(path), hint)


def _memory(document: Document, path: KeyPath) -> int | None:
    """In bytes; None: there is none, or the schema tells what is wrong with it."""
    try:
        return units.parse_memory(at(document.data, path))
    except ValueError:
        return None
