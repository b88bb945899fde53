"""Site profile, profile and plan against what their batch system can say: its dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hpc_launch.batch.dialect import Dialect
from hpc_launch.checks import without_workers
from hpc_launch.checks.directives import Written, directive_faults
from hpc_launch.checks.misfit import Misfit, in_group
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.wording import dotted
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Site
from hpc_launch.plan.layouts import layout_of_run, places
from hpc_launch.resolve import Resolved

OTHER_LAYOUT = "choose another layout"


def of_site(dialect: Dialect, site: Site, document: Document) -> Iterator[Problem]:
    """Ways of asking for memory that the batch system does not have."""
    system, directive, unit = site.batch_system, site.memory.directive, site.memory.unit
    origin, above = document.origins.get(("memory", "directive")), document.nearest("memory") or document.whole
    if directive not in dialect.memory_directives:
        cause = f"{system} has no memory {directive}"
        if origin:
            hint = f"allowed with {system}: {', '.join(dialect.memory_directives)}"
            yield Problem(f"memory.directive: {cause}", origin, hint)
        else:
            others = ", ".join(way for way in dialect.memory_directives if way != "omit")
            add = "`directive: omit` to `memory`" if document.nearest("memory") else "`memory: {directive: omit}`"
            hint = f"add {add}" + (f", or one of: {others}" if others else "")
            yield Problem(f"memory.directive is not set, and {cause}", above, hint)
    elif dialect.memory_resource and directive != "omit" and site.memory.resource is None:
        cause = f"memory.resource: must be given with `directive: {directive}` (h_vmem, mem_free …)"
        hint = "add `resource: NAME` to `memory` in the site profile (qconf -sc lists the names), or `directive: omit`"
        yield Problem(cause, origin or above, hint)
    if unit is not None and unit not in dialect.memory_units:
        none = f"none, leave it out: a job's memory is asked for in a unit that {system} always takes"
        hint = f"allowed with {system}: {', '.join(dialect.memory_units) or none}"
        yield Problem(f"memory.unit: {unit!r}", document.origins.get(("memory", "unit")), hint)


def of_profile(dialect: Dialect, resolved: Resolved, context: Context) -> Iterator[Problem]:
    """The profile of a run whose queues are known."""
    site, document = resolved.site, resolved.site_document
    groups = resolved.of_groups()
    of_jobs = (place for each in groups or [resolved] for place in places(each, context))
    queues = dict.fromkeys(name for place in of_jobs for name in place.queues if name is not None)
    gpus = any(of_group.profile.workers.gpus for of_group in groups) and bool(site.resources.get("gpus"))
    words, memory = without_workers.words(dialect, resolved.profile)
    yield from directive_faults(words, site, document, queues, _asked(resolved), gpus, memory)
    yield from constraint(dialect, site, resolved.profile.constraint, resolved.origin("constraint"))
    for each in groups:
        own, origin = each.profile.workers.constraint, each.origin("workers", "constraint")
        yield from in_group(each.group, constraint(dialect, site, own, origin, "workers.constraint"))
    yield from of_site(dialect, site, document)
    yield from _launcher(dialect, resolved)
    yield from _layout(dialect, resolved)


def _asked(resolved: Resolved) -> list[Written]:
    """The profile's own directives: the run's, those of all workers, those of each group."""
    workers = resolved.profile.workers
    own: dict[KeyPath, list[str] | None] = {
        ("directives",): resolved.profile.directives,
        ("workers", "directives"): workers.directives,
        **{("workers", "groups", name, "directives"): each.directives for name, each in workers.groups.items()},
    }
    return [Written(directives, resolved.document, path) for path, directives in own.items() if directives]


def constraint(
    dialect: Dialect, site: Site, words: str | None, origin: Origin | None, key: str = "constraint"
) -> Iterator[Problem]:
    """One that would be more than a constraint where the batch system's template puts it."""
    pattern = dialect.constraint_pattern
    if words is not None and pattern is not None and not re.fullmatch(pattern, words):
        cause = f"{key}: {site.batch_system} does not take {words!r}"
        yield Problem(cause, origin, f"write {dialect.constraint_words}")


