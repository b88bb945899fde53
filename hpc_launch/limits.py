"""Does a plan fit the site? Every limit that it breaks, with the numbers; nothing is ever made smaller silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpc_launch.config.origin import Origin
from hpc_launch.errors import Problem
from hpc_launch.models.plan import Job, Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import BATCH_UNITS, MIB, format_memory, format_walltime

LEAST_TIME = 5
"""Seconds that a job has for itself, at least."""


def memory_grain(site: Site, cores: int) -> int:
    """Bytes in whose multiples memory can be asked for on a node of which so many cores (slots) are asked for."""
    unit = max(MIB, BATCH_UNITS.get(site.memory.unit or "", MIB))
    return unit * cores if site.memory.directive in ("per-cpu", "per-slot") else unit


def usable_memory(queue: Queue, site: Site) -> int | None:
    """Bytes of a node that can be asked for: batch systems count whole MiB, on some sites for each core."""
    if queue.memory is None:
        return None
    grain = memory_grain(site, queue.cores or 1)
    return queue.memory // grain * grain


Queues = Mapping[str | None, Queue]
"""By name; None: this machine."""


def check(plan: Plan, resolved: Resolved, queues: Queues) -> tuple[list[Problem], list[str]]:
    """What of the site the plan breaks, and what it only cannot have all at once."""
    problems = [*_submitted(plan, resolved)]
    for job in plan.jobs:
        queue = queues[job.queue]
        problems += [*_node(job, plan, resolved, queue), *_size(job, plan, resolved, queue)]
        problems += _time(job, resolved, queue)
    warnings = []
    for limit in _at_once(plan, resolved, queues):
        if limit.least > limit.most:
            problems.append(limit.problem())
        elif limit.asked > limit.most:
            warnings.append(f"{limit.problem().message}: the others wait")
    return _each_once(problems), warnings


def _each_once(problems: list[Problem]) -> list[Problem]:
    """Arrays that are alike have the same faults."""
    return list(dict.fromkeys(problems))


def _where(job: Job, resolved: Resolved) -> str:
    return f"queue {job.queue!r} of {resolved.site.name}" if job.queue else f"{resolved.site.name} (this machine)"


def held_by_a_node(job: Job, plan: Plan, workers: str, scheduler: str, workload: str) -> str:
    """What a node of this job is asked to hold, as a sum: each part is left out where it is in another job."""
    held = [workers] if plan.has_workers(job) else []
    if job.after is None:
        held += [f"{scheduler} for the scheduler", f"{workload} for the workload"]
    return " + ".join(held)


def _node(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    """What is asked of one node against what one node has."""
    profile, site = resolved.profile, resolved.site
    where = _where(job, resolved)
    workers = f"{plan.workers.per_node} workers ×"
    each = f"{workers} {plan.workers.threads} threads"
    cores = held_by_a_node(job, plan, each, str(plan.scheduler.cores), str(profile.workload.cores))
    origin = resolved.origin("workers", "per_node" if profile.workers.per_node else "threads")
    if queue.cores is not None and job.cores_per_node > queue.cores:
        yield Problem(
            f"{job.cores_per_node} cores per node are asked for, a node of {where} has {queue.cores} ({cores})",
            origin,
            "lower workers.threads or workers.per_node",
        )
    environment = site.parallel_environments.nodes if job.nodes > 1 else None
    if environment and environment.slots and job.cores_per_node > environment.slots:
        yield Problem(
            f"{job.cores_per_node} cores per node are asked for, the parallel environment {environment.name!r} of"
            f" {site.name} gives {environment.slots} slots on each host",
            origin,
            "lower workers.threads or workers.per_node",
        )
    usable = usable_memory(queue, site)
    if usable is not None and job.memory_bytes_per_node > usable:
        each = f"{workers} {format_memory(plan.workers.memory_bytes)}"
        beside = (format_memory(profile.scheduler.memory), format_memory(profile.workload.memory))
        memory = held_by_a_node(job, plan, each, *beside)
        yield Problem(
            f"{format_memory(job.memory_bytes_per_node)} per node are asked for, a node of {where} has"
            f" {format_memory(usable)} ({memory}, and {float(site.memory.headroom):.0%} stay free)",
            resolved.origin("workers", "memory"),
            "lower workers.memory or workers.per_node",
        )


def _size(job: Job, plan: Plan, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    limits = [limit for limit in (queue.nodes, queue.max_nodes) if limit is not None]
    if limits and job.nodes > min(limits):
        per_node = plan.workers.per_node
        yield Problem(
            f"{job.nodes} nodes are asked for, a job in {_where(job, resolved)} may have {min(limits)}"
            f" ({plan.workers.count} workers, {per_node} on a node)",
            resolved.origin("workers", "count"),
            f"at most {per_node * min(limits)} workers fit at {per_node} on a node: lower workers.count",
        )


def _time(job: Job, resolved: Resolved, queue: Queue) -> Iterator[Problem]:
    rule = resolved.site.qos.get(job.qos) if job.qos else None
    # The site profile says what a quality of service allows; it may be more than the queue (Ceres: 60 days, not 21).
    limit = rule.walltime if rule and rule.walltime else queue.walltime
    who = f"the QOS {job.qos!r} of {resolved.site.name}" if rule and rule.walltime else _where(job, resolved)
    key = "workers.walltime" if job.after and resolved.profile.workers.walltime else "walltime"
    origin = resolved.origin(*key.split("."))
    if limit is not None and job.walltime_seconds is not None and job.walltime_seconds > limit:
        yield Problem(
            f"a walltime of {format_walltime(job.walltime_seconds)} is asked for,"
            f" {who} allows {format_walltime(limit)}",
            origin,
            f"at most --set {key}={format_walltime(limit)}",
        )
    if job.walltime_seconds is not None and job.walltime_seconds < job.end_early_seconds + LEAST_TIME:
        yield Problem(
            f"a walltime of {format_walltime(job.walltime_seconds)} is too short: the job ends"
            f" {job.end_early_seconds} s before it",
            origin,
            f"at least --set {key}={format_walltime(job.end_early_seconds + LEAST_TIME)}",
        )


def _submitted(plan: Plan, resolved: Resolved) -> Iterator[Problem]:
    """Every element of an array is a job."""
    jobs, most = sum(job.array or 1 for job in plan.jobs), resolved.site.limits.submitted.jobs
    if most is not None and jobs > most:
        elements = max(1, most - 1)
        yield Problem(
            f"{jobs} jobs would be submitted, a user of {resolved.site.name} may have {most}"
            f" ({plan.workers.count} workers, {plan.workers.per_node} on each, and the scheduler's)",
            resolved.origin("workers", "count"),
            f"at most {elements * plan.workers.per_node} workers fit at {plan.workers.per_node} on a node:"
            " lower workers.count, or raise workers.per_node",
        )


@dataclass(frozen=True)
class _Limit:
    """Something of which a user may have only so much at once."""

    what: Callable[[int], str]
    """An amount in words."""
    rule: str
    """The site's, with MOST for the amount."""
    most: int
    asked: int
    least: int
    """Of what is asked for, what the run cannot begin without."""
    origin: Origin
    hint: str

    def problem(self) -> Problem:
        rule = self.rule.replace("MOST", self.what(self.most))
        message = f"{self.what(self.asked)} are asked for, {rule}"
        return Problem(message, self.origin, self.hint)


