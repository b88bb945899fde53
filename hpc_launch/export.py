"""A site profile in the words of other programs: a section of dask-jobqueue's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, TemplateNotFound

from hpc_launch import __version__, quoting, sites, units
from hpc_launch.config.document import Document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import Origin
from hpc_launch.config.validation import validate
from hpc_launch.errors import InvalidConfiguration, Problem, UsageError
from hpc_launch.explain import LEAST, shown
from hpc_launch.export_job import job_of, prologue, unsaid, worker_options
from hpc_launch.locations import TEMPLATES
from hpc_launch.models.profile import AUTO, Profile
from hpc_launch.models.site import Site
from hpc_launch.render.templates import environment as templates
from hpc_launch.sites import SiteFile

FOLDER = "export/jobqueue"


def jobqueue(found: SiteFile, queue: str | None = None) -> str:
    """The YAML section for dask-jobqueue 0.9 with the site's name, for one node of a queue.

    Raises UsageError where the batch system has no class in dask-jobqueue, or no queue was given and the site has no
    default; InvalidConfiguration for a queue that there is not, or a site profile that is wrong.
    """
    site = found.site
    environment = _environment(found)
    try:
        template = environment.get_template(f"{FOLDER}/{site.batch_system}.yaml.j2")
    except TemplateNotFound:
        known = sorted({file.name.removesuffix(".yaml.j2") for file in Path(TEMPLATES, FOLDER).glob("*")} - {"section"})
        cause = f"dask-jobqueue has no cluster for the batch system {site.batch_system!r} of {site.name}"
        raise UsageError(Problem(cause, None, f"there are some for: {', '.join(known)}")) from None
    profile = _defaults(found)
    node, notes = job_of(site, profile, _queue_name(site, profile, queue))
    given, workers = profile.environment, profile.workers
    origin = found.document.origins.get(())
    return template.render(
        site=site,
        section=section_name(site),
        file=origin.source if origin else str(found.file),
        version=__version__,
        headroom=f"{float(site.memory.headroom):.0%}",
        node=node,
        notes=[*unsaid(site, profile, site.queues[node.queue]), *notes],
        account=profile.account,
        qos=profile.qos or site.queues[node.queue].qos,
        constraint=profile.constraint,
        reservation=profile.reservation,
        extra=[*site.directives, *site.queues[node.queue].directives, *profile.directives],
        local_directory=site.storage.local if workers.local_directory == "auto" else workers.local_directory,
        python=given.python or (f"{given.venv}/bin/python" if given.venv else None),
        prologue=prologue(site, profile),
        worker_options=worker_options(site),
    )


def section_name(site: Site) -> str:
    """The section's name: the site's; dask.config takes a dot for the way to an inner key."""
    return site.name.replace(".", "-")


def _defaults(found: SiteFile) -> Profile:
    """What the site gives every user; raises InvalidConfiguration where that is wrong."""
    origins = {path[1:]: origin for path, origin in found.document.origins.items() if path[:1] == ("defaults",)}
    # What a profile must have, a section has no use for.
    layers = [Document(LEAST, {}, ()), Document(found.document.data.get("defaults") or {}, origins, ())]
    profile, problems = validate(Profile, merge(layers))
    if profile is None:
        raise InvalidConfiguration(*problems)
    return profile


def _queue_name(site: Site, profile: Profile, given: str | None) -> str:
    default = None if profile.queue == AUTO else profile.queue
    name = given or default or (next(iter(site.queues)) if len(site.queues) == 1 else None)
    there = f"queues of {site.name}: {', '.join(site.queues)}"
    if name is None:
        raise UsageError(Problem(f"{site.name} has no default queue", None, f"say --queue NAME; {there}"))
    if name in site.queues:
        return name
    raise InvalidConfiguration(Problem(sites.no_such_queue(site, name), Origin(f"--queue {name}"), there))


def _environment(found: SiteFile) -> Environment:
    """The templates of scripts, with what YAML needs besides; there a value that nobody knows stays None."""
    environment = templates()

    def refuse(message: str, *key: str) -> NoReturn:
        origins = found.document.origins
        raise InvalidConfiguration(Problem(message, origins.get(key) or origins.get(())))

    def own(options: dict[str, str | None], between: str) -> list[str]:
        """Directives of ours, but those that the site refuses."""
        wanted = {name: value for name, value in options.items() if value and name not in found.site.rejects}
        return [f"{name}{between}{value}" for name, value in wanted.items()]

    environment.globals.update(refuse=refuse, own=own)
    environment.filters.update(
        yaml=scalar,
        block=block,
        path=lambda value: value and quoting.path(value),
        memory=lambda size: size and units.exact_memory(size),
        walltime=lambda seconds: seconds and units.format_walltime(seconds),
        walltime_minutes=lambda seconds: seconds and units.format_walltime_minutes(seconds),
        written=lambda name, mark, names=None: f"{mark} {(names or {}).get(name, f'{name} ')}",
    )
    return environment


def scalar(value: Any) -> str:
    """A value as YAML of any version on one line, whatever is in it."""
    if isinstance(value, str) and not value.isprintable():
        import yaml

        return yaml.safe_dump(value, default_style='"', width=2**30).strip()
    return shown(value)


def block(text: str, indent: int) -> str:
    """Shell text as YAML: as it is, where YAML would give it back so."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) == 1 or lines[0][:1] in ("", " ") or not all(line.isprintable() for line in lines):
        return scalar(text.rstrip("\n"))
    return "|-\n" + "\n".join(" " * indent + line if line else "" for line in lines)
