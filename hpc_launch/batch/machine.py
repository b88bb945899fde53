"""What a live machine says of itself, in the words of every batch system alike. Plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """A node as one queue sees it: a queue may give less of a node than there is."""

    name: str
    cores: int | None = None
    """As the batch system counts them; None: it does not tell."""
    memory: int | None = None
    """Bytes that a job may ask for; None: it does not tell."""
    out: str = ""
    """Why it takes no jobs just now, in the batch system's words; empty: it takes them."""
    gpus: int | None = None
    """None: it does not tell."""


@dataclass(frozen=True)
class LiveQueue:
    """A queue that takes batch jobs. A limit that is None is not set, unless it is `unknown`."""

    name: str
    nodes: tuple[Node, ...] | None
    """None: which nodes belong to it cannot be told."""
    walltime: int | None = None
    """Seconds."""
    default_walltime: int | None = None
    """Seconds."""
    max_nodes: int | None = None
    exclusive: bool | None = None
    """Whether jobs get whole nodes; None: not known."""
    gpus: int | None = None
    """Of one node, see `gpus_of`; None: not known."""
    remarks: tuple[str, ...] = ()
    """What a sysadmin should know of it and no key of a site profile says."""
    unknown: tuple[str, ...] = ()
    """Of `walltime`, `default_walltime` and `max_nodes` those of which nobody here can tell that there is no limit."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Further ones, as a site profile's queues call them (`max_cores`, `least.cores` …); bytes, numbers."""

    def tells(self, limit: str) -> bool:
        """Whether a limit is known, or it is known that there is none."""
        return limit not in self.unknown or getattr(self, limit) is not None

    @property
    def ready(self) -> int | None:
        """How many nodes take jobs just now."""
        return None if self.nodes is None else sum(not node.out for node in self.nodes)

    @property
    def cores(self) -> tuple[int, ...]:
        """Of each of the `vouching` nodes of which it is known, the smallest first."""
        return tuple(sorted(node.cores for node in vouching(self.nodes or ()) if node.cores))

    @property
    def memory(self) -> tuple[int, ...]:
        """The same in bytes."""
        return tuple(sorted(node.memory for node in vouching(self.nodes or ()) if node.memory))


def vouching(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes whose sizes count: those that take jobs; where none does just now, all."""
    return [node for node in nodes if not node.out] or nodes


def gpus_of(nodes: Sequence[Node]) -> int | None:
    """GPUs of one node: the fewest where each of the `vouching` nodes has some, 0 where none has; else not known."""
    numbers = [node.gpus for node in vouching(nodes)]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    return min(known) if all(known) or not any(known) else None


@dataclass(frozen=True)
class Environment:
    """A parallel environment."""

    one_host: bool
    slots: int | None = None
    """A fixed number on each host."""
    starts_elsewhere: bool = True
    """Whether a job may start processes on its other hosts (sge_pe(5), control_slaves)."""
    queues: frozenset[str] = frozenset()
    """Those that give it to jobs."""


@dataclass(frozen=True)
class Said:
    """A value for a key of a site profile, and how it was learnt."""

    key: tuple[str, ...]
    value: Any
    source: str
    """The command that told it, or why it was chosen."""


@dataclass(frozen=True)
class Machine:
    """A whole machine."""

    batch_system: str
    """As in a site profile."""
    version: str
    """As it says it itself; empty: it does not."""
    queues: tuple[LiveQueue, ...]
    commands: Mapping[str, str]
    """`queues`, `nodes`, `config` → the command that told it, as typed."""
    queue_option: str
    """The directive that names a queue: where a site rejects it, names of queues mean nothing."""
    cluster: str | None = None
    default_queue: str | None = None
    default_reason: str = ""
    """Why this one was chosen, where the batch system names none; empty: it does."""
    closed: Mapping[str, str] = field(default_factory=dict)
    """Queues that take no jobs of users → why, in the batch system's words."""
    array: int | None = None
    """Elements of one array; 0: there are no arrays; None: not known."""
    submitted: int | None = None
    """Jobs that a user may have at once."""
    running: Mapping[str, int] = field(default_factory=dict)
    """What a user may have at once, as a site profile's `limits.running`: `jobs`, `cores`, `memory` in bytes."""
    limits_source: str = ""
    """The command that told of `submitted` and `running`; empty: the one for `config`."""
    qos: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Quality of service → `cores` and `jobs` that one user may have at once, where it limits them."""
    environments: Mapping[str, Environment] | None = None
    """Parallel environments that a queue gives; None: a batch system without such things."""
    resources: frozenset[str] | None = None
    """Names by which memory can be asked for; None: a batch system where it needs no name."""
    mpi: tuple[tuple[str, str], ...] = ()
    """Launchers for MPI, the likeliest first, each with the program that it needs on PATH."""
    more: tuple[Said, ...] = ()
    """Values for further keys."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Key → why no value for it was found."""

    def said(self, *key: str) -> Said | None:
        """What it says for a key of `more`."""
        return next((each for each in self.more if each.key == key), None)


def clock(text: str) -> int | None:
    """Seconds of `[D-][[HH:]MM:]SS`; None where there is no such number: no limit (UNLIMITED, INFINITY, NONE, `-`)."""
    found = re.fullmatch(r"(?:(\d{1,6})-)?(?:(?:(\d{1,9}):)?(\d{1,9}):)?(\d{1,12})", text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) or None


def count(text: str) -> int | None:
    """A number of something; None where there is none."""
    return int(text) if re.fullmatch(r"\d{1,15}", text.strip()) else None
