"""One job: what is asked of the batch system for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from hpc_launch.checks.site.resources import of_a_job, with_numbers
from hpc_launch.models.job import Job, Role, Share
from hpc_launch.models.profile import Profile, Workers
from hpc_launch.models.site import Queue
from hpc_launch.plan.node import headroom, memory_grain, usable_gpus
from hpc_launch.plan.queues import Place
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, ceil_to


@dataclass(frozen=True)
class Part:
    """A job's part in the run."""

    name: str
    role: Role
    group: str | None
    after: str | None = None
    script: str | None = None
    """None: named as the job."""


def make_job(
    resolved: Resolved, part: Part, place: Place, holds: Sequence[Share], nodes: int = 1, ranks_per_node: int = 1
) -> Job:
    """A job of so many nodes, each of which has room for what it `holds`; not an array."""
    profile, site, queue = resolved.profile, resolved.site, place.queue
    own = profile.workers if part.role == "workers" else None
    cores = max(1, sum(share.number * share.cores for share in holds))
    memory = sum(share.number * share.memory_bytes for share in holds)
    gpus = sum(share.number * share.gpus for share in holds)
    slots = _slots(resolved, cores, nodes)
    asked = ceil_to(Fraction(memory) / (1 - headroom(resolved)), memory_grain(site, slots))
    numbers = (nodes, cores, asked // MIB, gpus, profile.account)
    of_site = [said for words in (*site.directives, *queue.directives) if (said := of_a_job(words, *numbers))]
    file = part.script or f"{part.name}.sh"
    return Job(
        name=part.name,
        role=part.role,
        group=part.group,
        file=file,
        template="workers" if own else part.name,
        after=part.after,
        log=f"logs/{file.removesuffix('.sh')}-job" if own else "logs/job",
        nodes=nodes,
        ranks_per_node=ranks_per_node,
        holds=tuple(holds),
        cores_per_node=cores,
        charged_cores_per_node=max(_charged(cores, each) for each in place.queues.values()),
        slots_per_node=slots,
        memory_bytes_per_node=asked,
        gpus_per_node=gpus,
        walltime_seconds=place.walltime,
        end_early_seconds=end_early(place.walltime),
        queue=place.name,
        qos=(own and own.qos) or profile.qos or queue.qos,
        mail_to=None if own else profile.mail.to,  # nobody wants one from each element
        requeue=site.requeue and part.role != "scheduler",  # its workers do not come twice
        resources=_gpus(resolved, place, nodes, gpus),
        directives=(*of_site, *directives_of(profile, own)),
        array=None,
        first_element=0,
        constraint=(own and own.constraint) or profile.constraint,
    )


def _charged(cores: int, queue: Queue) -> int:
    """The cores of a node for which a job pays that asks for so many."""
    return max(cores, queue.cores or 0) if queue.exclusive else cores


def in_queue(job: Job, name: str | None, queue: Queue) -> Job:
    """The same job, in one of its queues."""
    return replace(job, queue=name, charged_cores_per_node=_charged(job.cores_per_node, queue))


def directives_of(profile: Profile, own: Workers | None) -> Sequence[str]:
    """The profile's own for a job: those of the run, unless its workers have others."""
    return profile.directives if own is None or own.directives is None else own.directives


def end_early(walltime: int | None) -> int:
    """Seconds that a job keeps for its own end: a twentieth of the walltime, between ten seconds and a minute.

    Ending takes three to four seconds on three nodes; the rest is for a workload that saves its state when told to end.
    """
    return 60 if walltime is None else max(10, min(60, walltime // 20))


def _slots(resolved: Resolved, cores: int, nodes: int) -> int:
    environment = resolved.site.parallel_environments.of(nodes)
    return environment.slots if environment and environment.slots else cores


def _gpus(resolved: Resolved, place: Place, nodes: int, number: int) -> tuple[str, ...]:
    """In the site's words, for so many on each of so many nodes; none where they come with a whole node."""
    words = resolved.site.resources.get("gpus")
    if not number or words is None or usable_gpus(place.queue, resolved.site) == 0:
        return ()
    return (with_numbers(words, number, nodes),)
