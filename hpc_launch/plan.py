"""Profile × site → plan: how many nodes, and what is asked of each. Pure arithmetic."""

from __future__ import annotations

import os.path
from fractions import Fraction
from typing import Literal

from hpc_launch import quoting
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.limits import check, memory_grain, usable_memory
from hpc_launch.models.plan import (
    EnvironmentPlan,
    Job,
    ParallelEnvironmentPlan,
    Plan,
    SchedulerPlan,
    WorkerGroup,
    WorkloadPlan,
)
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Queue, Site
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, ceil_to, format_memory

LEAST_MEMORY = 100 * MIB
"""Bytes. A Dask worker that has nothing to do takes some 60 MB."""
START_TIMEOUT = 600
"""Seconds until enough workers are connected, where all of them are in one job (docs/contracts.md)."""


def make_plan(resolved: Resolved, context: Context) -> Plan:
    """Every number of a run; raises DoesNotFit with all that is too large for the site."""
    profile, site = resolved.profile, resolved.site
    queue_name, queue = _queue(resolved, context)
    group = _workers(resolved, queue)
    job = Job(
        name="job",
        file="job.sh",
        nodes=group.nodes,
        cores_per_node=group.per_node * group.threads + profile.scheduler.cores + profile.workload.cores,
        memory_bytes_per_node=_memory_per_node(group, profile, site),
        walltime_seconds=(walltime := _walltime(resolved, queue)),
        end_early_seconds=_end_early(walltime),
        queue=queue_name,
        array=None,
        groups=(group,),
    )
    plan = _plan(resolved, queue, job, context)
    if problems := check(plan, resolved, queue):
        raise DoesNotFit(*problems)
    return plan


def _queue(resolved: Resolved, context: Context) -> tuple[str | None, Queue]:
    site, name = resolved.site, resolved.profile.queue
    if not site.queues:  # one node: this machine
        return None, Queue(nodes=1, cores=context.cores, memory=f"{context.memory_bytes} B")
    if name is None and len(site.queues) == 1:
        name = next(iter(site.queues))
    if name is None:
        hint = f"add `queue:` to the profile; queues of {site.name}: {', '.join(site.queues)}"
        raise DoesNotFit(Problem(f"no queue was given and {site.name} has no default", resolved.origin(), hint))
    return name, site.queues[name]


def _share(resolved: Resolved, queue: Queue) -> int:
    """Memory of a worker when the profile says nothing: its threads' share of what a node can give."""
    profile, site = resolved.profile, resolved.site
    memory = usable_memory(queue, site)
    if memory is None or queue.cores is None:
        hint = "add `memory:` under `workers:`"
        cause = f"{site.name} does not know a node's memory and cores"
        raise DoesNotFit(Problem(f"workers.memory: must be given, for {cause}", resolved.origin("workers"), hint))
    free = memory * (1 - site.memory.headroom) - profile.scheduler.memory - profile.workload.memory
    share = int(Fraction(free) * profile.workers.threads / queue.cores)
    if share < LEAST_MEMORY:
        raise DoesNotFit(
            Problem(
                f"a node of {format_memory(memory)} leaves {format_memory(max(share, 0))} for each worker:"
                f" {float(site.memory.headroom):.0%} stay free,"
                f" the scheduler asks for {format_memory(profile.scheduler.memory)}"
                f" and the workload for {format_memory(profile.workload.memory)}",
                resolved.origin("workers"),
                "lower scheduler.memory and workload.memory, or choose a queue with larger nodes",
            )
        )
    return share


