"""A profile alone: what its schema cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from hpc_launch import quoting, template_names
from hpc_launch.checks import groups, thresholds, without_workers, worker_options
from hpc_launch.checks.misfit import Misfit, in_group, key_of_group
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.plan.environment import workload_directory
from hpc_launch.plan.layouts import layout_of
from hpc_launch.plan.workers import LEAST_MEMORY
from hpc_launch.resolve import Resolved
from hpc_launch.units import MIB, format_memory

IDLE = 64 * MIB
"""Bytes. A Dask worker that has nothing to do takes some 60 MB."""
OTHER_RUNTIMES = {"podman", "docker"}
"""Programs that run others in a container, beside those that sites may name."""


def problems(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """All of them."""
    if resolved.profile.has_workers:
        yield from _layout_mpi(resolved)
        yield from _too_few_workers(resolved)
        yield from groups.problems(resolved)
    else:
        yield from without_workers.problems(resolved)
    yield from _idle_timeout(resolved)
    for of_group in resolved.of_groups():
        for check in (_worker_cores, _worker_memory, _worker_resources, thresholds.problems):
            yield from in_group(of_group.group, check(of_group))
        yield from in_group(of_group.group, worker_options.problems(of_group, context))
    yield from _directory(resolved, context)
    yield from _seen_in_a_container(resolved, context)
    yield from _interpreter(resolved)


def _layout_mpi(resolved: Resolved) -> Iterator[Problem]:
    """dask-mpi has other words than `dask worker`."""
    profile, workers = resolved.profile, resolved.profile.workers
    if profile.layout != "mpi":
        return
    if workers.options:
        cause = "workers.options: these are words for `dask worker`, and the layout mpi starts dask-mpi"
        hint = "leave them out; threads, memory, resources, interface, lifetime … have keys of their own"
        yield Problem(cause, resolved.origin("workers", "options"), hint)
    if workers.imports:
        cause = "workers.imports: each MPI rank imports for itself what its tasks need"
        yield Problem(cause, resolved.origin("workers", "imports"), "leave it out")
    if profile.scheduler.interface not in ("auto", workers.interface):
        cause = "scheduler.interface: dask-mpi has one interface for scheduler and workers"
        yield Problem(cause, resolved.origin("scheduler", "interface"), "set workers.interface alone")


def _too_few_workers(resolved: Resolved) -> Iterator[Problem]:
    """Where all workers come with one job there are some from the beginning."""
    profile = resolved.profile
    if not layout_of(profile.layout).all_at_once:
        return
    for key in ("count", "minimum"):
        if getattr(profile.workers, key) == 0:
            cause = f"workers.{key}: 0 is no number of workers for {profile.layout}: all of them come with its one job"
            hint = "at least 1; or --set layout=job-array, whose workers have jobs of their own, which may come later"
            yield Problem(cause, resolved.origin("workers", key), hint)


def _idle_timeout(resolved: Resolved) -> Iterator[Problem]:
    """Whether a workload is done, its own end says."""
    profile, origin = resolved.profile, resolved.origin("scheduler", "idle_timeout")
    of_a_lower_layer = origin.line is not None and origin.source != str(resolved.file)  # for those that stand
    if profile.scheduler.idle_timeout is not None and not profile.stands and not of_a_lower_layer:
        cause = "scheduler.idle_timeout: a run with a workload ends when that does, idle or not"
        hint = "leave it out; it is for standing clusters (`workload: none`)"
        yield Problem(cause, origin, hint)


def _worker_cores(resolved: Resolved) -> Iterator[Problem]:
    """No fewer than threads: what a worker may use is what is asked for."""
    workers = resolved.profile.workers
    if workers.cores is not None and workers.cores < workers.threads:
        cause = f"workers.cores: {workers.cores} for {workers.threads} threads: each of them needs a core"
        key = key_of_group(resolved.group, "workers.cores")
        hint = f"at least --set {key}={workers.threads}, or lower threads"
        yield Problem(cause, resolved.origin("workers", "cores"), hint)


def _worker_memory(resolved: Resolved) -> Iterator[Problem]:
    memory = resolved.profile.workers.memory
    if memory is not None and memory < IDLE:
        cause = (
            f"workers.memory: {format_memory(memory)} is too little, a worker that has nothing to do takes some 60 MB"
        )
        hint = f"at least --set workers.memory={LEAST_MEMORY // MIB}MiB"
        yield Misfit(cause, resolved.origin("workers", "memory"), hint)


def _worker_resources(resolved: Resolved) -> Iterator[Problem]:
    """Dask's resource of this name is said by another key."""
    workers = resolved.profile.workers
    if workers.gpus and "GPU" in workers.resources:
        cause = "workers.resources: GPU is said by workers.gpus already"
        yield Problem(cause, resolved.origin("workers", "resources", "GPU"), "leave it out")


def _directory(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """Paths beside the profile stand in scripts, where a variable in them would be expanded."""
    base = context.directory / resolved.file.parent
    if quoting.has_variable(str(base)):
        cause = f"the directory {base} has a variable in its name: it would be expanded on the node"
        yield Problem(cause, Origin(str(resolved.file)), "rename it, or move the profile")


def _seen_in_a_container(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """The workload's directory is bound in by its name."""
    directory = workload_directory(resolved, context)
    if resolved.profile.environment.container and any(sign in directory for sign in ":,"):
        hint = "rename it, or move the profile: container runtimes take these signs for something else"
        cause = f"workload.directory: {directory} has a colon or a comma in it"
        yield Problem(cause, resolved.origin("workload"), hint)


def _interpreter(resolved: Resolved) -> Iterator[Problem]:
    """A command that runs one in a container is none. (dask-jobqueue's `python` takes such a command.)"""
    words = (resolved.profile.environment.python or "").split()
    program = PurePath(words[0]).name if len(words) > 1 else ""
    if program in OTHER_RUNTIMES or template_names.is_ours("containers", program):
        hint = f"name the image in environment.container.image, and {words[-1]} alone here: everything runs in it"
        cause = f"environment.python: it names an interpreter, and `{words[0]} …` is a command"
        yield Problem(cause, resolved.origin("environment", "python"), hint)
