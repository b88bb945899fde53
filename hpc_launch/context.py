"""The outside world, looked at once: everything from load to render depends on this and on the files alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hpc_launch.batch.account import account


@dataclass(frozen=True)
class Context:
    """What a plan may depend on besides the profile and the site profile."""

    directory: Path
    """Where the command was given."""
    home: Path
    environment: Mapping[str, str]
    hostname: str
    user: str
    cores: int
    """Of this machine, as many as this process may use."""
    memory_bytes: int
    """Of this machine, or of the container it is in."""
    interpreter: str
    """The Python that runs hpc-launch."""
    cluster_name: Callable[[str], str | None] = field(default=lambda system: None, compare=False)
    """What a batch system, if it is here, calls this cluster. It is asked only when nothing else tells the site."""

    @property
    def configuration(self) -> Path:
        """The user's own configuration directory."""
        return self._base("XDG_CONFIG_HOME", ".config")

    @property
    def variables(self) -> dict[str, str]:
        """What stands for names in paths that are expanded here."""
        return {**self.environment, "HOME": str(self.home), "USER": self.user}

    @property
    def state(self) -> Path:
        """Where the index of the user's runs is kept."""
        return self._base("XDG_STATE_HOME", ".local/state")

    def _base(self, variable: str, usual: str) -> Path:
        # The XDG base directory specification: a relative path in these variables is to be ignored.
        given = self.environment.get(variable, "")
        return (Path(given) if given.startswith("/") else self.home / usual) / "hpc-launch"


def current() -> Context:
    """The context of this process."""
    return Context(
        directory=Path.cwd(),
        home=Path.home(),
        environment=dict(os.environ),
        hostname=hostname(),
        user=account().name,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=_memory(),
        interpreter=sys.executable,
        cluster_name=_cluster_name,
    )


def hostname() -> str:
    """Of this machine, as `socket.gethostname` says it, whose module takes a while to import."""
    return os.uname().nodename


def _cluster_name(system: str) -> str | None:
    from hpc_launch import batch
    from hpc_launch.errors import HpcLaunchError

    try:
        return batch.get(system).cluster_name()
    except HpcLaunchError:  # a site of a batch system from outside that is not installed here
        return None


def _memory() -> int:
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [physical]
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(name).read_text()))
        except (OSError, ValueError):  # no such control group, or no limit ("max")
            continue
    return min(limits)
