"""What only the templates know to be wrong, or of no use, in a site profile or a profile."""

from __future__ import annotations

import re
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Site
from hpc_launch.resolve import Resolved

QUOTES = "\"' "


def refuse(batch: Any, plan: Plan, resolved: Resolved) -> None:
    """What only the batch system's template knows to be wrong; raises InvalidConfiguration."""
    problems = _repeated(batch, plan, resolved)
    site, origins = resolved.site, resolved.site_document.origins
    if batch.has_queues and not site.queues:
        problems.append(Problem(f"queues: {site.batch_system} has at least one queue", origins.get(("queues",))))
    problems += memory_faults(batch, site, resolved.site_document)
    if problems:
        raise InvalidConfiguration(*problems)


def memory_faults(batch: Any, site: Site, document: Document) -> list[Problem]:
    """Ways of asking for memory that the batch system does not have."""
    problems, system, origins = [], site.batch_system, document.origins
    if site.memory.directive not in batch.memory_directives:
        hint = f"allowed with {system}: {', '.join(batch.memory_directives)}"
        cause = f"memory.directive: {system} has no memory {site.memory.directive}"
        problems.append(Problem(cause, origins.get(("memory", "directive")) or origins.get(()), hint))
    units = getattr(batch, "memory_units", [])
    if site.memory.unit is not None and site.memory.unit not in units:
        hint = f"allowed with {system}: {', '.join(units) or 'none, leave it out'}"
        problems.append(Problem(f"memory.unit: {site.memory.unit!r}", origins.get(("memory", "unit")), hint))
    return problems


def refuse_launcher(launcher: Any, name: str, batch: Any, plan: Plan, resolved: Resolved) -> None:
    """One that belongs to another batch system, or that wants to be told the hosts; raises InvalidConfiguration."""
    systems = getattr(launcher, "only_with", [plan.batch_system])
    hosts = hasattr(batch, "allocation") or not getattr(launcher, "needs_hosts", False)
    if plan.batch_system in systems and hosts:
        return
    assert plan.launcher is not None
    key = ("launchers", plan.launcher.kind)
    origin = resolved.site_document.origins.get(key) or resolved.site_document.origins.get(())
    usual = batch.usual_launchers[plan.launcher.kind]
    cause = f"{'.'.join(key)}: {name} does not go with {plan.batch_system}"
    raise InvalidConfiguration(Problem(cause, origin, f"usual there: {usual}"))


def refuse_layout(batch: Any, plan: Plan, resolved: Resolved) -> None:
    """Several jobs where there can be but one, or where the first cannot let the others go; raises DoesNotFit."""
    if len(plan.jobs) > 1 and not (hasattr(batch, "worker_jobs") and hasattr(batch, "element")):
        where = resolved.origin("layout")
        cause = f"layout: {plan.batch_system} has no jobs that belong together, as {plan.layout} needs them"
        raise DoesNotFit(Problem(cause, where, "choose another layout: --set layout=single-job"))
    if len(plan.jobs) > 1 and getattr(batch, "held_until_released", False) and not plan.submit_from_compute:
        origin = resolved.site_document.origins.get(("submit_from_compute",))
        cause = (
            f"layout: {plan.layout} needs jobs that may speak to the batch system: on {plan.batch_system} the"
            f" scheduler's job lets the worker jobs go, and {plan.site} forbids it"
        )
        raise DoesNotFit(Problem(cause, origin, "choose another layout: --set layout=single-job"))


def refuse_key(resolved: Resolved, message: str, *key: str) -> None:
    """For templates: a key of the site profile with which they cannot make a script."""
    raise InvalidConfiguration(
        Problem(message, resolved.site_document.origins.get(key) or resolved.site_document.origins.get(()))
    )


def unused(batch: Any, resolved: Resolved) -> list[str]:
    """What the profile asks for and the batch system has no word for: one profile is to run on every site."""
    given = [key for key in getattr(batch, "unused", ()) if getattr(resolved.profile, key)]
    batch_system = resolved.site.batch_system
    return [f"{resolved.origin(key)}: {key} is not used: {batch_system} has no such thing" for key in given]


def _repeated(batch: Any, plan: Plan, resolved: Resolved) -> list[Problem]:
    """Directives that say again what the scripts say: they would win or be ignored, depending on the site."""
    site = resolved.site
    own: list[tuple[list[str], KeyPath, Document]] = [(site.directives, ("directives",), resolved.site_document)]
    for queue in dict.fromkeys(job.queue for job in plan.jobs):
        if queue in site.queues:
            own.append((site.queues[queue].directives, ("queues", queue, "directives"), resolved.site_document))
    own.append((resolved.profile.directives, ("directives",), resolved.document))
    problems = []
    reserved = {*batch.reserved, *([f"-l {plan.memory_resource}"] if plan.memory_resource else [])}
    for directives, path, document in own:
        for number, directive in enumerate(directives):
            origin = document.origins.get((*path, number))
            for part in re.findall(r"(?:^|\s)(-\S.*?)(?=\s-|\s*$)", directive):
                option = re.split(r"[=\s]", part, maxsplit=1)[0]
                if document is resolved.document and option in site.rejects:
                    problems.append(Problem(f"directives: {site.name} refuses {option}", origin))
                elif _says(batch, reserved, option, part):
                    hint = (
                        "set the profile's own key for it (account, queue, walltime, workers …), and leave it out here"
                    )
                    cause = f"directives: {option} is already said by the rendered script"
                    problems.append(Problem(cause, origin, hint))
    return problems


def _says(batch: Any, reserved: set[str], option: str, part: str) -> bool:
    """Long options may be shortened (getopt), short ones may have their value behind them, or several: `-l a=1,b=2`."""
    if option.startswith("--"):
        return any(known.startswith(option) for known in reserved)
    short = option if getattr(batch, "whole_options", False) else option[:2]
    values = part[len(short) :].split(",")
    said = {option, short, *(f"{short} {value.partition('=')[0].strip(QUOTES)}" for value in values)}
    return not said.isdisjoint(reserved)
