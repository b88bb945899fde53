"""What the keeper can do, and what a decision is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpc_launch.keeper.elements import Element
from hpc_launch.keeper.memory import Memory
from hpc_launch.keeper.values import Adaptive, Fixed, Group, Retirement


@dataclass(frozen=True)
class Submit:
    """Submit `size` elements that hold `workers` together, as an array, or as a plain job if it is one."""

    group: str
    size: int
    workers: int


@dataclass(frozen=True)
class CallOff:
    """End elements that wait; that they are not wanted is written down first."""

    elements: frozenset[int]


@dataclass(frozen=True)
class End:
    """End elements that run, and are of no use."""

    elements: frozenset[int]
    why: str


@dataclass(frozen=True)
class Retire:
    """These and no others are to leave: the scheduler sends them away once their tasks are done and data moved."""

    elements: Mapping[int, Retirement]


Action = Submit | CallOff | End | Retire


@dataclass(frozen=True)
class Standing:
    """How a group stands: what `pool/status.json` tells of it."""

    group: Group
    wish: Fixed | Adaptive
    target: int
    present: int
    """Workers of elements that are there, or on their way, and are to stay."""
    elements: tuple[Element, ...]
    """Those that are not over."""
    paused: str | None
    """Why less is submitted than is wanted."""


@dataclass(frozen=True)
class Decision:
    actions: tuple[Action, ...]
    memory: Memory
    elements: Mapping[int, Element]
    groups: Mapping[str, Standing]
    changing: bool
    """Whether something is missing, too many, or on its way; otherwise nobody needs to look again soon."""
    again: float | None = None
    """When an element has to retire for its walltime: a look is needed then at the latest."""
