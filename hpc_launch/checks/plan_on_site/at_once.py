"""How much of something a user may have running at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from hpc_launch.checks.misfit import Misfit, where
from hpc_launch.checks.plan_on_site.job import (
    DENSER,
    cores_in_words,
    cores_key,
    fewer_nodes,
    memory_in_words,
    nodes_in_words,
    of_all_groups,
)
from hpc_launch.config.origin import Origin
from hpc_launch.models.job import Job
from hpc_launch.models.plan import Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.plan.jobs import in_queue
from hpc_launch.plan.node import usable_gpus, usable_memory
from hpc_launch.resolve import Resolved


class _Amount(NamedTuple):
    """Something that is limited."""

    name: str
    of: Callable[[Job], int]
    """How much of it one element takes."""
    said: Callable[[int], str]
    """So much of it, in words."""
    of_a_worker: Callable[[Resolved], str] | None = None
    """The key that says how much of it one worker takes; None: what counts is how many nodes there are."""


CORES = _Amount(
    "cores",
    lambda job: job.nodes * job.charged_cores_per_node,
    cores_in_words,
    cores_key,
)
MEMORY = _Amount(
    "memory",
    lambda job: job.nodes * job.memory_bytes_per_node,
    memory_in_words,
    lambda resolved: "workers.memory",
)
NODES = _Amount("nodes", lambda job: job.nodes, nodes_in_words)
JOBS = _Amount("jobs", lambda job: 1, lambda jobs: f"{jobs} job{'s' * (jobs > 1)}")
WORKER_JOBS = _Amount("worker jobs", lambda job: 1, lambda jobs: f"{jobs} worker job{'s' * (jobs > 1)}")


@dataclass(frozen=True)
class Limit:
    """Of something a user may have only so much at once."""

    amount: _Amount
    rule: str
    """The site's, with MOST for the amount."""
    most: int
    asked: int
    least: int
    """Of what is asked for, what the run cannot begin without."""
    minimum: int | None
    """Workers without which it cannot begin, where these come in jobs of their own."""
    origin: Origin
    whole_nodes: bool
    """Whether more is charged than is asked for."""
    sum: str
    """How what is asked for came about; empty: that is plain."""
    elsewhere: bool = False
    """Whether what has no room there may start in another queue."""

    def said(self) -> str:
        """The site's rule, with the number."""
        whole = ", and whole nodes count" if self.whole_nodes and self.amount is CORES else ""
        return self.rule.replace("MOST", self.amount.said(self.most)) + whole

    def waits(self) -> str:
        """That not all can run at once."""
        waits = "the others wait" + (", or start in another queue" if self.elsewhere else "")
        return f"{self.amount.said(self.asked)}{self.sum} are asked for, {self.said()}: {waits}"

    def misfit(self, resolved: Resolved) -> Misfit:
        """The run could never begin."""
        least = self.amount.said(self.least)
        asked = f"{least}{self.sum} are asked for"
        if self.minimum:
            first = f"{self.minimum} workers (workers.minimum)" if self.minimum > 1 else "worker"
            asked = f"{least} are needed at once for the first {first}"
        return Misfit(
            f"{asked}, {self.said()}",
            self.origin,
            kind=("at once", self.rule, self.amount.name),
            lower=self._lower(resolved),
            higher=of_all_groups(resolved, lambda each: DENSER),
            asked=self.least,
            limit=self.most,
        )

    def _lower(self, resolved: Resolved) -> tuple[str, ...]:
        """The keys of which a smaller number may make it less."""
        return of_all_groups(resolved, self._lower_of_group)

    def _lower_of_group(self, resolved: Resolved) -> tuple[str, ...]:
        least = ("workers.minimum", "workers.per_node") if self.minimum else ()
        worker = (self.amount.of_a_worker(resolved),) if self.amount.of_a_worker else ()
        return (*least, *(DENSER if worker else ()), *worker, *fewer_nodes(resolved))