def _launcher(dialect: Dialect, resolved: Resolved) -> Iterator[Problem]:
    """One that belongs to another batch system, or has to be told hosts that nobody knows."""
    site, origins = resolved.site, resolved.site_document.origins
    if (kind := layout_of_run(resolved.profile).launcher) is None:
        return
    given = site.launchers.of(kind)
    name = given.name if given else None
    found, usual = dialect.launcher(kind, name), dialect.launcher(kind)
    assert usual is not None
    if found is None or (found.needs_hosts and not dialect.gives_hosts):
        cause = f"launchers.{kind}: {name or usual.name} does not go with {site.batch_system}"
        yield Problem(cause, origins.get(("launchers", kind)) or origins.get(()), f"usual there: {usual.name}")


def _layout(dialect: Dialect, resolved: Resolved) -> Iterator[Problem]:
    """Several jobs where there can be but one, or where the main one cannot let the others go."""
    site, layout = resolved.site, resolved.profile.layout
    if layout_of_run(resolved.profile).all_at_once:
        return
    if dialect.array_index is None:
        cause = f"layout: {site.batch_system} has no jobs that belong together, as {layout} needs them"
        yield Misfit(cause, resolved.origin("layout"), OTHER_LAYOUT)
    elif dialect.holds_jobs and site.jobs_may("cancel") is False:
        cause = (
            f"layout: {layout} needs jobs that may speak to the batch system: on {site.batch_system} the"
            f" scheduler's job lets the worker jobs go, and {site.name} forbids it"
        )
        origins = resolved.site_document.origins
        origin = origins.get(("from_compute", "cancel")) or origins.get(("submit_from_compute",))
        yield Misfit(cause, origin, OTHER_LAYOUT)


def of_plan(dialect: Dialect, plan: Plan, resolved: Resolved) -> Iterator[Problem]:
    """Hosts and slots that cannot be had."""
    document = resolved.site_document
    nodes, slots = (max(getattr(job, key) for job in plan.jobs) for key in ("nodes", "slots_per_node"))
    if plan.launcher is not None:
        kind = plan.launcher.kind
        launcher, origin = dialect.launcher(kind, plan.launcher.name), document.origins.get(("launchers", kind))
        too_many = launcher is not None and launcher.most_nodes is not None and nodes > launcher.most_nodes
        if launcher and too_many and resolved.site.queues:  # of a single machine its size tells it
            cause = f"launchers.{kind}: it starts processes on {launcher.most_nodes} node, {nodes} are asked for"
            yield Misfit(cause, origin, "lower workers.count, or name another launcher in the site profile")
    if not dialect.parallel_environments or resolved.site.parallel_environments.of(nodes) or max(nodes, slots) == 1:
        return
    kind_of_job, needs = ("nodes", "several hosts") if nodes > 1 else ("node", "several slots")
    key = f"parallel_environments.{kind_of_job}"
    origin = document.nearest("parallel_environments", kind_of_job) or document.whole
    hint = f"add `parallel_environments: {{{kind_of_job}: NAME}}` to the site profile (qconf -spl lists the names)"
    if nodes > 1:
        hint += ", or stay on one host: fewer workers.count, or more workers.per_node"
    yield Problem(f"{key}: the site has none, and the plan needs {needs}", origin, hint)


def unused(dialect: Dialect, resolved: Resolved) -> list[str]:
    """Notes on what the profile asks for and the batch system has no word for: one profile is to run on every site."""
    passed_on = resolved.profile.passed_on() if resolved.site.queues else []  # planning notes them on a machine without
    keys = [key for key in passed_on if key not in {**dialect.said, **dialect.instead}]
    given = [key for key in dict.fromkeys((*dialect.unused, *keys)) if getattr(resolved.profile, key)]
    found = [(resolved.origin(key), key) for key in given]
    for each in resolved.of_groups() if resolved.site.queues else ():
        for key in ("qos", "constraint"):
            if key in (*dialect.unused, *keys) and getattr(each.profile.workers, key):
                path = ("workers", key) if each.is_for_all(key) else (*each.workers_path, key)
                found.append((each.origin("workers", key), dotted(path)))
    batch_system = resolved.site.batch_system
    return [f"{origin}: {key} is not used: {batch_system} has no such thing" for origin, key in dict.fromkeys(found)]
