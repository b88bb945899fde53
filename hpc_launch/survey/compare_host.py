"""Network and scratch of a site profile against those of this host, which may be unlike the machine's nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hpc_launch.batch.machine import Machine
from hpc_launch.config.origin import KeyPath
from hpc_launch.context import Context
from hpc_launch.models.site import Site
from hpc_launch.quoting import expand, has_variable
from hpc_launch.survey.findings import Comparison, Difference, NotCompared
from hpc_launch.survey.host import Host
from hpc_launch.survey.scratch import Scratch, existing, look

LOCAL: KeyPath = ("storage", "local")


def scratch_here(site: Site, context: Context, on_a_node: bool) -> Scratch | None:
    """What is here at `storage.local`, which jobs expand where they run; None: that is known in a job alone.

    Args:
        on_a_node: whether this host is a compute node: elsewhere variables have other values than in jobs.
    """
    path = site.storage.local
    if not on_a_node and (has_variable(path) or path.startswith("~")):
        return None
    try:
        place = expand(path, context.variables)
    except KeyError:  # a variable that is set in jobs, and here none is running
        return None
    return look(place) if place.startswith("/") else None


def differences_here(both: Comparison) -> Iterator[Difference]:
    """Of this host, which says something for certain only if it is a compute node."""
    host, grave = both.host, both.on_a_node
    by = f"{host.name}, {'a compute node' if grave else 'no compute node'},"
    names = [each.name for each in host.interfaces]
    for path, interface in both.interfaces:
        if interface not in names:
            yield both.differ(path, interface, f"has {', '.join(names) or 'none'}", grave, by)
    if both.runs and own_to_a_host(both.runs, both.machine, host):
        which = f"has {both.runs.kind} of its own there ({both.runs.filesystem}): do all nodes see it?"
        yield both.differ(("storage", "runs"), both.site.storage.runs, which, grave=False, by=by)
    local, kind, said = both.local, both.site.storage.local_kind, both.site.storage.local
    if local and not local.filesystem:
        which = "" if local.path == said else f": {local.path}"
        yield both.differ(LOCAL, said, f"has no such directory{which}", grave, by)
    elif _differs(both):
        assert local and kind
        yield both.differ(("storage", "local_kind"), kind, f"has {local.kind} there ({local.filesystem})", grave, by)


def runs_here(site: Site, context: Context) -> Scratch | None:
    """What is here where run directories are made; None: a variable in it is not set."""
    try:
        return look(existing(os.path.join(context.directory, expand(site.storage.runs, context.variables))))
    except KeyError:
        return None


def own_to_a_host(runs: Scratch | None, machine: Machine, host: Host) -> bool:
    """Whether run directories would be on a file system of this host alone, while jobs run on others."""
    names = {node.name.partition(".")[0] for queue in machine.queues for node in queue.nodes or ()}
    others = names - {host.name.partition(".")[0]}
    return bool(runs and runs.kind in ("disk", "memory") and others)


def _differs(both: Comparison) -> bool:
    local, kind = both.local, both.site.storage.local_kind
    return bool(local and kind and local.kind and local.kind != kind)


def not_compared_here(both: Comparison) -> Iterator[NotCompared]:
    """What a host that is no compute node does not know of these; where it has something else, that was told."""
    elsewhere = "" if both.on_a_node else f"{both.host.name} is no compute node (run this check in a job)"
    names = [each.name for each in both.host.interfaces]
    if elsewhere:
        yield from (both.silent(path, elsewhere) for path, interface in both.interfaces if interface in names)
    local, storage = both.local, both.site.storage
    written = next((path for path in (LOCAL, ("storage", "local_kind")) if path in both.document.origins), None)
    if local and not local.filesystem:
        return
    if elsewhere:
        if written and not _differs(both):
            yield both.silent(written, elsewhere)
    elif local is None:
        if written:
            lacks = "a variable in it is not set here" if has_variable(storage.local) else "it is relative to each run"
            yield both.silent(written, f"{storage.local}: {lacks} (run this check in a job)")
    elif storage.local_kind and not local.kind:
        why = f"the file system there, {local.filesystem}, is none of those known"
        yield both.silent(("storage", "local_kind"), why)
