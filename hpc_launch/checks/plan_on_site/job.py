"""How many nodes a job may have and how long it may run, and how many jobs a user may submit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from hpc_launch.checks.misfit import Misfit, key_of_group, where
from hpc_launch.checks.plan_on_site.node import cores_held, free, memory_held, mib
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.plan.jobs import end_early
from hpc_launch.plan.layouts import MOST_SUBMISSIONS, most_elements
from hpc_launch.plan.node import headroom, most_memory
from hpc_launch.resolve import Resolved
from hpc_launch.units import GIB, format_walltime

LEAST_TIME = 5
"""Seconds that a job has for itself, at least."""
DENSER = ("workers.per_node",)
"""Of which a larger number makes nodes fewer."""


def fewer_nodes(resolved: Resolved) -> tuple[str, ...]:
    """Keys of which a smaller number makes nodes, or jobs of one node, fewer."""
    # Fewer on a node than could be are what the profile asks for; else it is their memory or their cores.
    denser = () if resolved.profile.workers.per_node else ("workers.memory", cores_key(resolved))
    return (*denser, "workers.count")


def cores_key(resolved: Resolved) -> str:
    """The key that decides how many cores a worker takes."""
    return f"workers.{resolved.profile.workers.cores_key}"


def size(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """Nodes of a job."""
    limits = [limit for limit in (queue.nodes, queue.max_nodes) if limit is not None]
    if limits and job.nodes > min(limits):
        asked = f"{job.nodes} nodes are asked for, a job in {where(job.queue, resolved.site)} may have {min(limits)}"
        yield Misfit(
            f"{asked} ({_workers(plan)} on a node)" if job.queue else _on_one_machine(job, plan, resolved, queue),
            resolved.origin("workers", "count"),
            kind=("nodes", str(job.queue)),
            asked=job.nodes,
            limit=min(limits),
            lower=fewer_nodes(resolved),
            higher=DENSER,
        )


def _on_one_machine(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> str:
    """What all workers together take of a machine that is the only node, and does not have it."""
    group = plan.group_of(job)
    if resolved.profile.workers.per_node:
        return f"{group.count} workers are asked for, {group.per_node} on a node, and this machine is one node"
    everything = [replace(each, number=group.count) if each.of == "workers" else each for each in job.holds]
    whole = replace(job, holds=tuple(everything))
    cores, memory = (sum(each.number * getattr(each, key) for each in everything) for key in ("cores", "memory_bytes"))
    if queue.cores is not None and cores > queue.cores:
        held = cores_held(whole, resolved.profile.workers.cores_key)
        return f"{cores} cores are asked for, this machine has {queue.cores} ({held})"
    asked, most = math.ceil(memory / (1 - headroom(resolved))), most_memory(queue, resolved.site) or 0
    return f"{mib(asked)} are asked for, this machine has {mib(most)} ({memory_held(whole, mib)}{free(resolved)})"


def together(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """What a queue allows one job of cores and memory, and what it wants at least, of all its nodes."""
    here, origin = where(job.queue, resolved.site), resolved.origin("workers", "count")
    cores, memory = job.nodes * job.charged_cores_per_node, job.nodes * job.memory_bytes_per_node
    for what, asked, most, key in (
        (cores_in_words, cores, queue.max_cores, cores_key(resolved)),
        (memory_in_words, memory, queue.max_memory, "workers.memory"),
    ):
        if most is not None and asked > most:
            cause = f"{what(asked)} are asked for, a job in {here} may have {what(most)}"
            yield Misfit(
                cause,
                origin,
                kind=("of a job", key, str(job.queue)),
                asked=asked,
                limit=most,
                lower=(*DENSER, key, *fewer_nodes(resolved)),
                higher=DENSER,
            )
    least = queue.least
    for what, asked, fewest in (
        (cores_in_words, cores, least.cores),
        (memory_in_words, memory, least.memory),
        (nodes_in_words, job.nodes, least.nodes),
    ):
        if fewest is not None and asked < fewest:
            cause = f"{job.file} asks for {what(asked)}, a job in {here} has to have {what(fewest)}"
            yield Misfit(cause, origin, "ask for more (workers.count, cores, memory), or name another queue")


def cores_in_words(number: int) -> str:
    return f"{number} cores"


def memory_in_words(size: int) -> str:
    return f"{size / GIB:.1f} GiB of memory"


def nodes_in_words(number: int) -> str:
    return f"{number} node{'s' * (number > 1)}"


def longest_walltime(site: Site, queue: Queue, qos: str | None) -> int | None:
    """Seconds. What a quality of service allows may be more than what the queue does (Ceres: 60 days, not 21)."""
    rule = site.qos.get(qos) if qos else None
    return rule.walltime if rule and rule.walltime else queue.walltime


def time(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Misfit]:
    """Its walltime."""
    rule, limit = resolved.site.qos.get(job.qos or ""), longest_walltime(resolved.site, queue, job.qos)
    who = f"the QOS {job.qos!r} of {resolved.site.name}" if rule and rule.walltime else where(job.queue, resolved.site)
    key = "workers.walltime" if job.role == "workers" and resolved.profile.workers.walltime else "walltime"
    origin, asked = resolved.origin(*key.split(".")), job.walltime_seconds
    if asked is not None and limit is not None and asked > limit:
        message = f"a walltime of {format_walltime(asked)} is asked for, {who} allows {format_walltime(limit)}"
        yield Misfit(message, origin, kind=("walltime", who), lower=(key,), asked=asked, limit=limit)
    if asked is not None and asked < job.end_early_seconds + LEAST_TIME:
        early = f"the job ends {job.end_early_seconds} s before it"
        message = f"a walltime of {format_walltime(asked)} is too short: {early}"
        least = end_early(0) + LEAST_TIME
        yield Misfit(message, origin, kind=("short walltime", key), higher=(key,), asked=asked, limit=least)


def submissions(plan: Plan, resolved: Resolved) -> Iterator[Misfit]:
    """Each is a call of the submit command."""
    site = resolved.site
    for name, group in plan.groups.items():
        of_group = resolved.of_group(name)
        calls = -(-group.nodes // most_elements(site, group.nodes))
        if calls > MOST_SUBMISSIONS and any(job.role == "workers" for job in plan.jobs):
            arrays = f"arrays of {site.limits.array} elements at most" if site.arrays else "no arrays"
            yield Misfit(
                f"{calls} calls of the submit command would be needed, for {site.name} has {arrays}; hpc-launch"
                f" makes {MOST_SUBMISSIONS} at most",
                of_group.origin("workers", "count"),
                kind=("submissions", name),
                asked=calls,
                limit=MOST_SUBMISSIONS,
                lower=tuple(key_of_group(of_group.group, key) for key in fewer_nodes(of_group)),
                higher=tuple(key_of_group(of_group.group, key) for key in DENSER),
            )


def submitted(plan: Plan, resolved: Resolved) -> Iterator[Misfit]:
    """Every element of an array is a job."""
    site = resolved.site
    limits = [(f"a user of {site.name} may have {{}}", site.limits.submitted.jobs, plan.jobs)]
    for name in dict.fromkeys(name for job in plan.jobs for name in job.queues):
        jobs = tuple(job for job in plan.jobs if name in job.queues)
        limits.append((f"a user may have {{}} in {where(name, resolved.site)}", site.queues[name].max_submitted, jobs))
    for rule, most, jobs in limits:
        number = sum(job.array or 1 for job in jobs)
        scheduler = ", and the scheduler's" if plan.main in jobs else ""
        if most is not None and number > most:
            yield Misfit(
                f"{number} jobs would be submitted, {rule.format(most)} ({_workers(plan)} on each{scheduler})",
                resolved.origin("workers", "count"),
                kind=("submitted", rule),
                asked=number,
                limit=most,
                lower=of_all_groups(resolved, fewer_nodes),
                higher=of_all_groups(resolved, lambda each: DENSER),
            )


def of_all_groups(resolved: Resolved, keys: Callable[[Resolved], tuple[str, ...]]) -> tuple[str, ...]:
    """Keys of the workers of a run: those of each group, if there are several."""
    return tuple(key_of_group(each.group, key) for each in resolved.of_groups() for key in keys(each))


def _workers(plan: Plan) -> str:
    """How many there are, and how many of them on a node."""
    return ", ".join(f"{group.count} workers, {group.per_node}" for group in plan.groups.values())
