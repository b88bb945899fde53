"""A job of an exported section: a node of a queue, the shell text before its workers, and their options."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from hpc_launch import quoting, units
from hpc_launch.checks.plan_on_site.job import longest_walltime
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Qos, Queue, Site
from hpc_launch.plan.jobs import end_early
from hpc_launch.plan.node import usable_memory
from hpc_launch.plan.workers import Lifetime, interface
from hpc_launch.template_language import dask_ports
from hpc_launch.units import MIB


@dataclass(frozen=True)
class OneNode:
    """One job of a section: a node of one queue. Sizes in bytes, times in seconds, None where nobody knows."""

    queue: str
    cores: int | None
    memory: int | None
    """What is asked for."""
    workers_memory: int | None
    """What of it the workers may use."""
    processes: int | None
    interface: str | None
    walltime: int | None
    longest: int | None
    """Of the queue."""


def job_of(site: Site, profile: Profile, name: str) -> tuple[OneNode, list[str]]:
    """The job, and what there is to say about its numbers."""
    queue, notes = site.queues[name], list[str]()
    longest = longest_walltime(site, queue, profile.qos or queue.qos)
    walltime = profile.walltime or queue.default_walltime
    if walltime and longest and walltime > longest:
        notes.append(f"The site's walltime, {units.format_walltime(walltime)}, is more than this queue allows.")
        walltime = longest
    cores = _cores(site, queue)
    memory = usable_memory(queue.model_copy(update={"cores": cores}), site)
    workers_memory = None if memory is None else int(memory * (1 - site.memory.headroom)) // MIB * MIB
    processes, too_many = _processes(cores, site, profile)
    return OneNode(
        queue=name,
        cores=cores,
        memory=memory,
        workers_memory=workers_memory,
        processes=processes,
        interface=interface(profile.workers.interface, queue, site),
        walltime=walltime,
        longest=longest,
    ), [*notes, *too_many, *_adapting(walltime, processes)]


def qos_of(site: Site, profile: Profile, queue: str) -> Qos | None:
    """The limits of the quality of service in which a job of this queue runs."""
    return site.qos.get(profile.qos or site.queues[queue].qos or "")


def _cores(site: Site, queue: Queue) -> int | None:
    """Of a node; where an environment gives so many slots of each host, a job has no more."""
    environment = site.parallel_environments.node
    return min((most for most in (queue.cores, environment and environment.slots) if most), default=None)


def _adapting(walltime: int | None, processes: int | None) -> list[str]:
    """What adapt() needs besides the section."""
    notes = []
    if processes and processes > 1:
        # By that argument alone dask-jobqueue knows which workers are of one job (core.py). Without it adapt() takes
        # running jobs for some that have not come yet, and ends them first (distributed.deploy.adaptive_core).
        notes.append(f"With adapt(), give the class processes={processes} too: or else it ends jobs that are at work.")
    lifetime = Lifetime.until_walltime(walltime, end_early(walltime)) if walltime else Lifetime(None)
    if lifetime.seconds and lifetime.seconds > 0:
        said = f"[--lifetime, {lifetime.seconds}s, --lifetime-stagger, {lifetime.stagger}s]"
        notes.append(f"With adapt(), workers should leave before their walltime: add {said} to worker-extra-args.")
    return notes


def threads_of(site: Site, profile: Profile) -> int | None:
    """Of each worker, as the site says; None: it says nothing, and it is as Dask thinks best."""
    said = site.defaults.get("workers") or {}
    return profile.workers.threads if {"cores", "threads"} & {key for key in said if said[key] is not None} else None


def _processes(cores: int | None, site: Site, profile: Profile) -> tuple[int | None, list[str]]:
    """Worker processes on a node, and what there is to say: as many as the site says, or of so many cores each.

    Otherwise about as many as each of them then has threads, which is how Dask divides a machine
    (distributed.deploy.utils.nprocesses_nthreads).
    """
    per_node = profile.workers.per_node
    if cores is None:
        return per_node, []
    if per_node is not None and per_node > cores:
        return cores, [f"The site's workers.per_node, {per_node}, is more than the {cores} cores of a job."]
    if per_node is not None:
        return per_node, []
    if threads_of(site, profile):
        return max(1, cores // profile.workers.cores_of_each), []
    return cores if cores <= 4 else cores // next(n for n in range(isqrt(cores), 0, -1) if cores % n == 0), []


def prologue(site: Site, profile: Profile) -> list[str]:
    """Shell text that makes the environment, in the order in which a run's own is made."""
    given = profile.environment
    modules = ["module purge"] if given.purge else []
    modules += [f"module use {quoting.path(place)}" for place in given.module_path]
    modules += [f"module load {quoting.words(given.modules)}"] if given.modules else []
    variables = [f"export {name}={quoting.value(value)}" for name, value in given.variables.items()]
    return [text for text in (site.environment.setup, *modules, *variables, given.setup) if text.strip()]


def worker_options(site: Site, profile: Profile) -> list[str]:
    """Words for `dask worker`, each fit for a line of shell: the ports that a firewall lets through, the site's own."""
    ports = site.network.ports and dask_ports(site.network.ports)
    firewall = ["--worker-port", ports, "--nanny-port", ports] if ports else []
    return [*firewall, *map(quoting.word, profile.workers.options)]
