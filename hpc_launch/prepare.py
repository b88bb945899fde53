"""The way of the data up to the batch system: load, resolve, plan, render, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hpc_launch import quoting
from hpc_launch.config.document import refuse_names_that_are_not_utf8
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.plan import Job, Plan, Planned
from hpc_launch.plan import make_plan
from hpc_launch.render import render, unused_keys
from hpc_launch.resolve import Resolved, resolve


@dataclass(frozen=True)
class Rendered:
    """A run directory's files, and what submitting them needs to know."""

    files: Mapping[str, str]
    """Name within the run directory → text."""
    plan: Plan
    commands: Mapping[str, list[str]]
    """The site's words in place of the batch system's submit, status and cancel commands."""
    runs_directory: str
    """Where run directories are made."""
    submit_stdin: bool | None
    """Whether the submit command reads the script from its input; None: as is usual with the batch system."""
    message: str | None
    """What the site tells on every submit."""
    profile: str
    """The profile's file, as given."""


@dataclass(frozen=True)
class Prepared:
    """Everything that can be known of a run before it is submitted."""

    resolved: Resolved
    planned: Planned
    rendered: Rendered

    @property
    def plan(self) -> Plan:
        """What the files are made of."""
        return self.planned.plan

    def submissions(self) -> list[dict[str, Any]]:
        """One entry per call of the submit command, in order; what only submitting can tell stands as ``{run}``."""
        from hpc_launch import batch

        system = batch.get(self.plan.batch_system, self.rendered.commands, self.rendered.submit_stdin)
        return [
            {**job.asked(), "command": system.submit_command(job.file, job.named("{run}"), job.array, after(job))}
            for job in self.plan.jobs
        ]

    def as_json(self) -> dict[str, Any]:
        """`render --json`."""
        return {"schema": 1, "files": dict(self.rendered.files), "submissions": self.submissions()}


def after(job: Job) -> str | None:
    """For the submit command's line, as long as nobody knows the id of the job that has to start before."""
    return None if job.after is None else f"{{job:{job.after}}}"


def prepare(
    file: Path,
    context: Context,
    site: str | None = None,
    assignments: Sequence[str] = (),
    to_submit: bool = False,
) -> Prepared:
    """A profile, prepared for a site; raises InvalidConfiguration, DoesNotFit or UsageError.

    `to_submit`: a site that is retired is refused, before anything else is said of it.
    """
    resolved = resolve(file, context, site, assignments)
    if to_submit:
        refuse_retired(resolved)
    planned = make_plan(resolved, context)
    planned = replace(planned, notes=(*planned.notes, *unused_keys(resolved)))
    rendered = Rendered(
        files=render(planned, resolved),
        plan=planned.plan,
        commands=dict(vars(resolved.site.commands)),
        runs_directory=_runs_directory(resolved, context),
        submit_stdin=resolved.site.submit_stdin,
        message=resolved.site.message,
        profile=str(resolved.file),
    )
    refuse_names_that_are_not_utf8(rendered.files)
    return Prepared(resolved, planned, rendered)


def _runs_directory(resolved: Resolved, context: Context) -> str:
    given = resolved.site.storage.runs
    variables = {**context.environment, "HOME": str(context.home), "USER": context.user}
    try:
        return str(context.directory / quoting.expand(given, variables))
    except KeyError as missing:
        origin = resolved.site_document.origins.get(("storage", "runs"))
        raise InvalidConfiguration(Problem(f"storage.runs: ${missing.args[0]} is not set", origin)) from None


def refuse_retired(resolved: Resolved) -> None:
    """A machine that is no more can be rendered for, not submitted to."""
    site = resolved.site
    if site.status == "retired":
        successor = f"its successor is {site.successor}: --site {site.successor}" if site.successor else ""
        origin = resolved.site_document.origins.get(("status",))
        raise DoesNotFit(Problem(f"{site.name} is retired and takes no jobs", origin, successor))
