"""A site profile in the words of other programs: a section of dask-jobqueue's configuration."""

from __future__ import annotations

from pathlib import Path

from jinja2 import TemplateNotFound

from hpc_launch import __version__
from hpc_launch.batch import dialect_of
from hpc_launch.batch.dialect import Dialect
from hpc_launch.checks import batch_system
from hpc_launch.checks import site as site_checks
from hpc_launch.checks.directives import Written, directive_faults
from hpc_launch.checks.misfit import refuse
from hpc_launch.checks.queue_names import no_such_queue
from hpc_launch.checks.site.resources import of_a_job
from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import printable
from hpc_launch.errors import InvalidConfiguration, Problem, UsageError
from hpc_launch.export.job import OneNode, job_of, prologue, worker_options
from hpc_launch.export.templates import environment_of
from hpc_launch.export.unsaid import unsaid
from hpc_launch.locations import TEMPLATES
from hpc_launch.models.job import names_of
from hpc_launch.models.profile import AUTO, Profile
from hpc_launch.models.site import Site
from hpc_launch.plan.workers import local_directory
from hpc_launch.sites import SiteFile
from hpc_launch.units import MIB

FOLDER = "export/jobqueue"


def jobqueue(found: SiteFile, queue: str | None = None) -> str:
    """The YAML section for dask-jobqueue 0.9 with the site's name, for one node of a queue.

    Raises UsageError where the batch system has no class in dask-jobqueue, or no queue was given and the site has no
    default; InvalidConfiguration for a queue that there is not, or a site profile that is wrong: what a script would be
    refused for is refused here too.
    """
    site = found.site
    environment = environment_of(found)
    try:
        template = environment.get_template(f"{FOLDER}/{site.batch_system}.yaml.j2")
    except TemplateNotFound:
        known = sorted(file.name.removesuffix(".yaml.j2") for file in Path(TEMPLATES, FOLDER).glob("*"))
        cause = f"dask-jobqueue has no cluster for the batch system {site.batch_system!r} of {site.name}"
        raise UsageError(Problem(cause, None, f"there are some for: {', '.join(known)}")) from None
    dialect = dialect_of(site.batch_system)
    refuse(batch_system.of_site(dialect, site, found.document))
    profile = _defaults(found)
    name = _queue_name(site, profile, queue)
    _refuse_said(dialect, found, profile, name)
    node, notes = job_of(site, profile, name)
    given, workers = profile.environment, profile.workers
    origin = found.document.origins.get(())
    return template.render(
        site=site,
        section=section_name(site),
        file=origin.source if origin else str(found.file),
        version=__version__,
        headroom=f"{float(site.memory.headroom * 100):g}%",
        node=node,
        notes=[*unsaid(site, profile, node), *notes],
        account=profile.account,
        qos=profile.qos or site.queues[node.queue].qos,
        constraint=profile.constraint,
        reservation=profile.reservation,
        extra=[*_of_one_node(site, node, profile), *profile.directives],
        local_directory=local_directory(workers.local_directory, site),
        python=given.python or (f"{given.venv}/bin/python" if given.venv else None),
        setups={
            ("environment", "setup"): site.environment.setup,
            ("defaults", "environment", "setup"): given.setup,
        },
        prologue=prologue(site, profile),
        worker_options=worker_options(site, profile),
        worker_resources=workers.resources,
    )


def section_name(site: Site) -> str:
    """The section's name: the site's; dask.config takes a dot for the way to an inner key."""
    return site.name.replace(".", "-")


def _defaults(found: SiteFile) -> Profile:
    """What the site gives every user; raises InvalidConfiguration where that is wrong."""
    profile, problems = site_checks.defaults(found.document)
    if profile is None:
        raise InvalidConfiguration(*problems)
    return profile


def _refuse_said(dialect: Dialect, found: SiteFile, profile: Profile, queue: str) -> None:
    """What would say a second thing in a job's directives; raises InvalidConfiguration."""
    site, document = found.site, found.document
    asked = Written(profile.directives, document, ("defaults", "directives"))
    origin = document.origins.get(("defaults", "constraint"))
    refuse(
        [
            *directive_faults(dialect, site, document, [queue], [asked]),
            *batch_system.constraint(dialect, site, profile.constraint, origin),
        ]
    )


def _queue_name(site: Site, profile: Profile, given: str | None) -> str:
    defaults = () if profile.queue == AUTO else names_of(profile.queue)
    candidates = defaults or tuple(site.queues)
    name = given or (candidates[0] if len(candidates) == 1 else None)
    there = f"queues of {site.name}: {', '.join(site.queues)}"
    if name is None:
        number = "several default queues" if defaults else "no default queue"
        raise UsageError(Problem(f"{site.name} has {number}", None, f"say --queue NAME; {there}"))
    if name in site.queues:
        return name
    raise InvalidConfiguration(Problem(no_such_queue(site, name), Origin(f"--queue {printable(name)}"), there))


def _of_one_node(site: Site, node: OneNode, profile: Profile) -> list[str]:
    """The site's own directives, with the numbers of a job that takes one node; without those that nobody knows."""
    given = (*site.directives, *site.queues[node.queue].directives)
    numbers = {"{cores}": node.cores, "{memory}": node.memory}
    known = [words for words in given if not any(name in words and value is None for name, value in numbers.items())]
    of_node = (1, node.cores or 0, (node.memory or 0) // MIB, 0, profile.account)
    return [said for words in known if (said := of_a_job(words, *of_node))]
