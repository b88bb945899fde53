"""Profile × site → plan: how many nodes, and what is asked of each. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from hpc_launch.config.layers import at, dotted
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.context import Context
from hpc_launch.models.plan import Plan, Planned, Reason, Reasons
from hpc_launch.models.plan_parts import AccessPlan, LauncherPlan, ParallelEnvironmentPlan, SchedulerPlan, WorkloadPlan
from hpc_launch.models.profile import AUTO, Workload
from hpc_launch.models.site import PURPOSES, Site
from hpc_launch.plan.environment import plan_environment, workload_directory
from hpc_launch.plan.layouts import Laid, array_limit, layout_of_run, scheduler_cores
from hpc_launch.plan.queues import queue_of
from hpc_launch.plan.workers import START_TIMEOUT, interface
from hpc_launch.resolve import Resolved
from hpc_launch.units import format_walltime

IDLE_TIMEOUT = 3600
"""Seconds after which a standing cluster ends that nobody uses."""


def make_plan(resolved: Resolved, context: Context) -> Planned:
    """Every number of a run that passed the checks of its profile; whether it fits the site is looked at afterwards."""
    laid = layout_of_run(resolved.profile).lay(resolved, context)
    plan = _plan(resolved, laid, context)
    reasons = {**laid.reasons, **_reasons(resolved, plan)}
    left_open = {path: why for path, why in reasons.items() if _said(resolved, path) in (None, AUTO)}
    return Planned(plan, tuple(_notes(resolved)), left_open)


def _said(resolved: Resolved, path: KeyPath) -> Any:
    """What the profile says at a key path; of a group of workers what it says of all workers, where it says no more."""
    said = at(resolved.document.data, path)
    return at(resolved.document.data, ("workers", *path[3:])) if said is None and path[1:2] == ("groups",) else said


def _plan(resolved: Resolved, laid: Laid, context: Context) -> Plan:
    profile, site = resolved.profile, resolved.site
    layout = layout_of_run(profile)
    assert profile.name is not None  # given by resolve
    main = next(job for job in laid.jobs if job.role != "workers")
    return Plan(
        name=profile.name,
        site=site.name,
        batch_system=site.batch_system,
        layout=profile.layout,
        launcher=_launcher(resolved),
        from_compute={purpose: site.jobs_may(purpose) for purpose in PURPOSES},
        cancel_command=tuple(site.commands.cancel),
        passed_on=_passed_on(resolved),
        mail_on=tuple(profile.mail.on),
        memory_directive=site.memory.directive,
        memory_resource=site.memory.resource,
        memory_unit=site.memory.unit,
        parallel_environments={
            kind: given and ParallelEnvironmentPlan(given.name, given.slots)
            for kind, given in vars(site.parallel_environments).items()
        },
        rejects=tuple(site.rejects),
        request=site.request,
        takes=tuple(site.takes),
        jobs=laid.jobs,
        groups=laid.groups,
        minimum=_minimum(resolved, sum(group.count for group in laid.groups.values())),
        timeout_seconds=profile.workers.timeout or (START_TIMEOUT if laid.groups and layout.all_at_once else None),
        scheduler=SchedulerPlan(
            cores=scheduler_cores(resolved),
            interface=interface(profile.scheduler.interface, queue_of(resolved, main.queue, context)[1], site),
            dashboard=_dashboard(profile.scheduler.dashboard),
            port=profile.scheduler.port,
            idle_timeout_seconds=(profile.scheduler.idle_timeout or IDLE_TIMEOUT) if profile.stands else None,
        ),
        environment=plan_environment(resolved, context),
        workload=_workload(resolved, context),
        security=profile.security,
        ports=site.network.ports,
        access=AccessPlan(site.access.login, tuple(site.access.jump), site.access.ssh_to_nodes),
        on_demand=laid.on_demand,
        array_limit=array_limit(site),
        most_elements=_most_elements(site, laid),
        most_in_queues=_most_in_queues(resolved, laid, context),
        intervals=context.environment.get("HPC_LAUNCH_INTERVALS", ""),
        jupyter=profile.has_workers and profile.services.jupyter is not None,
        at_once=None if site.queues else site.limits.running.jobs or context.cores,
    )


def _minimum(resolved: Resolved, count: int) -> int:
    """Workers, of so many, with which the workload starts. Those of a job array come when they come: one is enough."""
    profile = resolved.profile
    if profile.workers.minimum is not None:
        return profile.workers.minimum
    if layout_of_run(profile).all_at_once:
        return count
    return 0 if profile.stands else min(1, count)


def _reasons(resolved: Resolved, plan: Plan) -> Reasons:
    """Why what is neither of a job nor of its workers is what it is, where the profile leaves it open."""
    default = f"built-in default of {plan.layout}"
    reasons: dict[KeyPath, Reason] = {
        ("site",): Reason(plan.site, "detected"),
        ("name",): Reason(plan.name, "the profile's file name"),
        ("workers", "minimum"): Reason(plan.minimum, f"computed: as {plan.layout} needs them"),
        ("scheduler", "cores"): Reason(plan.scheduler.cores, default),
        ("scheduler", "interface"): Reason(plan.scheduler.interface, resolved.said_by_site("network", "interface")),
        ("scheduler", "port"): Reason(None, _any_port(resolved)),
        ("workload", "directory"): Reason(plan.workload.directory, "the profile's directory"),
    }
    if plan.scheduler.idle_timeout_seconds is not None:
        idle = format_walltime(plan.scheduler.idle_timeout_seconds)
        reasons["scheduler", "idle_timeout"] = Reason(idle, "built-in default of standing clusters")
    if plan.timeout_seconds is not None:
        reasons["workers", "timeout"] = Reason(f"{plan.timeout_seconds}s", default)
    environment = plan.environment
    if environment.python or environment.own_python:
        reasons["environment", "python"] = Reason(environment.python, environment.python_is)
    return reasons


def _any_port(resolved: Resolved) -> str:
    """Which one a scheduler takes that was not told one."""
    ports = resolved.site.network.ports
    return f"a free one of {ports}, {resolved.said_by_site('network', 'ports')}" if ports else "any free one"


def _dashboard(given: bool | Literal["loopback", "node"]) -> Literal["loopback", "node", "none"]:
    """Where it is served."""
    if isinstance(given, bool):
        return "loopback" if given else "none"
    return given


def _passed_on(resolved: Resolved) -> dict[str, str | None]:
    """As the profile has them, but an account only where there is such a thing."""
    given = {key: getattr(resolved.profile, key) for key in resolved.profile.passed_on()}
    return given if resolved.site.account != "none" else {**given, "account": None}


def _most_elements(site: Site, laid: Laid) -> int | None:
    """How many worker jobs a user may have submitted, running ones among them, beside the scheduler's."""
    most, come_and_go = site.limits.submitted.jobs, any(job.role == "workers" for job in (*laid.jobs, *laid.on_demand))
    return most - 1 if most is not None and come_and_go else None


