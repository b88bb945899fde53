"""Small jobs of every kind, rendered for a site: what of its profile only plans and templates know to be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hpc_launch.checks.misfit import Misfit, Shortage
from hpc_launch.checks.queue_names import words
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.models.profile import AUTO
from hpc_launch.sites import SiteFile
from hpc_launch.survey.resource_words import mistakes_in
from hpc_launch.survey.small_jobs import Refusal, SmallJobs

Pair = tuple[str, str | None]
"""A layout, and a queue, or several with commas between (None: this machine)."""
Refusals = Mapping[Pair, Refusal]
"""The pairs of which no job can be had."""

ALONE = "so it is for all runs that say nothing else: name less, or leave it out"


def problems(found: SiteFile, context: Context) -> list[Problem]:
    """Each mistake once, at its line.

    That a job does not fit is none where others do, since users are told what does: but each layout, each queue and
    what the site itself sets for its users are of no use where no small job can be had with them.
    """
    jobs, site = SmallJobs(found, context), found.site
    queues: list[str | None] = [*site.queues] or [None]
    pairs: list[Pair] = [(layout, queue) for layout in site.layouts for queue in queues]
    refusals = {pair: why for pair in pairs if (why := jobs.refusal(*pair))}
    good = [pair for pair in pairs if pair not in refusals]
    mistakes = [mistake for refused in refusals.values() for mistake in refused.mistakes]
    if not mistakes:  # else these are why
        mistakes += [*_layouts(jobs, pairs, refusals), *_queues(jobs, good, refusals)]
    mistakes += [*_defaults(jobs, good), *_default_walltimes(jobs, good)]
    mistakes += mistakes_in(jobs, *good[0]) if good else []
    once = dict.fromkeys(mistakes)
    return sorted(once, key=lambda mistake: (mistake.origin.line or 0) if mistake.origin else 0)


def _layouts(jobs: SmallJobs, pairs: Iterable[Pair], refusals: Refusals) -> Iterator[Problem]:
    """Those that the profile names; where it names none, the one that a run has which names none."""
    named = jobs.found.document.data.get("layouts")
    usual: Any = jobs.found.site.defaults.get("layout") or "single-job"
    for layout in named if isinstance(named, list) else [usual]:
        of_it = [pair for pair in pairs if pair[0] == layout]
        if of_it and all(pair in refusals for pair in of_it):
            yield _useless(jobs, f"layouts: no job of {layout} can be had", refusals[of_it[0]], "layouts")


def _queues(jobs: SmallJobs, good: Iterable[Pair], refusals: Refusals) -> Iterator[Problem]:
    useful = {queue for _, queue in good}
    if useful:  # else the layouts tell it
        for queue in jobs.found.site.queues:
            if queue not in useful:
                why = next(refused for (_, name), refused in refusals.items() if name == queue)
                yield _useless(jobs, f"queues.{queue}: no job can be had in it", why, "queues", queue)


def _useless(jobs: SmallJobs, what: str, refused: Refusal, *path: str) -> Problem:
    why = refused.problems[0]
    origin = why.origin if jobs.is_own(why) else jobs.origin(*path)
    return Problem(f"{what}: {why.message}", origin, "not even one worker of one thread and 100 MiB: mend what says so")


def _defaults(jobs: SmallJobs, good: Sequence[Pair]) -> Iterator[Problem]:
    """Of a job that says nothing else, in the queue that it goes to then; where that is open, in any."""
    site = jobs.found.site
    queues = words(site.defaults.get("queue")) or [AUTO]
    told: dict[Shortage, Problem] = {}  # the same in another layout is told with other numbers
    for layout in site.layouts if site.defaults else ():
        usual = [pair for pair in good if pair[0] == layout and (AUTO in queues or pair[1] in queues)]
        usual = [(layout, ",".join(queues))] if usual and len(queues) > 1 else usual
        refused = [jobs.refusal(*pair, defaults=True) for pair in usual]
        if usual and refused[0] and all(refused):
            of_these = refused[0].mistakes or refused[0].problems[:1]
            told = {(isinstance(each, Misfit) and each.kind) or (each.message,): each for each in of_these} | told
    for each in told.values():
        origin = each.origin if jobs.is_own(each) else jobs.origin("defaults")
        yield Problem(f"defaults: {each.message}", origin, ALONE)


def _default_walltimes(jobs: SmallJobs, good: Sequence[Pair]) -> Iterator[Problem]:
    layouts = {queue: layout for layout, queue in reversed(good)}
    for name, queue in jobs.found.site.queues.items():
        if queue.default_walltime and name in layouts and (why := jobs.refusal(layouts[name], name, walltime=False)):
            message = f"queues.{name}.default_walltime: {why.problems[0].message}"
            yield Problem(message, jobs.origin("queues", name, "default_walltime"), ALONE)