def _workers(resolved: Resolved, queue: Queue) -> WorkerGroup:
    profile, site = resolved.profile, resolved.site
    workers = profile.workers
    memory = workers.memory or _share(resolved, queue)
    per_node = workers.per_node or min(workers.count, _most_per_node(resolved, queue, memory))
    per_node = min(per_node, workers.count)
    nodes = -(-workers.count // per_node)
    return WorkerGroup(
        name="workers",
        count=workers.count,
        per_node=per_node,
        nodes=nodes,
        on_last_node=workers.count - (nodes - 1) * per_node,
        threads=workers.threads,
        memory_bytes=memory,
        resources=dict(workers.resources),
        interface=_interface(workers.interface, queue, site),
        local_directory=site.storage.local if workers.local_directory == "auto" else workers.local_directory,
        spill=_spill(resolved),
        lifetime_seconds=workers.lifetime if isinstance(workers.lifetime, int) else None,
        death_timeout_seconds=workers.timeout or START_TIMEOUT,
        options=list(workers.options),
    )


def _most_per_node(resolved: Resolved, queue: Queue, memory: int) -> int:
    """As many as fit by cores and by memory; at least one, so that `limits` can say by how much it does not."""
    profile, site = resolved.profile, resolved.site
    fits = [profile.workers.count]
    if queue.cores is not None:
        fits.append((queue.cores - profile.scheduler.cores - profile.workload.cores) // profile.workers.threads)
    if (node := usable_memory(queue, site)) is not None:
        free = node * (1 - site.memory.headroom) - profile.scheduler.memory - profile.workload.memory
        fits.append(int(free // memory))
    most = max(1, min(fits))
    spread = site.parallel_environments.nodes
    if spread and spread.slots and most < profile.workers.count:  # several hosts, each with so many slots
        most = min(most, (spread.slots - profile.scheduler.cores - profile.workload.cores) // profile.workers.threads)
    return max(1, most)


def _memory_per_node(group: WorkerGroup, profile: Profile, site: Site) -> int:
    needed = group.per_node * group.memory_bytes + profile.scheduler.memory + profile.workload.memory
    cores = group.per_node * group.threads + profile.scheduler.cores + profile.workload.cores
    environment = site.parallel_environments.nodes if group.nodes > 1 else site.parallel_environments.node
    slots = environment.slots if environment and environment.slots else cores
    return ceil_to(needed / (1 - site.memory.headroom), memory_grain(site, slots))


def _interface(wanted: str, queue: Queue, site: Site) -> str | None:
    return (queue.interface or site.network.interface) if wanted == "auto" else wanted


def _spill(resolved: Resolved) -> bool | Literal["auto"]:
    workers, storage = resolved.profile.workers, resolved.site.storage
    if workers.spill != "auto" or workers.local_directory != "auto" or storage.local_kind is None:
        return workers.spill
    return storage.local_kind == "disk"


def _walltime(resolved: Resolved, queue: Queue) -> int | None:
    given = resolved.profile.walltime or queue.default_walltime
    if given is None and resolved.site.queues:
        hint = "add `walltime: 00:30:00` to the profile, or --set walltime=30m"
        raise DoesNotFit(Problem("walltime: neither the profile nor the site gives one", resolved.origin(), hint))
    return given


def _end_early(walltime: int | None) -> int:
    """Seconds that a job keeps for its own end: a twentieth of the walltime, between ten seconds and a minute.

    Ending takes three to four seconds on three nodes; the rest is for a workload that saves its state when told to end.
    """
    return 60 if walltime is None else max(10, min(60, walltime // 20))


def _plan(resolved: Resolved, queue: Queue, job: Job, context: Context) -> Plan:
    profile, site = resolved.profile, resolved.site
    workers = profile.workers
    assert profile.name is not None  # given by resolve
    return Plan(
        name=profile.name,
        site=site.name,
        batch_system=site.batch_system,
        layout=profile.layout,
        launcher=site.launchers.node.name if site.launchers.node else None,
        launcher_options=list(site.launchers.node.options) if site.launchers.node else [],
        account=profile.account,
        qos=profile.qos or queue.qos,
        constraint=profile.constraint,
        reservation=profile.reservation,
        mail_to=profile.mail.to,
        mail_on=list(profile.mail.on),
        requeue=site.requeue,
        memory_directive=site.memory.directive,
        memory_resource=site.memory.resource,
        memory_unit=site.memory.unit,
        parallel_environments={
            kind: given and ParallelEnvironmentPlan(given.name, given.slots)
            for kind, given in vars(site.parallel_environments).items()
        },
        directives=[*site.directives, *queue.directives, *profile.directives],
        rejects=list(site.rejects),
        jobs=(job,),
        minimum=workers.minimum or workers.count,
        timeout_seconds=workers.timeout or START_TIMEOUT,
        scheduler=SchedulerPlan(
            interface=_interface(profile.scheduler.interface, queue, site),
            dashboard=profile.scheduler.dashboard,
            idle_timeout_seconds=profile.scheduler.idle_timeout,
        ),
        environment=_environment(resolved, context),
        workload=WorkloadPlan(profile.workload.command, _beside(profile.workload.directory, resolved, context)),
        security=profile.security,
        notes=_notes(resolved),
    )


def _environment(resolved: Resolved, context: Context) -> EnvironmentPlan:
    given = resolved.profile.environment
    python = given.python
    if given.conda is None and given.venv is None and python is None:
        python = context.interpreter
    return EnvironmentPlan(
        modules=given.modules,
        conda=_beside(given.conda, resolved, context) if given.conda and "/" in given.conda else given.conda,
        venv=_beside(given.venv, resolved, context) if given.venv else None,
        python=_beside(python, resolved, context) if python and "/" in python else python,
        variables=dict(given.variables),
        setup=given.setup,
        site_setup=resolved.site.environment.setup,
    )


def _beside(path: str, resolved: Resolved, context: Context) -> str:
    """A path of the profile, which is relative to it; without `.` and `..`, and the file system is not asked."""
    if path.startswith(("$", "~")):
        return path
    base = context.directory / resolved.file.parent
    if quoting.has_variable(str(base)):
        cause = f"the directory {base} has a variable in its name: it would be expanded on the node"
        raise InvalidConfiguration(Problem(cause, Origin(str(resolved.file)), "rename it, or move the profile"))
    return os.path.normpath(base / path)


def _notes(resolved: Resolved) -> list[str]:
    """What the profile asks for and this site has no use for: one profile is to run on every site."""
    profile, site = resolved.profile, resolved.site
    if site.queues:
        unused = ["account"] if site.account == "none" and profile.account else []
    else:
        keys = ("account", "queue", "qos", "constraint", "reservation", "directives")
        unused = [key for key in keys if getattr(profile, key)] + (["mail"] if profile.mail.to else [])
    return [f"{resolved.origin(key)}: {key} is not used: {site.name} has no such thing" for key in unused]
