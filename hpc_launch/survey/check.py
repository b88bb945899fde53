"""Is a site profile valid, and does it agree with the machine that it is used on?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpc_launch import batch, sites
from hpc_launch.batch.faults import NotStarted
from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import printable
from hpc_launch.context import Context
from hpc_launch.survey import host
from hpc_launch.survey.compare import compare
from hpc_launch.survey.difference import Difference
from hpc_launch.survey.scratch import look


@dataclass(frozen=True)
class Checked:
    """A valid site profile, and where it does not agree with the live machine."""

    found: sites.SiteFile
    differences: tuple[Difference, ...] = ()
    why: str = ""
    """Why there was nothing to compare it with; empty: it was compared."""

    @property
    def compared(self) -> bool:
        """Whether there was a machine to compare it with."""
        return not self.why

    @property
    def agrees(self) -> bool:
        """No job would be refused, or wait for ever, that the profile allows."""
        return not any(each.grave for each in self.differences)

    @property
    def verdict(self) -> str:
        """In one sentence."""
        site = self.found.site
        named = f"{site.name} ({printable(str(self.found.file))})"
        if not self.compared:
            return f"{named} is valid; {self.why}"
        if self.agrees:
            return f"{named} is valid and agrees with the live {site.batch_system}"
        grave = sum(each.grave for each in self.differences)
        return f"{named} is valid, and differs from the live {site.batch_system} in {grave} thing{'s' * (grave > 1)}"

    def as_json(self) -> dict[str, Any]:
        """`site check --json`."""
        return {
            "schema": 1,
            "site": self.found.site.name,
            "file": str(self.found.file),
            "compared_with": self.found.site.batch_system if self.compared else None,
            "agrees": self.agrees if self.compared else None,
            "differences": [_row(each) for each in self.differences if each.grave],
            "notes": [_row(each) for each in self.differences if not each.grave],
        }


def check(name: str | None, context: Context) -> Checked:
    """Check a site by name or path; None: the one that this machine is.

    Raises:
        InvalidConfiguration: with all that is wrong in the file, or where no site is found.
        NoAnswer: the batch system is here, and does not answer.
    """
    found = sites.find(name, context, Origin("site check"), context.directory) if name else sites.detect(context)
    site = found.site
    try:
        machine = batch.get(site.batch_system).survey()
    except NotStarted:
        return Checked(found, why=f"there is no {site.batch_system} here to compare it with")
    if machine is None:
        return Checked(found, why=f"{site.batch_system} has nothing to compare it with")
    here = host.look(context.hostname, context.environment)
    path = site.storage.local
    local = look(path) if path.startswith("/") and "$" not in path else None
    return Checked(found, tuple(compare(site, found.document, machine, here, local)))


def _row(each: Difference) -> dict[str, Any]:
    return {
        "key": each.key,
        "profile": each.said or None,
        "machine": f"{each.system} {each.live}",
        "file": each.origin.source if each.origin else None,
        "line": each.origin.line if each.origin else None,
        "message": str(each),
    }
