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
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.explain import resolved_yaml
from hpc_launch.locations import JOBSIDE, TEMPLATES
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, format_walltime, format_walltime_minutes, memory_in

QUOTES = "\"' "
SHARED = ("environment.sh", "node.sh", "workload.sh")
"""What every layout has, beside the files that are submitted."""


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
    launcher = _launcher(environment, batch, plan, resolved)
    _refuse(batch, resolved)
    _refuse_layout(batch, plan, resolved)
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
        **{
            job.file: environment.get_template(f"layouts/{plan.layout}/{job.template}.sh.j2").render(data, job=number)
            for job, number in zip(plan.jobs, data["plan"]["jobs"], strict=True)
        },
        **{name: environment.get_template(f"{name}.j2").render(data) for name in SHARED},
    }
    files |= _jobside(files)
    return Rendered(
        files=files,
        plan=plan,
        commands=dict(vars(resolved.site.commands)),
        runs_directory=_runs_directory(resolved, context),
        submit_stdin=resolved.site.submit_stdin,
        message=resolved.site.message,
        profile=str(resolved.file),
    )


def _jobside(files: Mapping[str, str]) -> dict[str, str]:
    """The files of ours that travel along: those that the scripts speak of."""
    names = [file.name for file in sorted(JOBSIDE.iterdir()) if file.is_file()]
    named = {name: f"jobside/{name}" for name in names if any(f"jobside/{name}" in text for text in files.values())}
    return {path: (JOBSIDE / name).read_text(encoding="utf-8") for name, path in named.items()}


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
        dask_resources=lambda resources: ",".join(f"{name}={_number(amount)}" for name, amount in resources.items()),
    )
    return environment


def _number(amount: float) -> str:
    return str(int(amount)) if amount.is_integer() else repr(amount)


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


def _launcher(environment: Environment, batch: Any, plan: Plan, resolved: Resolved) -> Any:
    """The launcher's template; raises DoesNotFit for one that stays on its node and would leave the others empty."""
    if plan.launcher is None:
        return None
    kind = plan.launcher.kind
    name = plan.launcher.name or batch.usual_launchers[kind]
    launcher = _part(environment, f"launchers/{kind}", name, resolved, "launchers", kind)
    nodes = max(job.nodes for job in plan.jobs)
    if launcher.most_nodes is not None and nodes > launcher.most_nodes:
        origin = resolved.site_document.origins.get(("launchers", kind))
        cause = f"launchers.{kind}: it starts processes on {launcher.most_nodes} node, {nodes} are asked for"
        raise DoesNotFit(Problem(cause, origin, "lower workers.count, or name another launcher in the site profile"))
    return launcher


def _refuse_layout(batch: Any, plan: Plan, resolved: Resolved) -> None:
    """Worker jobs that only the scheduler's job can let go, on a site that does not let it; raises DoesNotFit."""
    if len(plan.jobs) > 1 and getattr(batch, "held_until_released", False) and not plan.submit_from_compute:
        origin = resolved.site_document.origins.get(("submit_from_compute",))
        cause = (
            f"layout: {plan.layout} needs jobs that may speak to the batch system: on {plan.batch_system} the"
            f" scheduler's job lets the worker jobs go, and {plan.site} forbids it"
        )
        raise DoesNotFit(Problem(cause, origin, "choose another layout: --set layout=single-job"))


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
    """Directives that say again what the scripts say: they would win or be ignored, depending on the site."""
    site, profile = resolved.site, resolved.profile
    own: list[tuple[list[str], KeyPath, Document]] = [(site.directives, ("directives",), resolved.site_document)]
    for queue in dict.fromkeys((profile.queue, profile.workers.queue)):
        if queue in site.queues:
            own.append((site.queues[queue].directives, ("queues", queue, "directives"), resolved.site_document))
    own.append((resolved.profile.directives, ("directives",), resolved.document))
    problems = []
    for directives, path, document in own:
        for number, directive in enumerate(directives):
            origin = document.origins.get((*path, number))
            for part in re.findall(r"(?:^|\s)(-\S.*?)(?=\s-|\s*$)", directive):
                option = re.split(r"[=\s]", part, maxsplit=1)[0]
                if document is resolved.document and option in site.rejects:
                    problems.append(Problem(f"directives: {site.name} refuses {option}", origin))
                elif _says(batch, option, part):
                    hint = (
                        "set the profile's own key for it (account, queue, walltime, workers …), and leave it out here"
                    )
                    cause = f"directives: {option} is already said by the rendered script"
                    problems.append(Problem(cause, origin, hint))
    return problems


def _says(batch: Any, option: str, part: str) -> bool:
    """Long options may be shortened (getopt), short ones may have their value behind them, or several: `-l a=1,b=2`."""
    if option.startswith("--"):
        return any(known.startswith(option) for known in batch.reserved)
    short = option if getattr(batch, "whole_options", False) else option[:2]
    values = part[len(short) :].split(",")
    said = {option, short, *(f"{short} {value.partition('=')[0].strip(QUOTES)}" for value in values)}
    return not said.isdisjoint(batch.reserved)


def _runs_directory(resolved: Resolved, context: Context) -> str:
    given = resolved.site.storage.runs
    variables = {**context.environment, "HOME": str(context.home), "USER": context.user}
    try:
        return str(context.directory / quoting.expand(given, variables))
    except KeyError as missing:
        origin = resolved.site_document.origins.get(("storage", "runs"))
        raise InvalidConfiguration(Problem(f"storage.runs: ${missing.args[0]} is not set", origin)) from None
