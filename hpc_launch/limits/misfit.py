"""One thing of which a plan asks more than there is."""

from __future__ import annotations

from dataclasses import dataclass

from hpc_launch.errors import Problem
from hpc_launch.resolve import Resolved

Kind = tuple[str, ...]
"""What there is too little of, and where: two plans have the same fault if its kind is the same."""


@dataclass(frozen=True)
class Misfit(Problem):
    """A limit that is broken, and the keys of the profile that decide by how much."""

    kind: Kind = ()
    lower: tuple[str, ...] = ()
    """Keys of which a smaller number may mend it, the likeliest first."""
    higher: tuple[str, ...] = ()
    """Keys of which a larger one may."""


def where(queue: str | None, resolved: Resolved) -> str:
    """A queue in words, or this machine."""
    return f"queue {queue!r} of {resolved.site.name}" if queue else f"{resolved.site.name} (this machine)"
