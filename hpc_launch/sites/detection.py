"""Which site this machine is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.site import Site
from hpc_launch.sites import rules as site_rules
from hpc_launch.sites.files import SiteFile, listed


def detect(context: Context) -> SiteFile:
    """The site that this machine belongs to; none or two of them: InvalidConfiguration with the candidates."""
    # Rules that cost something are for the site that is used, not for all that it might have been.
    usable = [entry.found for entry in listed(context, rules=False) if entry.found and entry.shadowed_by is None]
    matching = [found for found in usable if _is_here(found.site, context)] or _named_so(usable, context)
    wrong = {found.file: site_rules.problems(found.document) for found in matching}
    sound = [found for found in matching if not wrong[found.file]]
    if len(sound) == 1:
        return sound[0]
    if len(matching) == 1:
        raise InvalidConfiguration(*wrong[matching[0].file])
    names = ", ".join(found.site.name for found in matching or usable)
    cause = "more than one site profile matches this machine" if matching else "no site profile matches this machine"
    raise InvalidConfiguration(
        Problem(f"no site was given, and {cause} ({context.hostname})", None, f"say --site NAME, one of: {names}")
    )


def may_be_here(site: Site, context: Context) -> bool:
    """Whether this machine is the site's; one that does not say how to know it is taken to be."""
    rule = site.detect
    if not (rule.hostname or rule.environment or rule.cluster):
        return True
    return _is_here(site, context) or bool(rule.cluster and context.cluster_name(site.batch_system) == rule.cluster)


def _is_here(site: Site, context: Context) -> bool:
    """Whether host name or environment say that this machine is the site's."""
    rule = site.detect
    if rule.hostname and re.fullmatch(rule.hostname, context.hostname):
        return True
    wanted = rule.environment.items()
    return bool(wanted) and all(context.environment.get(name) == value for name, value in wanted)


def _named_so(usable: Sequence[SiteFile], context: Context) -> list[SiteFile]:
    """The sites whose cluster has the name that the batch system here gives; each batch system is asked once."""
    named = [found for found in usable if found.site.detect.cluster]
    systems = {found.site.batch_system for found in named}
    here = {system: context.cluster_name(system) for system in sorted(systems)}
    return [found for found in named if found.site.detect.cluster == here[found.site.batch_system]]