def _at_once(plan: Plan, resolved: Resolved, queues: Queues) -> Iterator[_Limit]:
    site = resolved.site
    running, origin, hint = site.limits.running, resolved.origin("workers", "count"), "lower workers.count"
    user = f"a user of {site.name} may use MOST at once"
    yield from _limit("cores", user, running.cores, plan, plan.jobs, origin, hint)
    yield from _limit("memory", user, running.memory, plan, plan.jobs, origin, f"{hint} or workers.memory")
    yield from _limit(
        "jobs", f"a user of {site.name} may run MOST at once", running.jobs, plan, plan.jobs, origin, hint
    )
    for name in dict.fromkeys(job.qos for job in plan.jobs if job.qos in site.qos):
        qos, jobs = site.qos[str(name)], [job for job in plan.jobs if job.qos == name]
        rule = f"the QOS {name!r} of {site.name} allows MOST"
        other = f"{hint}, or choose another qos"
        yield from _limit("cores", rule, qos.cores, plan, jobs, resolved.origin("qos"), other)
        yield from _limit("jobs", rule, qos.jobs, plan, jobs, resolved.origin("qos"), other)
    for queue in dict.fromkeys(job.queue for job in plan.jobs):
        jobs = [job for job in plan.jobs if job.queue == queue]
        rule = f"a user may run MOST at once in {_where(jobs[0], resolved)}"
        yield from _limit("jobs", rule, queues[queue].max_jobs, plan, jobs, origin, hint)
        if others := [job for job in jobs if job.after is not None]:
            rule = f"{_where(jobs[0], resolved)} has room for MOST at once"
            yield from _limit("jobs", rule, _capacity(others[0], queues[queue], site), plan, others, origin, hint)


def _capacity(job: Job, queue: Queue, site: Site) -> int | None:
    """How many elements of a worker array the nodes of its queue hold at once; None: nobody knows."""
    if queue.nodes is None or queue.cores is None:
        return None
    fits = [queue.cores // job.cores_per_node]
    if (memory := usable_memory(queue, site)) is not None:
        fits.append(memory // job.memory_bytes_per_node)
    return queue.nodes * max(1, min(fits))


AMOUNTS: dict[str, tuple[Callable[[Job], int], Callable[[int], str]]] = {
    "cores": (lambda job: job.nodes * job.cores_per_node, lambda cores: f"{cores} cores"),
    "memory": (lambda job: job.nodes * job.memory_bytes_per_node, lambda size: f"{format_memory(size)} in all"),
    "jobs": (lambda job: 1, lambda jobs: f"{jobs} job{'s' if jobs > 1 else ''}"),
}
"""What is limited: how much of it one element takes, and how that is said."""


def _limit(
    kind: str, rule: str, most: int | None, plan: Plan, jobs: Sequence[Job], origin: Origin, hint: str
) -> Iterator[_Limit]:
    """Whole jobs have to run; of the workers' elements so many as hold `minimum` workers."""
    if most is None:
        return
    amount, said = AMOUNTS[kind]
    whole = sum(amount(job) for job in jobs if job.after is None)
    elements = [(amount(job), job.array or 1) for job in jobs if job.after is not None]
    asked = whole + sum(each * number for each, number in elements)
    needed = -(-plan.minimum // plan.workers.per_node)
    least = whole + (elements[0][0] * needed if elements else 0)
    yield _Limit(said, rule, most, asked, min(asked, least), origin, hint)
