"""What a profile asks for and no script says, since its site refuses the option: notes."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.batch.dialect import Dialect
from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import dotted
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site
from hpc_launch.resolve import Resolved


def notes(dialect: Dialect, resolved: Resolved) -> list[str]:
    """Of the site's own defaults nothing: it knows what it refuses."""
    found = [*_of_run(dialect, resolved), *_of_workers(dialect, resolved)]
    site = resolved.site.name
    return [f"{origin}: {key} is left out of the scripts: {site} refuses {option}" for origin, key, option in found]


def _of_run(dialect: Dialect, resolved: Resolved) -> Iterator[tuple[Origin, str, str]]:
    profile, site = resolved.profile, resolved.site
    for key in (*Profile.passed_on(), "queue", "qos"):
        given = getattr(profile, key)
        if given and given != site.defaults.get(key) and (option := _refused(dialect, site, key)):
            yield resolved.origin(key), key, option
    if profile.mail.to and (option := _refused(dialect, site, "mail.to")):
        yield resolved.origin("mail", "to"), "mail.to", option


def _of_workers(dialect: Dialect, resolved: Resolved) -> Iterator[tuple[Origin, str, str]]:
    for each in resolved.of_groups():
        for key in ("queue", "qos", "constraint"):
            if getattr(each.profile.workers, key) and (option := _refused(dialect, resolved.site, key)):
                path = ("workers", key) if each.is_for_all(key) else (*each.workers_path, key)
                yield each.origin("workers", key), dotted(path), option


def _refused(dialect: Dialect, site: Site, key: str) -> str | None:
    """The option that would say it, if the site refuses that and none of its own directives says it instead."""
    option = dialect.option(key) or next(iter(dialect.instead.get(key, ())), None)
    own = (*site.directives, *(each for queue in site.queues.values() for each in queue.directives))
    chosen_otherwise = key == "queue" and any(queue.directives or queue.qos for queue in site.queues.values())
    said = any(f"{{{key}}}" in directive for directive in own)
    return option if option in site.rejects and not said and not chosen_otherwise else None