def _most_in_queues(resolved: Resolved, laid: Laid, context: Context) -> dict[str, int]:
    """How many worker jobs a user may have in a queue, running ones among them, beside the scheduler's."""
    (main,) = (job for job in laid.jobs if job.role != "workers")
    found = {}
    for name in dict.fromkeys(job.queue for job in (*laid.jobs, *laid.on_demand) if job.role == "workers"):
        most = queue_of(resolved, name, context)[1].max_submitted
        if name is not None and most is not None:
            found[name] = most - (main.queue == name)
    return found


def _workload(resolved: Resolved, context: Context) -> WorkloadPlan:
    given, directory = resolved.profile.workload, workload_directory(resolved, context)
    if not isinstance(given, Workload):
        return WorkloadPlan(None, directory)
    return WorkloadPlan(given.command if isinstance(given.command, str) else tuple(given.command), directory)


def _launcher(resolved: Resolved) -> LauncherPlan | None:
    kind = layout_of_run(resolved.profile).launcher
    if kind is None:
        return None
    given = resolved.site.launchers.of(kind)
    return LauncherPlan(kind, given.name if given else None, tuple(given.options) if given else ())


def _notes(resolved: Resolved) -> list[str]:
    """What the profile asks for and this site has no use for: one profile is to run on every site."""
    profile, site = resolved.profile, resolved.site
    if site.queues:
        unused = ["account"] if site.account == "none" and profile.account else []
    else:
        keys = (*profile.passed_on(), "queue", "qos", "directives")
        unused = [key for key in keys if getattr(profile, key)] + (["mail"] if profile.mail.to else [])
    notes = [f"{resolved.origin(key)}: {key} is not used: {site.name} has no such thing" for key in unused]
    if not site.queues:
        notes += [
            f"{where}: {key} is not used: {site.name} has no such thing" for where, key in _of_worker_jobs(resolved)
        ]
    if profile.scheduler.dashboard == "node":
        unencrypted = "the dashboard and the token that opens it go over the network as plain HTTP"
        notes.append(f"{resolved.origin('scheduler', 'dashboard')}: scheduler.dashboard: {unencrypted}")
    if layout_of_run(profile).all_at_once:
        no_such_jobs = f"{profile.layout} has no jobs for workers alone"
        given = [*_of_worker_jobs(resolved, "walltime", *OF_WORKER_JOBS)]
        notes += [f"{where}: {key} is not used: {no_such_jobs}" for where, key in given]
    elif ("workers", "spread") in resolved.document.origins:
        origin = resolved.origin("workers", "spread")
        notes.append(f"{origin}: workers.spread is not used: in {profile.layout} each worker job has workers.per_node")
    return notes


OF_WORKER_JOBS = ("queue", "qos", "constraint", "directives")
"""Keys of the workers that become directives of their jobs, as those of the run do."""


def _of_worker_jobs(resolved: Resolved, *keys: str) -> Iterator[tuple[Origin, str]]:
    """Those of these keys of the workers that are given, and where; of each group if there are several."""
    found: dict[tuple[Origin, str], None] = {}
    for of_group in resolved.of_groups():
        for key in keys or OF_WORKER_JOBS:
            if getattr(of_group.profile.workers, key):
                origin = of_group.origin("workers", key)
                path = ("workers", key) if of_group.is_for_all(key) else (*of_group.workers_path, key)
                found[origin, dotted(path)] = None
    yield from found
