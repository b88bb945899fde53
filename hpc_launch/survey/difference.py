"""One difference between a site profile and the live machine, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hpc_launch.batch.machine import Machine
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.wording import dotted, printable
from hpc_launch.models.site import Site
from hpc_launch.survey.host import Host
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
    """Jobs would be refused or never start; else the profile only promises less than there is."""

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        return f"{self.key}: the profile says {self.said or 'nothing'}{where}, {self.system} {self.live}"


class Comparison:
    """The two, and how a difference between them is made."""

    def __init__(self, site: Site, document: Document, machine: Machine, host: Host, local: Scratch | None) -> None:
        self.site, self.document, self.machine, self.host, self.local = site, document, machine, host, local

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
