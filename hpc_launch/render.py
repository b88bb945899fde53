"""Plan → files. The same input gives the same bytes; there is no second way to make a file of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hpc_launch import quoting
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.explain import resolved_yaml
from hpc_launch.locations import JOBSIDE, TEMPLATES
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, format_walltime, format_walltime_minutes, memory_in

JOBSIDE_FILES = ("attempt.sh", "preflight.py", "progress.py")


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


def render(plan: Plan, resolved: Resolved, context: Context) -> Rendered:
    """Every file of the run directory but those that only submitting and running can make."""
    environment = _environment(context)
    environment.globals["refuse"] = partial(_refuse_key, resolved)
    batch = _part(environment, "directives", plan.batch_system, resolved, "batch_system")
    launcher = _part(environment, "launchers", plan.launcher or batch.usual_launcher, resolved, "launchers", "node")
    _refuse(batch, resolved)
    plan = replace(plan, notes=[*plan.notes, *_unused(batch, resolved)])
    data: dict[str, Any] = {
        "plan": plan.as_data(),
        "batch": batch,
        "launcher": launcher,
        "protocol": "tls" if plan.security == "tls" else "tcp",
    }
    files = {
        "profile.yaml": resolved.text,
        "resolved.yaml": resolved_yaml(resolved, plan),
        "site.yaml": resolved.site_text,
        "job.sh": environment.get_template(f"layouts/{plan.layout}.sh.j2").render(data),
        "environment.sh": environment.get_template("environment.sh.j2").render(data),
        "node.sh": environment.get_template("node.sh.j2").render(data, group=data["plan"]["jobs"][0]["groups"][0]),
        "workload.sh": environment.get_template("workload.sh.j2").render(data),
        **{f"jobside/{name}": (JOBSIDE / name).read_text(encoding="utf-8") for name in JOBSIDE_FILES},
    }
    return Rendered(
        files=files,
        plan=plan,
        commands=dict(vars(resolved.site.commands)),
        runs_directory=_runs_directory(resolved, context),
        submit_stdin=resolved.site.submit_stdin,
        message=resolved.site.message,
        profile=str(resolved.file),
    )


def _environment(context: Context) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,  # a name that nobody has set is a mistake, not an empty line in a script
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters.update(
        word=quoting.word,
        words=quoting.words,
        path=quoting.path,
        walltime=format_walltime,
        walltime_minutes=format_walltime_minutes,
        memory_in=memory_in,
        without_blank_lines=lambda text: "".join(line + "\n" for line in text.splitlines() if line.strip()),
        mebibytes=lambda size: size // MIB,
        mebibytes_each=lambda size, parts: -(-size // (parts * MIB)),
        dask_resources=lambda resources: ",".join(f"{name}={amount:g}" for name, amount in resources.items()),
    )
    return environment


def _part(environment: Environment, folder: str, name: str, resolved: Resolved, *key: str) -> Any:
    """A template's macros and values; raises InvalidConfiguration where the site names one that is not there."""
    file = f"{folder}/{name}.sh.j2"
    there = [known for known in environment.list_templates() if known.startswith(f"{folder}/")]
    if file not in there:
        known = ", ".join(PurePosixPath(known).name.removesuffix(".sh.j2") for known in there)
        origin = resolved.site_document.origins.get(key)
        problem = Problem(f"{'.'.join(key)}: {name!r} is not supported yet", origin, f"supported: {known}")
        raise InvalidConfiguration(problem)
    return environment.get_template(file).module


def _refuse(batch: Any, resolved: Resolved) -> None:
    """What only the batch system's template knows to be wrong; raises InvalidConfiguration."""
    problems = _repeated(batch, resolved)
    site, origins = resolved.site, resolved.site_document.origins
    if batch.has_queues and not site.queues:
        problems.append(Problem(f"queues: {site.batch_system} has at least one queue", origins.get(("queues",))))
    if site.memory.directive not in batch.memory_directives:
        hint = f"allowed with {site.batch_system}: {', '.join(batch.memory_directives)}"
        cause = f"memory.directive: {site.batch_system} has no memory {site.memory.directive}"
        problems.append(Problem(cause, origins.get(("memory", "directive")), hint))
    units = getattr(batch, "memory_units", [])
    if site.memory.unit is not None and site.memory.unit not in units:
        hint = f"allowed with {site.batch_system}: {', '.join(units) or 'none, leave it out'}"
        problems.append(Problem(f"memory.unit: {site.memory.unit!r}", origins.get(("memory", "unit")), hint))
    if problems:
        raise InvalidConfiguration(*problems)


def _refuse_key(resolved: Resolved, message: str, *key: str) -> None:
    """For templates: a key of the site profile with which they cannot make a script."""
    raise InvalidConfiguration(
        Problem(message, resolved.site_document.origins.get(key) or resolved.site_document.origins.get(()))
    )


def _unused(batch: Any, resolved: Resolved) -> list[str]:
    """What the profile asks for and the batch system has no word for: one profile is to run on every site."""
    given = [key for key in getattr(batch, "unused", ()) if getattr(resolved.profile, key)]
    batch_system = resolved.site.batch_system
    return [f"{resolved.origin(key)}: {key} is not used: {batch_system} has no such thing" for key in given]


def _repeated(batch: Any, resolved: Resolved) -> list[Problem]:
    """A directive that says again what the scripts say themselves would win or be ignored, depending on the site."""
    problems = []
    for number, directive in enumerate(resolved.profile.directives):
        option = re.split(r"[= ]", directive, maxsplit=1)[0]
        short = option[:2] if not option.startswith("--") else option
        # `-l select=…`: of an option for many things, only some are ours
        things = {f"{short} {thing.partition('=')[0].strip()}" for thing in directive[2:].split(",")}
        if option in batch.reserved or short in batch.reserved or things & {*batch.reserved}:
            origin = resolved.document.origins.get(("directives", number))
            hint = (
                "set the profile's own key for it (account, queue, walltime, workers …), and leave this directive out"
            )
            problems.append(Problem(f"directives: {option} is already said by the rendered script", origin, hint))
    return problems


def _runs_directory(resolved: Resolved, context: Context) -> str:
    given = resolved.site.storage.runs
    variables = {**context.environment, "HOME": str(context.home), "USER": context.user}
    try:
        return str(context.directory / quoting.expand(given, variables))
    except KeyError as missing:
        origin = resolved.site_document.origins.get(("storage", "runs"))
        raise InvalidConfiguration(Problem(f"storage.runs: ${missing.args[0]} is not set", origin)) from None
