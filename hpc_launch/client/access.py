"""How people reach the pages of a run by ssh: from their own machines, and from a host of the machine itself."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from hpc_launch.errors import Problem, UsageError
from hpc_launch.models.plan_parts import AccessPlan


@dataclass(frozen=True)
class Forward:
    """A port of this host that leads to one of the machine."""

    local: int
    host: str
    """As the far end of ssh knows it."""
    port: int

    def words(self) -> list[str]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return ["-L", f"127.0.0.1:{self.local}:{host}:{self.port}"]


@dataclass(frozen=True)
class Way:
    """From somewhere to where a run's scheduler is."""

    jump: tuple[str, ...]
    """The outermost first."""
    host: str
    """Where ssh ends."""
    on_node: bool
    """Whether that is the scheduler's node."""

    def words(self, forwards: Sequence[Forward]) -> list[str]:
        """The command that holds these forwards."""
        by_way_of = ["-J", ",".join(self.jump)] if self.jump else []
        ports = [word for forward in forwards for word in forward.words()]
        return ["ssh", "-N", "-o", "ExitOnForwardFailure=yes", *ports, *by_way_of, self.host]


def way_from_outside(access: AccessPlan, node: str, submitted_on: str, user: str) -> Way:
    """From somebody's own machine.

    Args:
        access: what the site profile says.
        node: the scheduler's.
        submitted_on: taken for the login host where the site profile names none.
        user: their name on the machine.
    """
    login = _of_user(access.login or submitted_on, user)
    outer = tuple(_of_user(host, user) for host in access.jump)
    if not access.ssh_to_nodes or node == submitted_on:
        return Way(outer, login, node == submitted_on)
    return Way((*outer, login), _of_user(node, user), True)


def way_from_here(access: AccessPlan, node: str, submitted_on: str, user: str) -> Way:
    """From this host: straight to the node where its name is known, otherwise as from outside."""
    if access.ssh_to_nodes and _is_known(node):
        return Way((), node, True)
    return way_from_outside(access, node, submitted_on, user)


def refuse_loopback(way: Way, name: str) -> None:
    """Raise UsageError where something on loopback of the node is not reached on this way."""
    if not way.on_node:
        cause = f"{name} listens on loopback of its node, and users may not ssh to nodes here"
        hint = "Submit with `scheduler: {dashboard: node}`, which serves it over plain HTTP, behind the run's token."
        raise UsageError(Problem(cause, hint=hint))


def _of_user(host: str, user: str) -> str:
    return host if "@" in host else f"{user}@{host}"


def _is_known(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


def free_port() -> int:
    """One of this host that nobody listens on just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
