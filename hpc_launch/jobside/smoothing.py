"""How a demand that jumps becomes a target that does not. The standard library alone; no clock, no state of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

GROW_AFTER = 2
"""So many looks in a row must want more: tasks whose duration nobody knows yet make demand jump for a moment."""


def smoothed(target: int, looks: Sequence[int], wait_count: int) -> int:
    """The next target, from the present one and the demand in the latest looks, the newest last.

    It grows to the least that ``GROW_AFTER`` looks in a row have wanted, and shrinks to the most that the last
    ``wait_count`` ones have wanted. At most ``max(GROW_AFTER, wait_count)`` looks are needed.
    """
    newest_first = list(reversed(looks))
    more = list(takewhile(lambda wanted: wanted > target, newest_first))
    if len(more) >= GROW_AFTER:
        return min(more[:GROW_AFTER])
    fewer = list(takewhile(lambda wanted: wanted < target, newest_first))
    if len(fewer) >= wait_count:
        return max(fewer[:wait_count])
    return target
