"""Parts of the plan: scheduler, environment, workload, and how processes are started and people get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SchedulerPlan:
    """The Dask scheduler."""

    cores: int
    interface: str | None
    dashboard: Literal["loopback", "node", "none"]
    """Where the pages are served: on the first node for itself alone, for other hosts too, or nowhere."""
    idle_timeout_seconds: int | None
    """After which a standing cluster ends; None: the run has a workload."""
    port: int | None = None
    """None: any free one."""


@dataclass(frozen=True)
class ContainerPlan:
    """What everything runs in."""

    runtime: str
    image: str
    """A file, on its whole path, or an address."""
    binds: tuple[str, ...]
    given: str = ""
    """The image as the profile has it, for runtimes that know images by names."""


@dataclass(frozen=True)
class EnvironmentPlan:
    """What is loaded, set and run on each node before anything else."""

    modules: tuple[str, ...]
    conda: str | None
    venv: str | None
    python: str | None
    """The interpreter, where it is neither that of `conda` or `venv`, nor a question of PATH (`own_python`)."""
    container: ContainerPlan | None
    variables: Mapping[str, str]
    setup: str
    site_setup: str
    purge: bool = False
    module_path: tuple[str, ...] = ()
    own_python: str | None = None
    """The one that runs hpc-launch, where modules, variables or setup may put another one first on PATH."""
    python_is: str = ""
    """Which one it is, in words."""
    activates: bool = False
    """Whether a line of `setup` activates an environment."""
    conda_program: str | None = None
    """The conda of the shell in which hpc-launch runs, for nodes on which none is on PATH."""


@dataclass(frozen=True)
class WorkloadPlan:
    """The user's own command."""

    command: tuple[str, ...] | str | None
    """None: a standing cluster."""
    directory: str
    """Absolute, or starting with a variable that is expanded on the node."""


@dataclass(frozen=True)
class ParallelEnvironmentPlan:
    """How Grid Engine gives cores of one host or several."""

    name: str
    slots: int | None
    """On each host, where their number is fixed."""


@dataclass(frozen=True)
class LauncherPlan:
    """What starts processes on all nodes of a job."""

    kind: Literal["node", "mpi"]
    """One process per node, or MPI ranks."""
    name: str | None
    """Its template; None: the batch system's usual one."""
    options: tuple[str, ...]


@dataclass(frozen=True)
class AccessPlan:
    """How people reach the machine by ssh."""

    login: str | None = None
    jump: tuple[str, ...] = ()
    """Hosts on the way to it, the outermost first."""
    ssh_to_nodes: bool = True
