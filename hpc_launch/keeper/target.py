"""How many workers of a group are wanted now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hpc_launch.keeper.memory import OfGroup
from hpc_launch.keeper.values import Adaptive, Demand, Fixed, Group, Wish

GROW_AFTER = 2
"""So many looks in a row must want more: tasks whose duration nobody knows yet make the demand jump for a moment."""


def wish_of(wish: Wish, group: Group) -> Fixed | Adaptive:
    """What is wanted of a group; as long as nobody has said otherwise, what the profile says."""
    return wish.targets.get(group.name) or group.adapt or Fixed(group.count)


def target(
    wish: Fixed | Adaptive, name: str, was: OfGroup, demand: Demand | None, present: int, now: float
) -> tuple[int, OfGroup]:
    """Workers wanted of the group with this name, and what is to be remembered of it."""
    if isinstance(wish, Fixed):
        return wish.workers, replace(was, target=None, wanted=())
    current = _within(wish, present if was.target is None else was.target)
    if demand is None or name not in demand.wanted or now < was.counted + wish.interval:
        return current, replace(was, target=current)
    length = max(GROW_AFTER, wish.wait_count)
    wanted = (*was.wanted, _within(wish, demand.wanted[name]))[-length:]
    current = settled(current, wanted, wish.wait_count)
    return current, replace(was, target=current, wanted=wanted, counted=now)


def settled(current: int, wanted: Sequence[int], wait_count: int) -> int:
    """The least that the latest looks agree on if they want more, the most of them if they want fewer."""
    latest = wanted[-GROW_AFTER:]
    if len(latest) == GROW_AFTER and min(latest) > current:
        return min(latest)
    latest = wanted[-wait_count:]
    if len(latest) == wait_count and max(latest) < current:
        return max(latest)
    return current


def is_settled(wish: Fixed | Adaptive, was: OfGroup) -> bool:
    """Whether nothing that was seen lately would change the target."""
    return isinstance(wish, Fixed) or all(wanted == was.target for wanted in was.wanted)


def _within(wish: Adaptive, workers: int) -> int:
    return max(wish.minimum, min(wish.maximum, workers))
