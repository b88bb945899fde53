"""What a site profile says and an exported section cannot: sentences for its head."""

from __future__ import annotations

from hpc_launch import quoting, units
from hpc_launch.export.job import qos_of
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Qos, Queue, Site


def unsaid(site: Site, profile: Profile, name: str) -> list[str]:
    """What the site profile says and a section cannot."""
    queue, storage = site.queues[name], site.storage
    most = [text.format(number) for number, text in _most(site, queue, qos_of(site, profile, name)) if number]
    said = [
        (site.status == "retired", f"{site.name} is retired" + (f": see {site.successor}." if site.successor else ".")),
        (site.message, site.message),
        (not site.submit_from_compute, "Jobs may not submit jobs: make the cluster on a login host."),
        (queue.preemptible, "Jobs in this queue may be killed for others."),
        (queue.exclusive, "A job in this queue gets, and pays for, whole nodes: fewer cores cost no less."),
        (queue.gpus and _gpus(site, queue), _gpus(site, queue)),
        (most, f"A user may {', '.join(most)}."),
        (site.commands.submit, f"Its own submit command cannot be said here: {quoting.words(site.commands.submit)}"),
        (site.commands.cancel, f"Its own cancel command cannot be said here: {quoting.words(site.commands.cancel)}"),
        (storage.local_kind in ("memory", "shared"), f"{storage.local} is no local disk: workers should not spill."),
        (profile.environment.conda, f"Make the cluster in the conda environment {profile.environment.conda}."),
        (profile.environment.container, "The site's container cannot be said here: workers start without it."),
        (
            site.network.ports,
            f"Connections are let through on ports {site.network.ports}: scheduler-options {{port: …}}.",
        ),
    ]
    return [str(sentence) for holds, sentence in said if holds]


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
    words = site.resources.get("gpus")
    if queue.exclusive and not words:
        return ""  # they come with the node
    how = f"; the site's words for them: {words.replace('{n}', str(queue.gpus))}" if words else ""
    return f"A node has {queue.gpus} GPUs, which are not asked for{how}."
