"""Parallel environments, where the batch system has them."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.site.places import count, dialect, mapping
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at
from hpc_launch.config.wording import dotted
from hpc_launch.errors import Problem

PLACE = "parallel_environments"


def fixed(document: Document) -> Iterator[Problem]:
    """A fixed number of slots on each host is none that no host has. Where a queue's cores are unknown, so is that."""
    queues = mapping(document, ("queues",))
    known = [most for queue in queues if (most := _cores(document, queue)) is not None]
    for kind in ("node", "nodes"):
        path = (PLACE, kind, "slots")
        slots = count(document, path)
        if slots is not None and known and len(known) == len(queues) and slots > max(known):
            cause = f"{dotted(path)}: {slots} is more than any queue has cores, {max(known)} at most"
            hint = "write the slots that it has on each host (its allocation_rule), or mend cores of the queues"
            yield Problem(cause, document.origins.get(path), hint)


def few(document: Document) -> Iterator[Problem]:
    """A doubt: a fixed number that leaves half of every host of every queue unused."""
    queues = mapping(document, ("queues",))
    known = [cores for queue in queues if (cores := count(document, ("queues", queue, "cores"))) is not None]
    for kind in ("node", "nodes"):
        path = (PLACE, kind, "slots")
        slots = count(document, path)
        if slots is not None and known and len(known) == len(queues) and slots * 2 <= min(known):
            cause = f"{dotted(path)}: {slots} slots on a host leave half of its {min(known)} cores unused, or more"
            hint = "name an environment that gives more of them, if there is one (allocation_rule: qconf -sp NAME)"
            yield Problem(cause, document.origins.get(path), hint)


def named(document: Document) -> Iterator[Problem]:
    """A doubt: without one, several slots are to be had on no host."""
    one, several = (at(document.data, (PLACE, kind)) is not None for kind in ("node", "nodes"))
    if one or not (known := dialect(document)) or not known.parallel_environments:
        return
    cause = f"{PLACE}.node: none is named, and no job on one host can have several slots"
    if not several:
        cause = f"{PLACE}: none is named, and only jobs of one slot can be had"
    origin = document.origins.get((PLACE,)) or document.origins.get(("batch_system",))
    yield Problem(cause, origin, f"name those of the site: {PLACE}: {{node: …, nodes: …}}")


def _cores(document: Document, queue: str) -> int | None:
    """Of the largest node that is known; None: unknown."""
    path = ("queues", queue)
    sizes = [count(document, (*path, "cores")), count(document, (*path, "largest", "cores"))]
    return max((size for size in sizes if size is not None), default=None)
