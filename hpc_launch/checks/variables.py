"""Variables of the environment: those that would be lost, and those of which something else comes than it seems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hpc_launch import quoting
from hpc_launch.batch.dialect import Dialect
from hpc_launch.checks.misfit import key_of_group
from hpc_launch.errors import Problem
from hpc_launch.plan.layouts import layout_of_run
from hpc_launch.plan.workers import thresholds_of
from hpc_launch.resolve import Resolved

SHELLS_OWN = {
    *("BASHOPTS", "BASH_VERSINFO", "EUID", "IFS", "OLDPWD", "PPID", "PWD", "SHELLOPTS", "SHLVL", "UID", "_"),
}  # fmt: skip
"""Bash refuses to set them, sets them itself, or does not hand them on."""
SCHEDULER = "DASK_SCHEDULER_ADDRESS"
COMM = "DASK_DISTRIBUTED__COMM__"
ENCRYPTION = (f"{COMM}REQUIRE_ENCRYPTION", f"{COMM}DEFAULT_SCHEME", f"{COMM}TLS__")
DEVICES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
WORKER = "DASK_DISTRIBUTED__WORKER__"
MEMORY = f"{WORKER}MEMORY__"
IN_SETUP = "for programs that your own lines start: environment.setup, `export {}=…`"


class Fault(NamedTuple):
    """What is wrong with a variable, and what to do."""

    why: str
    hint: str


def problems(resolved: Resolved, dialect: Dialect) -> Iterator[Problem]:
    """Those that do not do what they are set for."""
    for name in resolved.profile.environment.variables:
        if fault := _of_shell(name) or _of_dask(resolved, name) or _of_batch_system(resolved, dialect, name):
            origin = resolved.origin("environment", "variables", name)
            yield Problem(f"environment.variables.{name}: {fault.why}", origin, fault.hint)


def _of_shell(name: str) -> Fault | None:
    return Fault("bash sets it itself, and hands on no other value", "leave it out") if name in SHELLS_OWN else None


def _of_dask(resolved: Resolved, name: str) -> Fault | None:
    """Of a run with a Dask cluster of ours."""
    profile = resolved.profile
    if not profile.has_workers:
        return None
    if name == SCHEDULER:
        hint = "leave it out; to another cluster: Client('ADDRESS'), or `workers: none`"
        return Fault("it is the address of the run's own scheduler, which the run sets itself", hint)
    if name.startswith(ENCRYPTION) and profile.security == "tls":
        return Fault("the run has a key of its own, and sets it itself", "leave it out; or `security: none`")
    if name in DEVICES and any(each.profile.workers.gpus for each in resolved.of_groups()):
        return Fault("with workers.gpus the batch system says which GPUs there are", "leave it out")
    return None


def _of_batch_system(resolved: Resolved, dialect: Dialect, name: str) -> Fault | None:
    """What its commands read is not there when they are called: those that submit, and a launcher outside."""
    system, kind = resolved.site.batch_system, layout_of_run(resolved.profile).launcher
    if dialect.submit_variables and name.startswith(dialect.submit_variables):
        keys = "keys of the profile say it (queue, account, walltime …), or `directives`"
        return Fault(f"it is of {system}, and is set in the job, too late for its submit command", keys)
    given = resolved.site.launchers.of(kind) if kind else None
    launcher = dialect.launcher(kind, given.name if given else None) if kind else None
    if launcher and launcher.variables and name.startswith(launcher.variables):
        why = f"{launcher.name}, which starts {'the ranks' if kind == 'mpi' else 'the workers'}, does not see it"
        return Fault(why, f"launchers.{kind}.options of the site profile are words for it; {IN_SETUP.format(name)}")
    return None


def notes(resolved: Resolved) -> Iterator[str]:
    """Those that are fine, but of which something else comes than one may think."""
    yield from _too_early(resolved)
    if resolved.profile.has_workers:
        yield from _said_by_keys(resolved)
        yield from _spilling(resolved)


def _too_early(resolved: Resolved) -> Iterator[str]:
    """What is expanded before it is set."""
    environment, origin = resolved.profile.environment, resolved.origin
    names = [*environment.variables]
    for number, (name, value) in enumerate(environment.variables.items()):
        for other in quoting.names_in(value):
            if other in names[number + 1 :]:
                where = origin("environment", "variables", name)
                set_at = origin("environment", "variables", other)
                yield f"{where}: environment.variables.{name}: ${other} is expanded before {other} is set ({set_at})"
    for key in ("conda", "venv", "python"):
        for other in quoting.names_in(getattr(environment, key) or ""):
            if other in names:
                why = f"${other} is expanded before environment.variables set it"
                yield f"{origin('environment', key)}: environment.{key}: {why}"


def _said_by_keys(resolved: Resolved) -> Iterator[str]:
    """Settings of Dask that scheduler and workers are told on their command line, or that the profile says."""
    for name in resolved.profile.environment.variables:
        keys = {key: None for group in resolved.of_groups() if (key := _key_for(group, name))}
        for key in keys:
            where = resolved.origin("environment", "variables", name)
            yield f"{where}: environment.variables.{name}: {key} decides it, and wins"


def _key_for(group: Resolved, name: str) -> str | None:
    """The key of these workers which says the same as a variable."""
    workers = group.profile.workers
    threshold = name.removeprefix(MEMORY).lower()
    said = {
        "workers.local_directory": name == "DASK_TEMPORARY_DIRECTORY",
        "workers.resources": name.startswith(f"{WORKER}RESOURCES__") and bool(workers.resources or workers.gpus),
        "workers.lifetime": name.startswith(f"{WORKER}LIFETIME__")
        and (workers.lifetime != "auto" or layout_of_run(group.profile).has_groups),
        "workers.spill": threshold in ("target", "spill") and workers.spill != "auto",
        "workers.thresholds": name.startswith(MEMORY) and threshold in thresholds_of(workers),
    }
    key = next((key for key, holds in said.items() if holds), None)
    return key and key_of_group(group.group, key)


def _spilling(resolved: Resolved) -> Iterator[str]:
    """Who has data spilled where there is no disk: the data stay in the memory that they are to leave."""
    storage = resolved.site.storage
    if storage.local_kind not in ("memory", "shared"):
        return
    own = [
        name
        for name, value in resolved.profile.environment.variables.items()
        if name in (f"{MEMORY}TARGET", f"{MEMORY}SPILL") and value.lower() != "false"
    ]
    for group in resolved.of_groups():
        workers = group.profile.workers
        said = any(thresholds_of(workers).get(name) for name in ("target", "spill"))
        if workers.local_directory == "auto" and (said or own):
            what = "in memory: data that are spilled go on using it"
            if storage.local_kind == "shared":
                what = "on a file system that others share: spilling is slow there, and stalls them"
            by = "workers.spill" if workers.spill is True else "workers.thresholds"
            by = by if said else f"environment.variables.{own[0]}"
            yield f"{by}: workers spill to {storage.local}, which is {what}"
