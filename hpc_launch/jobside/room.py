"""Whether data of workers that leave have room on those that stay. Plain numbers, in bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FULL = 0.6
"""Workers that take over data stay below this part of their limit: above it they spill, and in the end are killed."""
UNLIMITED = 2**62


def free(limit: int, used: int) -> int:
    """What one worker can take over; a limit of 0 is none."""
    return max(0, int(FULL * limit) - used) if limit else UNLIMITED


@dataclass
class Room:
    """What the workers that stay can take over, together; less and less as more elements are to leave."""

    free: int
    promised: int = 0

    def has_room(self, own_free: int, data: int) -> bool:
        """Whether an element can leave that holds so much data, and whose own free memory leaves with it."""
        return (not data and not self.promised) or self.free - own_free >= self.promised + data

    def leave(self, own_free: int, data: int) -> None:
        self.free -= own_free
        self.promised += data


def fits(objects: Iterable[int], free_memory: Iterable[int], promised: int = 0) -> bool:
    """Whether objects of these sizes fit into so much free memory, beside what is on its way there already.

    All of them together, and the largest one into one worker.
    """
    sizes, rooms = list(objects), list(free_memory)
    return not sizes or (sum(sizes) + promised <= sum(rooms) and max(sizes) <= max(rooms, default=0))