def at_once(plan: Plan, resolved: Resolved) -> Iterator[Limit]:
    """Every limit that the site has, whether it is kept or not."""
    site, running, origin = resolved.site, resolved.site.limits.running, resolved.origin("workers", "count")
    user = f"a user of {site.name} may use MOST at once"
    yield from _limit(CORES, user, running.cores, plan, plan.jobs, origin)
    yield from _limit(MEMORY, user, running.memory, plan, plan.jobs, origin)
    if plan.at_once is not None:  # the others wait, also where there is room
        per_core = "" if running.jobs else ", one per core"
        workers = [job for job in plan.jobs if job.role == "workers"]
        yield from _limit(WORKER_JOBS, f"{site.name} runs MOST at once{per_core}", plan.at_once, plan, workers, origin)
        return
    yield from _limit(JOBS, f"a user of {site.name} may run MOST at once", running.jobs, plan, plan.jobs, origin)
    for given in dict.fromkeys(job.qos for job in plan.jobs if job.qos in site.qos):
        qos, jobs = site.qos[str(given)], [job for job in plan.jobs if job.qos == given]
        rule = f"the QOS {given!r} of {site.name} allows MOST"
        yield from _limit(CORES, rule, qos.cores, plan, jobs, resolved.origin("qos"))
        yield from _limit(JOBS, rule, qos.jobs, plan, jobs, resolved.origin("qos"))
    for name in dict.fromkeys(name for job in plan.jobs for name in job.queues):
        elsewhere = all(len(job.queues) > 1 for job in plan.jobs if name in job.queues)
        yield from (replace(limit, elsewhere=elsewhere) for limit in _of_queue(name, plan, site, origin))


def _of_queue(name: str, plan: Plan, site: Site, origin: Origin) -> Iterator[Limit]:
    """Those of a queue, as if all jobs that may start in it did."""
    queue, here = site.queues[name], where(name, site)
    jobs = [in_queue(job, name, queue) for job in plan.jobs if name in job.queues]
    user = f"a user may have MOST at once in {here}"
    yield from _limit(JOBS, f"a user may run MOST at once in {here}", queue.max_jobs, plan, jobs, origin)
    yield from _limit(NODES, user, queue.max_user_nodes, plan, jobs, origin)
    yield from _limit(CORES, user, queue.max_user_cores, plan, jobs, origin)
    yield from _limit(MEMORY, user, queue.max_user_memory, plan, jobs, origin)
    for kind in plan.kinds_of_jobs:
        if kind.role == "workers" and name in kind.queues:
            alike = [job for job in jobs if job.group == kind.group]
            capacity = _capacity(in_queue(kind, name, queue), queue, site)
            yield from _limit(JOBS, f"{here} has room for MOST at once", capacity, plan, alike, origin)


def _capacity(job: Job, queue: Queue, site: Site) -> int | None:
    """How many elements of a worker array the nodes of its queue hold at once; None: nobody knows."""
    if queue.nodes is None or queue.cores is None:
        return None
    fits = [queue.cores // job.charged_cores_per_node]
    if (memory := usable_memory(queue, site)) is not None:
        fits.append(memory // job.memory_bytes_per_node)
    if job.gpus_per_node and (gpus := usable_gpus(queue, site)) is not None:
        fits.append(gpus // job.gpus_per_node)
    return queue.nodes * max(1, min(fits))


def _needed(amount: _Amount, plan: Plan, elements: Sequence[Job]) -> int:
    """How much of it the elements take that the first `minimum` workers need; of several groups no more than that."""
    of_one = {job.group: (amount.of(job), plan.group_of(job).per_node) for job in elements}
    others = (group for name, group in plan.groups.items() if name not in of_one)
    needed = max(0, plan.minimum - sum(group.most_at_once for group in others))
    if len(of_one) == 1:
        ((much, workers),) = of_one.values()
        return much * -(-needed // workers)
    return ceil(min((Fraction(needed * much, workers) for much, workers in of_one.values()), default=0))


def _limit(
    amount: _Amount, rule: str, most: int | None, plan: Plan, jobs: Sequence[Job], origin: Origin
) -> Iterator[Limit]:
    """Whole jobs have to run; of the workers' elements so many as hold `minimum` workers."""
    if most is None:
        return
    elements = [job for job in jobs if job.role == "workers"]
    whole = sum(amount.of(job) for job in jobs if job.role != "workers")
    asked = whole + sum(amount.of(job) * (job.array or 1) for job in elements)
    least = min(asked, whole + _needed(amount, plan, elements))
    whole_nodes = any(job.charged_cores_per_node > job.cores_per_node for job in jobs)
    minimum = plan.minimum if elements else None
    large = [f" ({job.nodes} nodes × {amount.said(amount.of(job) // job.nodes)})" for job in jobs if job.nodes > 1]
    nodes = "".join(large)
    yield Limit(
        amount, rule, most, asked, least, minimum, origin, whole_nodes, nodes if amount in (CORES, MEMORY) else ""
    )
