"""Plan → files. The same input gives the same bytes; there is no second way to make a file of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jinja2 import Environment, TemplateError

from hpc_launch.batch import dialect_of
from hpc_launch.batch.dialect import Launcher
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.explain import resolved_yaml
from hpc_launch.locations import JOBSIDE
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan, Planned
from hpc_launch.models.stored_plan import stored
from hpc_launch.models.worker_group import THREAD_VARIABLES, WORKERS, script_of
from hpc_launch.render.templates import OF_ARRAYS, part, template_environment
from hpc_launch.resolve import Resolved


def render(planned: Planned, resolved: Resolved) -> dict[str, str]:
    """Every file of the run directory but those that only submitting and running can make: name in it → text."""
    plan, templates = planned.plan, template_environment()
    dialect = dialect_of(plan.batch_system)
    templates.globals["dialect"] = dialect
    more = OF_ARRAYS if dialect.array_index else ()
    templates.globals["batch"] = part(templates, "directives", plan.batch_system, resolved, "batch_system", more=more)
    launcher = dialect.launcher(plan.launcher.kind, plan.launcher.name) if plan.launcher else None
    data: dict[str, Any] = {
        "plan": {**plan.as_data(), **plan.passed_on, "groups": _groups(plan)},
        "stands": plan.stands,
        "thread_variables": THREAD_VARIABLES,
        "ports_beside_workers": plan.ports_beside_workers,
        "launcher": _text_of(templates, launcher, plan, resolved),
        "launcher_facts": launcher,
        "runtime": _runtime(templates, plan, resolved),
        "protocol": "tls" if plan.security == "tls" else "tcp",
    }
    files = {
        "profile.yaml": resolved.text,
        "resolved.yaml": resolved_yaml(resolved, planned.reasons),
        "site.yaml": resolved.site_text,
        "plan.json": stored(plan),
        **_scripts(templates, plan, data, resolved),
    }
    return files | _jobside(files)


def _groups(plan: Plan) -> dict[str, Any]:
    """The groups of workers with what follows from the plan."""
    return {name: {**asdict(group), "cores_of_each": group.cores_of_each} for name, group in plan.groups.items()}


def _scripts(templates: Environment, plan: Plan, data: dict[str, Any], resolved: Resolved) -> dict[str, str]:
    """All that is filled in; raises InvalidConfiguration where a plug-in's template fails at that."""
    jobs = zip((*plan.jobs, *plan.on_demand), (*data["plan"]["jobs"], *data["plan"]["on_demand"]), strict=True)

    def filled(template: str, **more: Any) -> str:
        return templates.get_template(template).render({**data, **more})

    def submitted(job: Job, numbers: Any) -> str:
        of_job = {**data["plan"], "constraint": job.constraint}
        workers = data["plan"]["groups"].get(job.group or WORKERS)
        folder = plan.layout if plan.has_workers else "without-workers"
        return filled(f"layouts/{folder}/{job.template}.sh.j2", plan=of_job, job=numbers, workers=workers)

    try:
        return {
            **{job.file: submitted(job, numbers) for job, numbers in jobs},
            "environment.sh": filled("environment.sh.j2"),
            **({"container.sh": filled("container.sh.j2")} if plan.environment.container else {}),
            **{
                script_of("node", name): filled("node.sh.j2", workers=workers)
                for name, workers in data["plan"]["groups"].items()
            },
            **({} if plan.stands else {"workload.sh": filled("workload.sh.j2")}),
        }
    except TemplateError as fault:
        origin = resolved.site_document.origins.get(("batch_system",))
        cause = f"the templates of {plan.batch_system} cannot be filled in: {fault}"
        raise InvalidConfiguration(Problem(cause, origin, "this is a mistake in the templates")) from fault


def _jobside(files: Mapping[str, str]) -> dict[str, str]:
    """The files of ours that travel along: those that the scripts speak of, and what they import of each other.

    The scripts say ``jobside/fit.sh``, ``python jobside workers`` and ``--preload hpc_launch_jobside.guard``.
    """
    ours = {file.name: file.read_text(encoding="utf-8") for file in sorted(JOBSIDE.iterdir()) if file.is_file()}
    named = {stem for text in files.values() for stem in re.findall(r"jobside[/ .](\w+)", text)}
    travel = [name for name in ours if name.partition(".")[0] in named]
    if any(name.endswith(".py") for name in travel):
        travel.append("__main__.py")
    for name in travel:  # grows meanwhile
        travel += sorted(_imported(ours[name]) & ours.keys() - set(travel))
    return {f"jobside/{name}": ours[name] for name in sorted(travel)}


def _imported(text: str) -> set[str]:
    """The files that a Python file imports from its own directory: ``from .room import …``, ``from . import room``."""
    lines = re.findall(r"^ *from \.(\w*) import (.+)$", text, re.M)
    return {f"{name}.py" for module, names in lines for name in ([module] if module else re.findall(r"\w+", names))}


def _runtime(templates: Environment, plan: Plan, resolved: Resolved) -> Any:
    """The template of what runs containers."""
    container = plan.environment.container
    return container and part(templates, "containers", container.runtime, resolved, "containers")


def _text_of(templates: Environment, launcher: Launcher | None, plan: Plan, resolved: Resolved) -> Any:
    """The launcher's template."""
    if launcher is None or plan.launcher is None:
        return None
    kind = plan.launcher.kind
    return part(templates, f"launchers/{kind}", launcher.name, resolved, "launchers", kind)
