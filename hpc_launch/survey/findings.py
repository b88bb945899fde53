"""What may come of comparing one key of a site profile with the live machine, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hpc_launch.batch.machine import Machine
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.wording import dotted, printable
from hpc_launch.models.site import Site
from hpc_launch.survey.host import Host, is_a_node
from hpc_launch.survey.scratch import Scratch


@dataclass(frozen=True)
class Difference:
    """One key on which the two do not agree."""

    key: str
    said: str
    """What the profile says, as people write it; empty: nothing."""
    live: str
    """What the machine says, a clause."""
    system: str
    """Who said that."""
    origin: Origin | None
    grave: bool
    """Jobs would be refused or never start; else the profile says less than there is, or what no job fails by."""

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        return f"{self.key}: the profile says {self.said or 'nothing'}{where}, {self.system} {self.live}"


@dataclass(frozen=True)
class NotCompared:
    """Something that the profile says, and of which nobody here could tell whether it is so."""

    key: str
    why: str
    origin: Origin | None

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        return f"{self.key}{where}: not compared: {self.why}"


@dataclass(frozen=True)
class Comparison:
    """The two, and how a difference between them is made."""

    site: Site
    document: Document
    machine: Machine
    host: Host
    local: Scratch | None = None
    """What this host has at the profile's `storage.local`; None where it names a variable of jobs."""
    runs: Scratch | None = None
    """The same of `storage.runs`."""

    @property
    def on_a_node(self) -> bool:
        """Whether this host is a compute node of the machine: then what it has, jobs have."""
        return is_a_node(self.host, self.machine)

    @property
    def names_queues(self) -> bool:
        """Whether jobs name a queue here: else its name and limits are nobody's."""
        return self.machine.queue_option not in self.site.rejects

    def differ(self, path: KeyPath, said: str, live: str, grave: bool = True, by: str = "") -> Difference:
        origin = self.document.origins.get(path) if said else None
        system = by or self.machine.batch_system
        return Difference(dotted(path), printable(said), printable(live), system, origin, grave)

    def upper(
        self, path: KeyPath, said: int | None, live: int | None, shown: Callable[[int], str] = str
    ) -> Iterator[Difference]:
        """Of a limit: above the machine's is grave, below it or left out is not; no limit is above all."""
        if said == live:
            return
        clause = "says no limit" if live is None else f"says {shown(live)}"
        grave = said is not None and live is not None and said > live
        yield self.differ(path, "" if said is None else shown(said), clause, grave)

    @property
    def interfaces(self) -> Iterator[tuple[KeyPath, str]]:
        """Each key that names a network interface, with it."""
        if self.site.network.interface:
            yield ("network", "interface"), self.site.network.interface
        for name, queue in self.site.queues.items():
            if queue.interface:
                yield ("queues", name, "interface"), queue.interface

    def silent(self, path: KeyPath, why: str) -> NotCompared:
        return NotCompared(dotted(path), printable(why), self.document.origins.get(path))

    def untold(self, path: KeyPath, said: object, told: bool) -> Iterator[NotCompared]:
        """For a value that the profile gives and the batch system does not tell."""
        if said is not None and not told:
            yield self.silent(path, f"{self.machine.batch_system} does not tell it")
