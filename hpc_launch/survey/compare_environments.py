"""Parallel environments of a site profile against those of the live machine; sge_pe(5), queue_conf(5)."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.batch.machine import Environment
from hpc_launch.config.origin import KeyPath
from hpc_launch.models.site import ParallelEnvironment
from hpc_launch.survey.findings import Comparison, Difference


def environments(both: Comparison) -> Iterator[Difference]:
    """By name; of a batch system without such things there is nothing to say."""
    if both.machine.environments is None:
        return
    kinds = {"node": _node, "nodes": _nodes}
    for key, wanted in vars(both.site.parallel_environments).items():
        if wanted is None:
            continue
        path: KeyPath = ("parallel_environments", key)
        live = both.machine.environments.get(wanted.name)
        if live is None:
            known = ", ".join(both.machine.environments) or "none at all"
            yield both.differ(path, wanted.name, f"has none of this name in a queue; it has {known}")
        else:
            yield from kinds[key](both, path, wanted, live)
            yield from _queues(both, key, wanted, live)


def _node(both: Comparison, path: KeyPath, wanted: ParallelEnvironment, live: Environment) -> Iterator[Difference]:
    """All slots of a job on one host: by the rule itself, or since a host gives just as many as are asked for."""
    if live.one_host or (wanted.slots is not None and wanted.slots == live.slots):
        return
    if wanted.slots is None or live.slots is None:
        each = f", {live.slots} slots on each" if live.slots else ""
        yield both.differ(path, wanted.name, f"uses several hosts for it{each}")
    else:
        yield both.differ((*path, "slots"), str(wanted.slots), f"gives {live.slots} on each host")


def _nodes(both: Comparison, path: KeyPath, wanted: ParallelEnvironment, live: Environment) -> Iterator[Difference]:
    if live.one_host:
        yield both.differ(path, wanted.name, "uses one host for it")
        return
    if not live.starts_elsewhere:
        yield both.differ(path, wanted.name, "lets its jobs start nothing on their other hosts (control_slaves)")
    if wanted.slots != live.slots:
        said = "" if wanted.slots is None else str(wanted.slots)
        clause = f"gives {live.slots} on each host" if live.slots else "fixes no number for a host"
        yield both.differ((*path, "slots"), said, clause, grave=wanted.slots is not None)


def _queues(both: Comparison, key: str, wanted: ParallelEnvironment, live: Environment) -> Iterator[Difference]:
    """A job that asks for an environment that its queue does not give waits for ever."""
    if not live.queues or not both.names_queues:
        return
    there = {queue.name for queue in both.machine.queues}
    for name in both.site.queues:
        if name in there and name not in live.queues:
            clause = f"gives it in {', '.join(sorted(live.queues))} alone"
            yield both.differ(("queues", name), f"parallel_environments.{key} is {wanted.name}", clause)
