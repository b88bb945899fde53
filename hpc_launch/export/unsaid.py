"""What a site profile says and an exported section cannot: sentences for its head."""

from __future__ import annotations

from hpc_launch import quoting, units
from hpc_launch.checks.site.resources import with_numbers
from hpc_launch.export.job import OneNode, qos_of, threads_of
from hpc_launch.models.profile import AUTO, Profile
from hpc_launch.models.site import Qos, Queue, Site


def unsaid(site: Site, profile: Profile, node: OneNode) -> list[str]:
    """What the site profile says and a section for this job cannot."""
    queue, storage = site.queues[node.queue], site.storage
    most = [text.format(number) for number, text in _most(site, queue, qos_of(site, profile, node.queue)) if number]
    no_disk = profile.workers.local_directory == AUTO and storage.local_kind in ("memory", "shared")
    said = [
        (site.status == "retired", f"{site.name} is retired" + (f": see {site.successor}." if site.successor else ".")),
        (site.message, (site.message or "").strip().replace("\n", " ")),
        (site.jobs_may("submit") is False, "Jobs may not submit jobs: make the cluster on a login host."),
        (queue.preemptible, "Jobs in this queue may be killed for others."),
        (queue.exclusive, "A job in this queue gets, and pays for, whole nodes: fewer cores cost no less."),
        (own := _account(site), own),
        (gpus := _gpus(site, queue), gpus),
        (most, f"A user may {', '.join(most)}."),
        (site.commands.submit, f"Its own submit command cannot be said here: {quoting.words(site.commands.submit)}"),
        (site.commands.cancel, f"Its own cancel command cannot be said here: {quoting.words(site.commands.cancel)}"),
        (no_disk, f"{storage.local} is no local disk: workers should not spill."),
        (profile.environment.conda, f"Make the cluster in the conda environment {profile.environment.conda}."),
        (profile.environment.container, "The site's container cannot be said here: workers start without it."),
        (
            site.network.ports,
            f"Connections are let through on ports {site.network.ports}: scheduler-options {{port: …}}.",
        ),
    ]
    return [*(str(sentence) for holds, sentence in said if holds), *_shares(site, profile, node)]


def _account(site: Site) -> str:
    """How the account is said where the site has words of its own for it."""
    own = next((words for words in site.directives if "{account}" in words), "")
    return own and f"Add the account to job-extra-directives: {own}"


def _shares(site: Site, profile: Profile, node: OneNode) -> list[str]:
    """What each worker has, where the site says otherwise: dask-jobqueue divides cores and memory evenly (core.py)."""
    threads, memory = threads_of(site, profile), profile.workers.memory
    of_each = node.cores and node.processes and node.cores // node.processes
    bytes_of_each = node.workers_memory and node.processes and node.workers_memory // node.processes
    said = []
    if threads and threads != of_each:
        has = f": each worker has {of_each}" if of_each else ""
        said.append(f"The site's workers.threads, {threads}, cannot be said here{has}.")
    if memory and memory != bytes_of_each:
        has = f": each worker has {units.format_memory(bytes_of_each)}" if bytes_of_each else ""
        said.append(f"The site's workers.memory, {units.format_memory(memory)}, cannot be said here{has}.")
    return said


def _most(site: Site, queue: Queue, qos: Qos | None) -> list[tuple[int | str | None, str]]:
    """Limits of a user, and how to say them."""
    limits, of_qos = site.limits, qos or Qos()
    return [
        (limits.submitted.jobs, "submit {} jobs"),
        (queue.max_submitted, "submit {} jobs to this queue"),
        (queue.max_jobs, "run {} jobs at once in this queue"),
        (queue.max_user_nodes, "use {} nodes of this queue at once"),
        (of_qos.jobs, "run {} jobs at once in this quality of service"),
        (of_qos.cores, "use {} cores at once in it"),
        (limits.running.jobs, "run {} jobs at once"),
        (limits.running.cores, "use {} cores at once"),
        (limits.running.memory and units.format_memory(limits.running.memory), "use {} at once"),
    ]


def _gpus(site: Site, queue: Queue) -> str:
    """Of a node, where there are some that have to be asked for; empty otherwise."""
    words = site.resources.get("gpus")
    if not queue.gpus or (queue.exclusive and not words):
        return ""  # with a whole node they come by themselves
    how = f"; the site's words for them: {with_numbers(words, queue.gpus)}" if words else ""
    return f"A node has {queue.gpus} GPUs, which are not asked for{how}."
