"""Which site this machine is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeAlias

from hpc_launch.checks import site as site_checks
from hpc_launch.config.document import Document
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import printable
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.site import Detect, Site
from hpc_launch.sites.files import Listed, SiteFile, listed
from hpc_launch.sites.search import unusable

ClusterName: TypeAlias = Callable[[str], str | None]


BY_OPTION = "say --site NAME"


def detect(context: Context, otherwise: str = BY_OPTION) -> SiteFile:
    """The site that this machine belongs to; none or two of them: InvalidConfiguration with the candidates.

    `otherwise`: how the caller is told which one is meant.
    """
    # Rules that cost something are for the site that is used, not for all that it might have been.
    entries = [entry for entry in listed(context, rules=False) if entry.shadowed_by is None]
    cluster_name = cache(context.cluster_name)  # it may ask a batch system
    matching = _youngest(_matching([entry for entry in entries if entry.found], context, cluster_name))
    broken = [entry for entry in entries if entry.error]
    _refuse_broken(matching, broken, context, cluster_name, otherwise)
    here = [entry.found for entry in matching if entry.found]
    wrong = {found.file: site_checks.problems(found.document) for found in here}
    sound = [found for found in here if not wrong[found.file]]
    if len(sound) == 1:
        return sound[0]
    if len(here) == 1:
        raise InvalidConfiguration(*wrong[here[0].file])
    raise InvalidConfiguration(_undecided(here, entries, context, otherwise))


def may_be_here(site: Site, context: Context) -> bool:
    """Whether this machine is the site's; one that does not say how to know it is taken to be."""
    rule = site.detect
    if not _says_how(rule):
        return True
    return any(tells(rule, site.batch_system, context, context.cluster_name) for tells in WAYS)


def _by_hostname(rule: Detect, system: str, context: Context, cluster_name: ClusterName) -> bool:
    return bool(rule.hostname and re.fullmatch(rule.hostname, context.hostname))


def _by_environment(rule: Detect, system: str, context: Context, cluster_name: ClusterName) -> bool:
    wanted = rule.environment.items()
    return bool(wanted) and all(context.environment.get(name) == value for name, value in wanted)


def _by_cluster(rule: Detect, system: str, context: Context, cluster_name: ClusterName) -> bool:
    return bool(rule.cluster) and cluster_name(system) == rule.cluster


WAYS = (_by_hostname, _by_environment, _by_cluster)
"""How a site is known, the surest first: one that tells makes the next ones of no account."""


def _matching(entries: Sequence[Listed], context: Context, cluster_name: ClusterName) -> list[Listed]:
    rules = [(entry, *_rule(entry)) for entry in entries]
    for tells in WAYS:
        if found := [entry for entry, rule, system in rules if tells(rule, system, context, cluster_name)]:
            return found
    return []


def _rule(entry: Listed) -> tuple[Detect, str]:
    """How a site is known and its batch system; of a broken file, as far as it says so."""
    if entry.found:
        return entry.found.site.detect, entry.found.site.batch_system
    said: dict[str, Any] = entry.document.data if entry.document else {}
    given = said.get("detect")
    rule, _ = validate(Detect, Document(given if isinstance(given, dict) else {}, {}, ()))
    return rule or Detect(), str(said.get("batch_system"))


def _youngest(matching: Sequence[Listed]) -> list[Listed]:
    """Without those that another one extends: it inherits how the machine is known, and was made to be taken."""
    extended = {parent for entry in matching for parent in entry.parents}
    return [entry for entry in matching if entry.file not in extended]


def _refuse_broken(
    matching: Sequence[Listed],
    broken: Sequence[Listed],
    context: Context,
    cluster_name: ClusterName,
    otherwise: str,
) -> None:
    """A broken file that would have been the one, or one of two, is no reason to take its parent, another, or none."""
    found = _youngest(_matching([*matching, *broken], context, cluster_name))
    problems = [problem for entry in found if entry.error for problem in entry.error.problems]
    if not problems:
        return
    parents = {parent for entry in found for parent in entry.parents}
    if others := [entry.found.site.name for entry in matching if entry.found and entry.file not in parents]:
        *first, last = problems
        problems = [*first, last.also(f"it matches this machine, as does {', '.join(others)}: mend it, or {otherwise}")]
    raise InvalidConfiguration(*problems)


def _undecided(here: Sequence[SiteFile], entries: Sequence[Listed], context: Context, otherwise: str) -> Problem:
    candidates = here or [entry.found for entry in entries if entry.found and _is_a_machine(entry.found.site)]
    cause = "more than one site profile matches this machine" if here else "no site profile matches this machine"
    hint = f"{otherwise}, one of: {', '.join(found.site.name for found in candidates)}"
    notes = unusable(context)
    if broken := list(_places([entry for entry in entries if entry.error])):
        notes = [f"broken, not looked at: {', '.join(broken)} (hpc-launch site list)", *notes]
    return Problem(f"no site was given, and {cause} ({context.hostname})", None, "; ".join([hint, *notes]))


def _places(broken: Sequence[Listed]) -> Iterator[str]:
    for entry in broken:
        origin = entry.error.problems[0].origin if entry.error else None
        yield printable(str(origin or entry.file))


def _is_a_machine(site: Site) -> bool:
    """One that takes jobs: not retired, and no pattern to start from, which knows neither host nor nodes."""
    sized = any(queue.nodes or queue.cores for queue in site.queues.values())
    return site.status == "active" and (_says_how(site.detect) or sized or not site.queues)


def _says_how(rule: Detect) -> bool:
    return bool(rule.hostname or rule.environment or rule.cluster)
