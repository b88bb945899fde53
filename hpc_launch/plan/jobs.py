"""One job: what is asked of the batch system for it."""

from __future__ import annotations

from fractions import Fraction

from hpc_launch.errors import DoesNotFit, Problem
from hpc_launch.limits.node import memory_grain, usable_gpus
from hpc_launch.models.plan import Job
from hpc_launch.models.site import Queue
from hpc_launch.resolve import Resolved
from hpc_launch.sites.rules.resources import with_numbers
from hpc_launch.units import ceil_to


def make_job(
    resolved: Resolved,
    queue_name: str | None,
    queue: Queue,
    walltime: int | None,
    *,
    name: str,
    cores: int,
    memory: int,
    nodes: int = 1,
    ranks_per_node: int = 1,
    after: str | None = None,
    elements: int = 1,
    first: int = 0,
    gpus: int = 0,
    requeue: bool | None = None,
) -> Job:
    """A job; `memory` in bytes is what its processes on one node need, and `gpus` are those of one node."""
    profile, site = resolved.profile, resolved.site
    return Job(
        name=name,
        file=f"{name}.sh",
        template=name.partition("-")[0],
        after=after,
        log="logs/job" if after is None else f"logs/{name}-job",
        nodes=nodes,
        ranks_per_node=ranks_per_node,
        cores_per_node=cores,
        charged_cores_per_node=max(cores, queue.cores or 0) if queue.exclusive else cores,
        slots_per_node=(slots := _slots(resolved, cores, nodes)),
        memory_bytes_per_node=ceil_to(Fraction(memory) / (1 - site.memory.headroom), memory_grain(site, slots)),
        gpus_per_node=gpus,
        walltime_seconds=walltime,
        end_early_seconds=end_early(walltime),
        queue=queue_name,
        qos=_qos(resolved, queue_name, queue),
        mail_to=profile.mail.to if after is None else None,  # nobody wants one from each element
        requeue=site.requeue if requeue is None else requeue,
        resources=_gpus(resolved, queue_name, queue, nodes, gpus),
        directives=[*site.directives, *queue.directives, *profile.directives],
        array=elements if elements > 1 else None,  # PBS refuses an array of one
        first_element=first,
    )


def end_early(walltime: int | None) -> int:
    """Seconds that a job keeps for its own end: a twentieth of the walltime, between ten seconds and a minute.

    Ending takes three to four seconds on three nodes; the rest is for a workload that saves its state when told to end.
    """
    return 60 if walltime is None else max(10, min(60, walltime // 20))


def _slots(resolved: Resolved, cores: int, nodes: int) -> int:
    environment = resolved.site.parallel_environments.of(nodes)
    return environment.slots if environment and environment.slots else cores


def _qos(resolved: Resolved, queue_name: str | None, queue: Queue) -> str | None:
    """The quality of service of a job; raises DoesNotFit where the queue is for another one."""
    given, site = resolved.profile.qos, resolved.site
    if given and queue.qos and given != queue.qos:
        others = [name for name, other in site.queues.items() if other.qos in (None, given)]
        hint = f"leave qos out, or --set queue={others[0]}" if others else "leave qos out"
        cause = f"qos: queue {queue_name!r} of {site.name} is for the QOS {queue.qos!r}, not for {given!r}"
        raise DoesNotFit(Problem(cause, resolved.origin("qos"), hint))
    return given or queue.qos


def _gpus(resolved: Resolved, queue_name: str | None, queue: Queue, nodes: int, number: int) -> list[str]:
    """In the site's words, for so many on each of so many nodes."""
    site = resolved.site
    if not number or usable_gpus(queue, site) == 0:
        return []  # of a queue without any `limits` tells
    if queue.exclusive and queue.gpus and "gpus" not in site.resources:
        return []  # they come with a whole node, where no directive is needed for them
    if "gpus" not in site.resources:
        key = f"queues.{queue_name}.gpus" if queue.exclusive else "resources.gpus (docs/contracts.md)"
        hint = f"a sysadmin of {site.name} can say it in its site profile: {key}"
        cause = f"workers.gpus: {site.name} does not say how GPUs are asked for"
        raise DoesNotFit(Problem(cause, resolved.origin("workers", "gpus"), hint))
    return [with_numbers(site.resources["gpus"], number, nodes)]
