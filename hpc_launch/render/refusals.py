"""What only a batch system's dialect knows to be wrong, or of no use, in a site profile or a profile."""

from __future__ import annotations

import re
from dataclasses import replace

from hpc_launch.batch.dialect import Dialect, Launcher
from hpc_launch.config.document import Document
from hpc_launch.config.origin import Origin
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Site
from hpc_launch.render.directives import Written, directive_faults
from hpc_launch.resolve import Resolved


def refuse(dialect: Dialect, plan: Plan, resolved: Resolved) -> None:
    """What only the batch system's dialect knows to be wrong; raises InvalidConfiguration."""
    site, document = resolved.site, resolved.site_document
    queues = [name for name in dict.fromkeys(job.queue for job in plan.jobs) if name in site.queues]
    asked = Written(resolved.profile.directives, resolved.document, ("directives",))
    problems = [
        *directive_faults(dialect, site, document, queues, asked),
        *constraint_faults(dialect, site, plan.constraint, resolved.origin("constraint")),
        *site_faults(dialect, site, document),
    ]
    if problems:
        raise InvalidConfiguration(*problems)


def site_faults(dialect: Dialect, site: Site, document: Document) -> list[Problem]:
    """What a batch system does not have, or has to have, whatever is asked for."""
    problems = []
    if dialect.has_queues and not site.queues:
        cause = f"queues: {site.batch_system} has at least one queue"
        problems.append(Problem(cause, document.origins.get(("queues",)), "add `queues: {NAME: {}}`"))
    return problems + _memory_faults(dialect, site, document)


def _memory_faults(dialect: Dialect, site: Site, document: Document) -> list[Problem]:
    """Ways of asking for memory that the batch system does not have."""
    problems, system, origins = [], site.batch_system, document.origins
    if site.memory.directive not in dialect.memory_directives:
        origin, cause = origins.get(("memory", "directive")), f"{system} has no memory {site.memory.directive}"
        if origin:
            hint = f"allowed with {system}: {', '.join(dialect.memory_directives)}"
            problems.append(Problem(f"memory.directive: {cause}", origin, hint))
        else:
            others = ", ".join(way for way in dialect.memory_directives if way != "omit")
            add = "`directive: omit` to `memory`" if ("memory",) in origins else "`memory: {directive: omit}`"
            hint = f"add {add}" + (f", or one of: {others}" if others else "")
            problems.append(Problem(f"memory.directive is not set, and {cause}", _above(document, "memory"), hint))
    units = dialect.memory_units
    if site.memory.unit is not None and site.memory.unit not in units:
        none = f"none, leave it out: a job's memory is asked for in a unit that {system} always takes"
        hint = f"allowed with {system}: {', '.join(units) or none}"
        problems.append(Problem(f"memory.unit: {site.memory.unit!r}", origins.get(("memory", "unit")), hint))
    return problems


def _above(document: Document, key: str) -> Origin | None:
    """Of the mapping in which something is missing; a document's first line has nothing to do with that."""
    whole = document.origins.get(())
    return document.origins.get((key,)) or (whole and replace(whole, text=""))


def constraint_faults(dialect: Dialect, site: Site, constraint: str | None, origin: Origin | None) -> list[Problem]:
    """One that would be more than a constraint where the batch system's template puts it."""
    pattern = dialect.constraint_pattern
    if constraint is None or pattern is None or re.fullmatch(pattern, constraint):
        return []
    cause = f"constraint: {site.batch_system} does not take {constraint!r}"
    return [Problem(cause, origin, f"write {dialect.constraint_words}")]


def launcher_of(dialect: Dialect, plan: Plan, resolved: Resolved) -> Launcher | None:
    """The launcher of the plan, if it has one.

    Raises InvalidConfiguration for one that belongs to another batch system, or has to be told hosts that nobody knows;
    DoesNotFit for one that stays on its node and would leave the others empty.
    """
    if plan.launcher is None:
        return None
    kind, name = plan.launcher.kind, plan.launcher.name
    origins, key = resolved.site_document.origins, ("launchers", kind)
    found, usual = dialect.launcher(kind, name), dialect.launcher(kind)
    assert usual is not None
    if found is None or (found.needs_hosts and not dialect.gives_hosts):
        cause = f"launchers.{kind}: {name or usual.name} does not go with {plan.batch_system}"
        raise InvalidConfiguration(Problem(cause, origins.get(key) or origins.get(()), f"usual there: {usual.name}"))
    nodes = max(job.nodes for job in plan.jobs)
    if found.most_nodes is not None and nodes > found.most_nodes:
        cause = f"launchers.{kind}: it starts processes on {found.most_nodes} node, {nodes} are asked for"
        hint = "lower workers.count, or name another launcher in the site profile"
        raise DoesNotFit(Problem(cause, origins.get(key), hint))
    return found


def refuse_layout(dialect: Dialect, plan: Plan, resolved: Resolved) -> None:
    """Several jobs where there can be but one, or where the first cannot let the others go; raises DoesNotFit."""
    if len(plan.jobs) > 1 and dialect.array_index is None:
        where = resolved.origin("layout")
        cause = f"layout: {plan.batch_system} has no jobs that belong together, as {plan.layout} needs them"
        raise DoesNotFit(Problem(cause, where, "choose another layout: --set layout=single-job"))
    if len(plan.jobs) > 1 and dialect.holds_jobs and not plan.submit_from_compute:
        origin = resolved.site_document.origins.get(("submit_from_compute",))
        cause = (
            f"layout: {plan.layout} needs jobs that may speak to the batch system: on {plan.batch_system} the"
            f" scheduler's job lets the worker jobs go, and {plan.site} forbids it"
        )
        raise DoesNotFit(Problem(cause, origin, "choose another layout: --set layout=single-job"))


def refuse_key(resolved: Resolved, message: str, *key: str, hint: str = "") -> None:
    """For templates: a key of the site profile with which they cannot make a script, and what to do about it."""
    origin = resolved.site_document.origins.get(key) or _above(resolved.site_document, key[0])
    raise InvalidConfiguration(Problem(message, origin, hint))


def unused(dialect: Dialect, resolved: Resolved) -> list[str]:
    """What the profile asks for and the batch system has no word for: one profile is to run on every site."""
    given = [key for key in dialect.unused if getattr(resolved.profile, key)]
    batch_system = resolved.site.batch_system
    return [f"{resolved.origin(key)}: {key} is not used: {batch_system} has no such thing" for key in given]
