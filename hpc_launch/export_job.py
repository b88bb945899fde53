"""A job of an exported section: a node of a queue, the shell text before its workers, and what cannot be said."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from hpc_launch import quoting, units
from hpc_launch.limits import usable_memory
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Queue, Site
from hpc_launch.plan.layouts import end_early
from hpc_launch.plan.workers import Lifetime, interface
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
    queue, notes = site.queues[name], []
    walltime = profile.walltime or queue.default_walltime
    if walltime and queue.walltime and walltime > queue.walltime:
        notes.append(f"The site's walltime, {units.format_walltime(walltime)}, is more than this queue allows.")
        walltime = queue.walltime
    lifetime = Lifetime.until_walltime(walltime, end_early(walltime)) if walltime else Lifetime(None)
    if lifetime.seconds and lifetime.seconds > 0:
        said = f"[--lifetime, {lifetime.seconds}s, --lifetime-stagger, {lifetime.stagger}s]"
        notes.append(f"With adapt(), workers should leave before their walltime: worker-extra-args: {said}.")
    memory = usable_memory(queue, site)
    workers_memory = None if memory is None else int(memory * (1 - site.memory.headroom)) // MIB * MIB
    threads = profile.workers.threads if "threads" in (site.defaults.get("workers") or {}) else None
    return OneNode(
        queue=name,
        cores=queue.cores,
        memory=memory,
        workers_memory=workers_memory,
        processes=profile.workers.per_node or _processes(queue.cores, threads),
        interface=interface(profile.workers.interface, queue, site),
        walltime=walltime,
        longest=queue.walltime,
    ), notes


def _processes(cores: int | None, threads: int | None) -> int | None:
    """Worker processes on a node: of so many threads each, or about as many as each of them then has threads.

    The latter is how Dask divides a machine (distributed.deploy.utils.nprocesses_nthreads).
    """
    if cores is None:
        return None
    if threads is not None:
        return max(1, cores // threads)
    return cores if cores <= 4 else cores // next(n for n in range(isqrt(cores), 0, -1) if cores % n == 0)


def unsaid(site: Site, profile: Profile, queue: Queue) -> list[str]:
    """What the site profile says and a section cannot."""
    limits, storage = site.limits, site.storage
    most = [
        (limits.submitted.jobs, "submit {} jobs"),
        (queue.max_jobs, "run {} jobs at once in this queue"),
        (limits.running.jobs, "run {} jobs at once"),
        (limits.running.cores, "use {} cores at once"),
        (limits.running.memory and units.format_memory(limits.running.memory), "use {} at once"),
    ]
    said = [
        (site.status == "retired", f"{site.name} is retired" + (f": see {site.successor}." if site.successor else ".")),
        (site.message, site.message),
        (not site.submit_from_compute, "Jobs may not submit jobs: make the cluster on a login host."),
        (queue.preemptible, "Jobs in this queue may be killed for others."),
        (any(number for number, _ in most), "A user may " + ", ".join(w.format(n) for n, w in most if n) + "."),
        (site.commands.submit, f"Its own submit command cannot be said here: {quoting.words(site.commands.submit)}"),
        (site.commands.cancel, f"Its own cancel command cannot be said here: {quoting.words(site.commands.cancel)}"),
        (storage.local_kind in ("memory", "shared"), f"{storage.local} is no local disk: workers should not spill."),
        (profile.environment.conda, f"Make the cluster in the conda environment {profile.environment.conda}."),
        (
            site.network.ports,
            f"Connections are let through on ports {site.network.ports}: scheduler-options {{port: …}}.",
        ),
    ]
    return [str(sentence) for holds, sentence in said if holds]


def prologue(site: Site, profile: Profile) -> list[str]:
    """Shell text that makes the environment, in the order in which a run's own is made."""
    given = profile.environment
    modules = [f"module load {quoting.words(given.modules)}"] if given.modules else []
    variables = [f"export {name}={quoting.word(str(value))}" for name, value in given.variables.items()]
    return [text for text in (site.environment.setup, *modules, *variables, given.setup) if text.strip()]


def worker_options(site: Site) -> list[str]:
    """Words for `dask worker`: the ports that a firewall lets through."""
    if site.network.ports is None:
        return []
    ports = site.network.ports.replace("-", ":")
    return ["--worker-port", ports, "--nanny-port", ports]
