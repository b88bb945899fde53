"""What several groups have to do with each other: tasks that more than one can run, and limits that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hpc_launch.keeper.elements import Element
from hpc_launch.keeper.target import wish_of
from hpc_launch.keeper.values import Adaptive, Demand, Fixed, Group, Run, Wish


def with_overflow(run: Run, wish: Wish, demand: Demand) -> Demand:
    """Tasks that are more than a group has workers for are wanted of the next one that adapts, and could run them."""
    wishes = {name: wish_of(wish, group) for name, group in run.groups.items()}
    wanted = dict(demand.wanted)
    for name, others in demand.elsewhere.items():
        other = next((each for each in others if isinstance(wishes.get(each), Adaptive)), None)
        if other is not None and name in wishes and (over := wanted.get(name, 0) - _most(wishes[name])) > 0:
            wanted[other] = wanted.get(other, 0) - (-others[other] * over // wanted[name])
            wanted[name] -= over
    return replace(demand, wanted=wanted)


def _most(wish: Fixed | Adaptive) -> int:
    return wish.workers if isinstance(wish, Fixed) else wish.maximum


def within_shared_limits(group: Group, run: Run, elements: Mapping[int, Element]) -> Group:
    """The group, allowed no more elements than others that share a limit with it leave."""
    limits = [] if group.most_elements is None else [group.most_elements]
    for limit in run.limits:
        if group.name in limit.groups:
            others = limit.groups - {group.name}
            limits.append(limit.elements - sum(each.alive and each.group in others for each in elements.values()))
    return replace(group, most_elements=max(0, min(limits))) if limits else group
