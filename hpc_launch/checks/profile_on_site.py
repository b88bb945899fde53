"""A profile, all layers of it, on its site: what planning could not go on with, and what nobody can ask for there."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch import quoting
from hpc_launch.checks.misfit import Misfit, in_group
from hpc_launch.checks.plan_on_site.job import longest_walltime
from hpc_launch.checks.queue_names import words
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.models.site import Queue
from hpc_launch.plan.layouts import places, room_for_workers
from hpc_launch.plan.node import usable_gpus, usable_memory
from hpc_launch.plan.queues import Place
from hpc_launch.plan.workers import LEAST_MEMORY, share_of_memory
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_memory, format_walltime

HALF_AN_HOUR = 1800
"""Seconds: a walltime to begin with."""


def problems(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """Those of a run whose queues are known (`missing`)."""
    run, _ = places(resolved, context)
    yield from _walltime(resolved, run)
    yield from _qos(resolved, run, "qos")
    for of_group in resolved.of_groups():
        yield from in_group(of_group.group, _of_workers(of_group, context))
    yield from _container(resolved)


def _of_workers(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """Those of the workers of one group."""
    _, place = places(resolved, context)
    yield from _qos(resolved, place, *(("workers", "qos") if resolved.profile.workers.qos else ("qos",)))
    for name, queue in place.queues.items():
        yield from _gpus(resolved, name, queue)
    yield from _memory(resolved, context)


def runs_directory(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """Where run directories are made is known here."""
    try:
        quoting.expand(resolved.site.storage.runs, context.variables)
    except KeyError as missing:
        origin = resolved.site_document.origins.get(("storage", "runs"))
        yield Problem(f"storage.runs: ${missing.args[0]} is not set", origin)


def missing(resolved: Resolved) -> Iterator[Problem]:
    """A queue was given, or there is but one; without any there is no more to say."""
    site = resolved.site
    if resolved.profile.queue is not None or len(site.queues) < 2:
        return
    hint = f"add `queue:` to the profile, or --set queue=auto; queues of {site.name}: {', '.join(site.queues)}"
    cause = f"no queue was given and {site.name} has no default"
    if default := ", ".join(words(site.defaults.get("queue"))):
        cause = f"queue: it was set to nothing, which takes away the default of {site.name}, {default}"
    yield Problem(cause, resolved.origin("queue"), hint)


def _walltime(resolved: Resolved, run: Place) -> Iterator[Problem]:
    if run.walltime is None and resolved.site.queues:
        longest = longest_walltime(resolved.site, run.queue, resolved.profile.qos or run.queue.qos)
        some = format_walltime(min(HALF_AN_HOUR, longest or HALF_AN_HOUR))
        hint = f"add `walltime: {some}` to the profile, or --set walltime={some}"
        yield Misfit("walltime: neither the profile nor the site gives one", resolved.origin(), hint)


def _qos(resolved: Resolved, place: Place, *key: str) -> Iterator[Problem]:
    """The queue may be for another one than this key says."""
    profile, site = resolved.profile, resolved.site
    given = (profile.workers if len(key) > 1 else profile).qos
    for name, queue in place.queues.items():
        if given and queue.qos and given != queue.qos:
            cause = f"{'.'.join(key)}: queue {name!r} of {site.name} is for the QOS {queue.qos!r}, not for {given!r}"
            yield Misfit(cause, resolved.origin(*key), "leave qos out, or choose another queue")


def _gpus(resolved: Resolved, name: str | None, queue: Queue) -> Iterator[Problem]:
    """The site says how they are asked for, unless they come with a whole node; of a queue without any others tell."""
    site = resolved.site
    if not resolved.profile.workers.gpus or "gpus" in site.resources or usable_gpus(queue, site) == 0:
        return
    if queue.exclusive and queue.gpus:
        return
    key = f"queues.{name}.gpus" if queue.exclusive else "resources.gpus (docs/contracts.md)"
    hint = f"a sysadmin of {site.name} can say it in its site profile: {key}"
    cause = f"workers.gpus: {site.name} does not say how GPUs are asked for"
    yield Misfit(cause, resolved.origin("workers", "gpus"), hint)


def _memory(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """What a worker is given unasked is known, and enough for one."""
    if resolved.profile.workers.memory is not None:
        return
    site, (queue, beside) = resolved.site, room_for_workers(resolved, context)
    share = share_of_memory(resolved, queue, beside)
    if share is None:
        cause = f"workers.memory: must be given, for {site.name} does not know a node's memory and cores"
        yield Misfit(cause, resolved.origin("workers"), "add `memory:` under `workers:`")
    elif share < LEAST_MEMORY:
        others = [each.of for each in beside.shares]
        yield Misfit(
            f"a node of {format_memory(usable_memory(queue, site) or 0)} leaves {format_memory(max(share, 0))} for"
            f" each worker: {float(site.memory.headroom):.0%} stay free,"
            f" {' and '.join(others)} on it ask for {format_memory(beside.memory)}",
            resolved.origin("workers"),
            f"lower {' and '.join(f'{name}.memory' for name in others)}, or choose a queue with larger nodes",
        )


def _container(resolved: Resolved) -> Iterator[Problem]:
    site = resolved.site
    if resolved.profile.environment.container and site.containers is None:
        hint = f"a sysadmin of {site.name} can add `containers: apptainer` to its site profile"
        cause = f"environment.container: {site.name} names no container runtime"
        yield Misfit(cause, resolved.origin("environment", "container"), hint)
