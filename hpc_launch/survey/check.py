"""Is a site profile valid, and does it agree with the machine that it is used on?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hpc_launch import batch, sites
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer, NotConfigured, NotStarted
from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import printable
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from hpc_launch.survey import another_machine, host, try_small_jobs
from hpc_launch.survey.batch_system_here import survey
from hpc_launch.survey.compare import compare
from hpc_launch.survey.compare_host import runs_here, scratch_here
from hpc_launch.survey.findings import Comparison, Difference, NotCompared
from hpc_launch.survey.not_compared import not_compared


@dataclass(frozen=True)
class Checked:
    """A valid site profile, and where it does not agree with the live machine."""

    found: sites.SiteFile
    differences: tuple[Difference, ...] = ()
    silent: tuple[NotCompared, ...] = ()
    """What could not be compared."""
    why: str = ""
    """Why there was nothing to compare it with; empty: it was compared."""
    unanswered: NoAnswer | None = None
    """What came instead, where the batch system is here and does not answer."""

    @property
    def compared(self) -> bool:
        """Whether there was a machine to compare it with."""
        return not self.why

    @property
    def agrees(self) -> bool:
        """Of what was compared, the profile promises nothing that the machine does not give."""
        return not any(each.grave for each in self.differences)

    @property
    def verdict(self) -> str:
        """In one sentence."""
        site = self.found.site
        named = _named(self.found)
        if not self.compared:
            return f"{named} is valid; {self.why}"
        if self.agrees:
            limit = ", as far as it could be compared" if self.silent else ""
            return f"{named} is valid and agrees with the live {site.batch_system}{limit}"
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
            "not_compared": [
                {"key": each.key, "why": each.why, **_place(each.origin), "message": str(each)} for each in self.silent
            ],
        }


def check(name: str | None, context: Context) -> Checked:
    """Check a site by name or path; None: the one that this machine is.

    Raises:
        InvalidConfiguration: with all that is wrong in the file, or where no site is found.
    """
    found = (
        sites.find(name, context, Origin("site check"), context.directory)
        if name is not None
        else sites.detect(context, "say hpc-launch site check NAME")
    )
    site, system = found.site, _system(found)
    if mistakes := try_small_jobs.problems(found, context):
        raise InvalidConfiguration(*mistakes)
    if site.status == "retired":
        successor = f" (its successor is {site.successor})" if site.successor else ""
        return Checked(found, why=f"{site.name} is retired{successor}, and there is no machine to compare it with")
    here = host.look(context.hostname, context.environment)
    try:
        machine = survey(site.batch_system, lambda: system)
    except NoAnswer as fault:
        if isinstance(fault, NotStarted) and not isinstance(fault, NotConfigured):
            return Checked(found, why=f"there is no {site.batch_system} here to compare it with")
        if another_machine.is_elsewhere(site, None, here, context):
            return Checked(found, why=another_machine.verdict(site, None, here, context))
        unanswered = _valid_and_no_more(found, fault)
        return Checked(found, why=unanswered.sentence, unanswered=unanswered)
    if machine is None:
        return Checked(found, why=f"{site.batch_system} has nothing to compare it with")
    if another_machine.is_elsewhere(site, machine, here, context):
        return Checked(found, why=another_machine.verdict(site, machine, here, context))
    local = scratch_here(site, context, host.is_a_node(here, machine))
    both = Comparison(site, found.document, machine, here, local, runs_here(site, context))
    return Checked(found, tuple(compare(both)), tuple(not_compared(both)))


def _named(found: sites.SiteFile) -> str:
    return f"{found.site.name} ({printable(str(found.file))})"


def _valid_and_no_more(found: sites.SiteFile, silent: NoAnswer) -> NoAnswer:
    """What is known of the file, before what the batch system's commands said."""
    first, *more = silent.problems
    message = f"{_named(found)} is valid, but could not be compared: {first.message}"
    return type(silent)(replace(first, message=message), *more)


def _system(found: sites.SiteFile) -> BatchSystem:
    """The site's batch system; raises InvalidConfiguration, with the line, where it is none or lacks a command."""
    site, key = found.site, "batch_system"
    try:
        batch.get(site.batch_system)
        key = "commands"
        return batch.get(site.batch_system, vars(site.commands), site.submit_stdin)
    except InvalidConfiguration as fault:
        origin = found.document.origins.get((key,))
        raise InvalidConfiguration(*(replace(each, origin=origin) for each in fault.problems)) from fault


def _row(each: Difference) -> dict[str, Any]:
    return {
        "key": each.key,
        "profile": each.said or None,
        "machine": f"{each.system} {each.live}",
        **_place(each.origin),
        "message": str(each),
    }


def _place(origin: Origin | None) -> dict[str, Any]:
    return {"file": origin.source if origin else None, "line": origin.line if origin else None}
