"""The way of the data up to the batch system: load, resolve, plan, render, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc_launch import quoting, standing
from hpc_launch.batch import dialect_of
from hpc_launch.checks import (
    batch_system,
    left_out,
    plan_on_site,
    profile,
    profile_on_site,
    services,
    several_queues,
    variables,
    without_workers,
)
from hpc_launch.checks.misfit import Misfit, refusal, refuse
from hpc_launch.config.document import refuse_names_that_are_not_utf8
from hpc_launch.context import Context
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan, Planned
from hpc_launch.models.profile import AUTO
from hpc_launch.plan import make_plan
from hpc_launch.render import render
from hpc_launch.resolve import Resolved, resolve
from hpc_launch.sites import may_be_here

if TYPE_CHECKING:
    from hpc_launch.advice.changes import Attempts, Problems
    from hpc_launch.checks.plan_on_site.growth import Ceiling


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
    ceilings: Mapping[str, Ceiling]
    """Group of workers → how many of it the site ever lets be there at one time, where it has a limit."""


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

        def command(job: Job) -> list[str]:
            name = job.named("{run}")
            return system.submit_command(job.file, name, job.array, after(job), job.log_on_line)

        return [{**job.asked(), "command": command(job)} for job in self.plan.jobs]

    def as_json(self) -> dict[str, Any]:
        """`render --json`."""
        files = dict(self.rendered.files)
        return {"schema": 1, "files": files, **self.told()}

    def told(self) -> dict[str, Any]:
        """What `render`, `check` and `submit` alike tell programs of the run."""
        notes, standing_cluster = list(self.planned.notes), standing.as_json(self.plan)
        return {"submissions": self.submissions(), "standing": standing_cluster, "notes": notes}


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
    return prepare_resolved(resolve(file, context, site, assignments, to_submit=to_submit), context, to_submit)


def prepare_resolved(resolved: Resolved, context: Context, to_submit: bool = False) -> Prepared:
    """The same of a profile that has its layers."""
    planned = plan_or_refuse(resolved, context)
    if to_submit:
        planned = replace(planned, notes=(*planned.notes, *_notes_of_host(resolved, planned.plan, context)))
    refuse(profile_on_site.runs_directory(resolved, context))
    rendered = Rendered(
        files=render(planned, resolved),
        plan=planned.plan,
        commands=dict(vars(resolved.site.commands)),
        runs_directory=str(context.directory / quoting.expand(resolved.site.storage.runs, context.variables)),
        submit_stdin=resolved.site.submit_stdin,
        message=resolved.site.message,
        profile=str(resolved.file),
        ceilings=plan_on_site.ceilings(planned.plan, resolved),
    )
    refuse_names_that_are_not_utf8({**rendered.files, "run.json": rendered.profile})
    return Prepared(resolved, planned, rendered)


def _notes_of_host(resolved: Resolved, plan: Plan, context: Context) -> list[str]:
    """What is missing here, of all that the run needs; on a host that is none of the site's, that alone."""
    if may_be_here(resolved.site, context):
        from hpc_launch import this_host  # `render` starts faster without

        return this_host.notes(resolved, plan, context)
    return [
        f"site: this host ({context.hostname}) is none of {resolved.site.name}, by its detect: is it the right one?"
    ]


def plan_or_refuse(resolved: Resolved, context: Context) -> Planned:
    """The plan of a run that its site takes; raises InvalidConfiguration or DoesNotFit, with what would mend it."""
    made = _plan_or_advise(resolved, context)
    if not isinstance(made, Planned):
        raise refusal(made)
    dialect = dialect_of(resolved.site.batch_system)
    unsaid = [*batch_system.unused(dialect, resolved), *left_out.notes(dialect, resolved)]
    return replace(made, notes=(*made.notes, *unsaid, *without_workers.notes(resolved), *variables.notes(resolved)))


def _plan_or_advise(resolved: Resolved, context: Context) -> Planned | Problems:
    """The plan for the queue that was asked for, or the first that fits; or what is in its way and would mend it."""
    if resolved.profile.queue == AUTO and resolved.site.queues:
        from hpc_launch.advice.candidates import first_that_fits

        return first_that_fits(_attempts(resolved, context))
    made = try_to_plan(resolved, context)
    if isinstance(made, Planned) or not all(isinstance(problem, Misfit) for problem in made):
        return made
    from hpc_launch.advice.candidates import with_advice  # what fits starts faster without

    return with_advice(made, _attempts(resolved, context, made))


def _attempts(resolved: Resolved, context: Context, refused: Problems = ()) -> Attempts:
    from hpc_launch.advice.changes import Attempts

    return Attempts(resolved, context, lambda run: try_to_plan(run, context), refused)


def try_to_plan(resolved: Resolved, context: Context) -> Planned | Problems:
    """Check, plan, check: the plan, or everything that is in its way."""
    dialect = dialect_of(resolved.site.batch_system)
    missing = [*profile_on_site.missing(resolved)]
    wrong = [*missing, *profile.problems(resolved, context), *variables.problems(resolved, dialect)]
    if not missing:
        wrong += profile_on_site.problems(resolved, context)
        wrong += several_queues.problems(dialect, resolved, context)
        wrong += services.problems(resolved, context)
        wrong += batch_system.of_profile(dialect, resolved, context)
    if wrong:
        return tuple(dict.fromkeys(wrong))
    made = make_plan(resolved, context)
    too_much = plan_on_site.problems(made.plan, resolved, context)
    if problems := [*too_much, *batch_system.of_plan(dialect, made.plan, resolved)]:
        return tuple(problems)
    return replace(made, notes=(*made.notes, *plan_on_site.notes(made.plan, resolved, context)))
