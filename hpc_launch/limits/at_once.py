"""How much of something a user may have running at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpc_launch.config.origin import Origin
from hpc_launch.limits.misfit import Misfit, where
from hpc_launch.limits.node import usable_gpus, usable_memory
from hpc_launch.models.plan import Job, Plan
from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_memory


@dataclass(frozen=True)
class _Amount:
    """Something that is limited."""

    of: Callable[[Job], int]
    """How much of it one element takes."""
    said: Callable[[int], str]
    """So much of it, in words."""
    lower: tuple[str, ...]
    """Keys of the profile that make it less."""
    higher: tuple[str, ...] = ()


CORES = _Amount(
    lambda job: job.nodes * job.charged_cores_per_node,
    lambda cores: f"{cores} cores",
    ("workers.count", "workers.threads"),
)
MEMORY = _Amount(
    lambda job: job.nodes * job.memory_bytes_per_node,
    lambda size: f"{format_memory(size)} in all",
    ("workers.count", "workers.memory"),
)
NODES = _Amount(
    lambda job: job.nodes, lambda nodes: f"{nodes} node{'s' * (nodes > 1)}", ("workers.count",), ("workers.per_node",)
)
JOBS = _Amount(lambda job: 1, lambda jobs: f"{jobs} job{'s' * (jobs > 1)}", ("workers.count",), ("workers.per_node",))


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
    origin: Origin

    def misfit(self) -> Misfit:
        """More than that is asked for."""
        said = self.amount.said
        message = f"{said(self.asked)} are asked for, {self.rule.replace('MOST', said(self.most))}"
        kind = ("at once", self.rule, self.amount.lower[-1])
        return Misfit(message, self.origin, kind=kind, lower=self.amount.lower, higher=self.amount.higher)


def at_once(plan: Plan, resolved: Resolved, queues: Mapping[str | None, Queue]) -> Iterator[Limit]:
    """Every limit that the site has, whether it is kept or not."""
    site, running, origin = resolved.site, resolved.site.limits.running, resolved.origin("workers", "count")
    user = f"a user of {site.name} may use MOST at once"
    yield from _limit(CORES, user, running.cores, plan, plan.jobs, origin)
    yield from _limit(MEMORY, user, running.memory, plan, plan.jobs, origin)
    yield from _limit(JOBS, f"a user of {site.name} may run MOST at once", running.jobs, plan, plan.jobs, origin)
    for name in dict.fromkeys(job.qos for job in plan.jobs if job.qos in site.qos):
        qos, jobs = site.qos[str(name)], [job for job in plan.jobs if job.qos == name]
        rule = f"the QOS {name!r} of {site.name} allows MOST"
        yield from _limit(CORES, rule, qos.cores, plan, jobs, resolved.origin("qos"))
        yield from _limit(JOBS, rule, qos.jobs, plan, jobs, resolved.origin("qos"))
    for queue in dict.fromkeys(job.queue for job in plan.jobs):
        jobs = [job for job in plan.jobs if job.queue == queue]
        here = where(jobs[0], resolved)
        yield from _limit(JOBS, f"a user may run MOST at once in {here}", queues[queue].max_jobs, plan, jobs, origin)
        most = queues[queue].max_user_nodes
        yield from _limit(NODES, f"a user may have MOST at once in {here}", most, plan, jobs, origin)
        if others := [job for job in jobs if job.after is not None]:
            capacity = _capacity(others[0], queues[queue], site)
            yield from _limit(JOBS, f"{here} has room for MOST at once", capacity, plan, others, origin)


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


def _limit(
    amount: _Amount, rule: str, most: int | None, plan: Plan, jobs: Sequence[Job], origin: Origin
) -> Iterator[Limit]:
    """Whole jobs have to run; of the workers' elements so many as hold `minimum` workers."""
    if most is None:
        return
    whole = sum(amount.of(job) for job in jobs if job.after is None)
    elements = [(amount.of(job), job.array or 1) for job in jobs if job.after is not None]
    asked = whole + sum(each * number for each, number in elements)
    needed = -(-plan.minimum // plan.workers.per_node)
    least = whole + (elements[0][0] * needed if elements else 0)
    yield Limit(amount, rule, most, asked, min(asked, least), origin)
