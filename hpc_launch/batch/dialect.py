"""What a batch system can say, and how: its facts, which its package states once and everybody else reads here.

Texts of scripts are templates: templates/directives/NAME.sh.j2 and templates/launchers/KIND/NAME.sh.j2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_origin, get_type_hints

LauncherKind = Literal["node", "mpi"]
"""One process on each node, or MPI ranks."""


@dataclass(frozen=True)
class Launcher:
    """What starts a job's processes on its nodes."""

    name: str
    """Of its template, and in site profiles."""
    most_nodes: int | None = None
    """None: any number."""
    needs_hosts: bool = False
    """Whether it has to be told the hosts (`Dialect.gives_hosts`)."""
    variables: tuple[str, ...] = ()
    """How variables begin that it reads, where it is started outside the run's environment."""
    command: str = ""
    """Its program; empty: that is called as it is."""

    @property
    def program(self) -> str:
        return self.command or self.name


HERE = Launcher("here", most_nodes=1)
SSH = Launcher("ssh", needs_hosts=True)
MPIEXEC = Launcher("mpiexec")
OPENMPI = Launcher("openmpi", command="mpirun")
IBRUN = Launcher("ibrun")
ANYWHERE: Mapping[LauncherKind, tuple[Launcher, ...]] = {"node": (HERE, SSH), "mpi": (MPIEXEC, OPENMPI, IBRUN)}
"""Launchers that belong to no batch system."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One batch system's. Shell text stands in scripts as it is."""

    submit_directory: str
    """Shell text: where the job was submitted from."""
    job_id: str
    """Shell text: the job's own id."""
    job_name: str
    """Shell text: the name that it was submitted under."""
    node_launchers: tuple[Launcher, ...]
    """The usual one first; all that go with it, but those that go `ANYWHERE`."""
    mpi_launchers: tuple[Launcher, ...]
    memory_directives: tuple[str, ...]
    """Ways of asking for memory, as in a site profile's `memory.directive`."""
    memory_units: tuple[str, ...] = ()
    """Units that a site may choose for them; none: its own is always written."""
    requests: tuple[str, ...] = ()
    """Ways of asking for cores and memory among which a site's `request` chooses, the usual one first."""
    optional: tuple[str, ...] = ()
    """What not every batch system of its kind takes: scripts say it where a site's `takes` names it."""
    memory_resource: bool = False
    """Whether it is asked for by a resource that each site calls as it likes."""
    submit_variables: tuple[str, ...] = ()
    """How variables begin that its submit command reads, or that it gives a job itself."""
    has_queues: bool = True
    """Whether a site must have queues."""
    between_queues: str | None = None
    """What stands between several queues, of which a job takes any; None: a job names one."""
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key → the options with which scripts say it: the one that they write first. Under "" those of no key."""
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key → options that nobody else may say, whether or not the scripts do, and that the key is to be set for."""
    reserved: tuple[str, ...] = ()
    """Such options for which there is no key."""
    mail_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Word of the key `mail.on` → what it is in an option's value: words or letters; or the options that say it."""
    gpu_options: tuple[str, ...] = ()
    """Options with which GPUs can be asked for: of a second one beside `workers.gpus` nobody knows which holds."""
    joined: tuple[str, ...] = ()
    """Options of which the last one alone holds, but that take several values with commas between: scripts say one."""
    whole_options: bool = False
    """Whether a value never stands directly behind an option of one dash."""
    constraint_pattern: str | None = None
    """What a constraint may be; None: as every site profile's."""
    constraint_words: str = ""
    """The same for people."""
    constraint_within: str | None = None
    """A pattern of the option's value, with the constraint in its first group; None: it is the value."""
    unused: tuple[str, ...] = ()
    """Keys of profiles for which it has no word: they are noted, not refused."""
    parallel_environments: bool = False
    """Whether jobs of several cores need one."""
    array_index: str | None = None
    """The variable with an element's number; None: it has no jobs that belong together."""
    first_index: int = 0
    """The first element's number."""
    holds_jobs: bool = False
    """Whether jobs that follow another are held until that one, once it runs, lets them go."""
    gives_hosts: bool = False
    """Whether `allocation` of its template sets the shell's array `hosts`."""
    tells_all_processes: bool = False
    """Whether its own cancel tells every process of a job that it is to end, not only the job's shell."""
    stdin: bool = False
    """Whether the submit command reads the script from its input, unless a site says otherwise."""
    exit_codes_taken: tuple[int, ...] = ()
    """Exit codes of a job that mean a wish to it."""

    def __post_init__(self) -> None:
        """A plug-in is not checked for types before it runs; raises TypeError, with the field."""
        for name, kind in get_type_hints(type(self)).items():
            value, held = vars(self)[name], get_origin(kind)
            rows = value.values() if isinstance(value, Mapping) else ()
            if not isinstance(value, held if held in (tuple, Mapping) else kind) or {*map(type, rows)} - {tuple}:
                raise TypeError(f"Dialect: {name} is {value!r:.60}, no {kind}")
        if not (self.node_launchers and self.mpi_launchers):
            raise TypeError("Dialect: node_launchers and mpi_launchers hold at least the usual one")

    def launcher(self, kind: LauncherKind, name: str | None = None) -> Launcher | None:
        """The launcher of this name, or the usual one; None: it does not go with this batch system."""
        own = {"node": self.node_launchers, "mpi": self.mpi_launchers}[kind]
        return next((each for each in (*own, *ANYWHERE[kind]) if name in (None, each.name)), None)

    @property
    def options(self) -> frozenset[str]:
        """All of which something is known here."""
        by_key = (option for options in (*self.said.values(), *self.instead.values()) for option in options)
        return frozenset((*by_key, *self.reserved, *self.gpu_options))

    def option(self, key: str) -> str | None:
        """The option with which scripts say a key, and which a site may reject; None: there is none."""
        return next(iter(self.said.get(key, ())), None)
