"""Plan → files. The same input gives the same bytes; there is no second way to make a file of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from jinja2 import Environment, TemplateError

from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.explain import resolved_yaml
from hpc_launch.locations import JOBSIDE
from hpc_launch.models.plan import Plan, Planned
from hpc_launch.models.stored_plan import stored
from hpc_launch.render.refusals import refuse, refuse_key, refuse_launcher, refuse_layout, unused
from hpc_launch.render.templates import environment, part
from hpc_launch.resolve import Resolved

SHARED = ("environment.sh", "node.sh", "workload.sh")
"""What every layout has, beside the files that are submitted."""


def render(planned: Planned, resolved: Resolved) -> dict[str, str]:
    """Every file of the run directory but those that only submitting and running can make: name in it → text."""
    plan, templates = planned.plan, environment()
    templates.globals["refuse"] = partial(refuse_key, resolved)
    batch = part(templates, "directives", plan.batch_system, resolved, "batch_system")
    launcher = _launcher(templates, batch, plan, resolved)
    refuse(batch, plan, resolved)
    refuse_layout(batch, plan, resolved)
    (workers,) = plan.groups.values()  # scripts know of one group yet
    data: dict[str, Any] = {
        "plan": plan.as_data(),
        "workers": asdict(workers),
        "batch": batch,
        "launcher": launcher,
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


def unused_keys(resolved: Resolved) -> list[str]:
    """What the profile asks for and the batch system has no word for."""
    return unused(part(environment(), "directives", resolved.site.batch_system, resolved, "batch_system"), resolved)


def _scripts(templates: Environment, plan: Plan, data: dict[str, Any], resolved: Resolved) -> dict[str, str]:
    """All that is filled in; raises InvalidConfiguration where a plug-in's template fails at that."""
    submitted = zip(plan.jobs, data["plan"]["jobs"], strict=True)
    try:
        return {
            **{
                job.file: templates.get_template(f"layouts/{plan.layout}/{job.template}.sh.j2").render(
                    data, job=numbers
                )
                for job, numbers in submitted
            },
            **{name: templates.get_template(f"{name}.j2").render(data) for name in SHARED},
        }
    except TemplateError as fault:
        origin = resolved.site_document.origins.get(("batch_system",))
        cause = f"the templates of {plan.batch_system} cannot be filled in: {fault}"
        raise InvalidConfiguration(Problem(cause, origin, "this is a mistake in the templates")) from fault


def _jobside(files: Mapping[str, str]) -> dict[str, str]:
    """The files of ours that travel along: those that the scripts speak of."""
    names = [file.name for file in sorted(JOBSIDE.iterdir()) if file.is_file()]
    named = {name: f"jobside/{name}" for name in names if any(f"jobside/{name}" in text for text in files.values())}
    return {path: (JOBSIDE / name).read_text(encoding="utf-8") for name, path in named.items()}


def _launcher(templates: Environment, batch: Any, plan: Plan, resolved: Resolved) -> Any:
    """The launcher's template; raises DoesNotFit for one that stays on its node and would leave the others empty."""
    if plan.launcher is None:
        return None
    kind = plan.launcher.kind
    name = plan.launcher.name or batch.usual_launchers[kind]
    launcher = part(templates, f"launchers/{kind}", name, resolved, "launchers", kind)
    refuse_launcher(launcher, name, batch, plan, resolved)
    nodes = max(job.nodes for job in plan.jobs)
    if launcher.most_nodes is not None and nodes > launcher.most_nodes:
        origin = resolved.site_document.origins.get(("launchers", kind))
        cause = f"launchers.{kind}: it starts processes on {launcher.most_nodes} node, {nodes} are asked for"
        raise DoesNotFit(Problem(cause, origin, "lower workers.count, or name another launcher in the site profile"))
    return launcher
