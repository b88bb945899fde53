"""Which queues, and which layouts, would take a run: for `queue: auto`, and for the hint of a refusal."""

from __future__ import annotations

from dataclasses import replace

from hpc_launch.advice.changes import Attempts, Change, Changes, Problems
from hpc_launch.advice.smallest import together, with_smallest_changes
from hpc_launch.checks.misfit import Misfit
from hpc_launch.models.plan import Planned, Reason
from hpc_launch.models.site import Site

MOST_QUEUES = 20
"""So many others are tried for a hint."""


def first_that_fits(attempts: Attempts) -> Planned | Problems:
    """The plan for the first queue, in the site's order, that takes the run, or why none does.

    A queue with a drawback that nobody asked for is never taken so: who wants it names it.
    """
    resolved, site, refusals = attempts.resolved, attempts.resolved.site, {}
    for name in site.queues:
        made = attempts.outcome(_in(name), needed=True)
        if not isinstance(made, Planned):
            if not all(isinstance(problem, Misfit) for problem in made):
                return made  # a mistake, which is one in every queue
            refusals[name] = _why(made)
            continue
        if drawback := _drawback(attempts, name):
            refusals[name] = f"{drawback}; --set queue={name} takes it"
            continue
        taken = f"{resolved.origin('queue')}: queue {name} was taken, the first of {site.name} that fits"
        others = (f"not {other}: {cause}" for other, cause in refusals.items())
        reasons = {**made.reasons, ("queue",): Reason(name, "the first that fits")}
        return replace(made, notes=(*made.notes, taken, *others), reasons=reasons)
    hint = "\n".join(f"{name}: {cause}{_changed(attempts, name)}" for name, cause in refusals.items())
    return (Misfit(f"queue: none of {site.name} takes this", resolved.origin("queue"), hint),)


def with_advice(refused: Problems, attempts: Attempts) -> Problems:
    """The same problems, each with what would mend it; the last also says where the run would be taken as it is."""
    others = [name for name in attempts.resolved.site.queues if name != attempts.resolved.profile.queue]
    queues = _fitting(attempts, "queue", others[:MOST_QUEUES])
    layouts = _fitting(attempts, "layout", _other_layouts(attempts))
    nowhere = not queues and not layouts and len(others) <= MOST_QUEUES
    *first, last = with_smallest_changes(refused, attempts, nowhere)
    if layouts:
        last = last.also(f"with another layout it fits: {', or '.join(map(str, layouts))}")
    return (*first, last.also(_named(queues, refused, attempts)))


def _other_layouts(attempts: Attempts) -> list[str]:
    return [name for name in attempts.resolved.site.layouts if name != attempts.resolved.profile.layout]


def _fitting(attempts: Attempts, key: str, values: list[str]) -> list[Change]:
    """Those that take the run as it is, one change each."""
    if not attempts.may_set(key):
        return []
    return [change for value in values if attempts.fits(change := Change(key, value))]


def _named(queues: list[Change], refused: Problems, attempts: Attempts) -> str:
    """The queues in words, those with a drawback last; empty: there are none to name."""
    names = [str(change.value) for change in queues if not _is_for_gpus(attempts, str(change.value))]
    doubts = {name: _drawback(attempts, name) or _unknown(refused, attempts.resolved.site, name) for name in names}
    names.sort(key=lambda name: bool(doubts[name]))
    words = ", ".join(f"{name} ({doubts[name]})" if doubts[name] else name for name in names)
    return f"{words} would take it: --set queue={names[0]}" if names else ""


def _drawback(attempts: Attempts, name: str) -> str:
    """Why a queue is no choice for whoever did not ask for it; empty: it is one."""
    if attempts.resolved.site.queues[name].preemptible:
        return "its jobs may be killed for others"
    return "it is for jobs with GPUs" if _is_for_gpus(attempts, name) else ""


def _is_for_gpus(attempts: Attempts, name: str) -> bool:
    return bool(attempts.resolved.site.queues[name].gpus and not attempts.resolved.profile.workers.gpus)


def _unknown(refused: Problems, site: Site, name: str) -> str:
    """What of a queue nobody knows that was too small in the one that refused; empty: nothing."""
    kinds = {problem.kind[0] for problem in refused if isinstance(problem, Misfit) and problem.kind}
    limits = ("cores", "memory", "walltime")
    unknown = [kind for kind in limits if kind in kinds and getattr(site.queues[name], kind) is None]
    return f"its {' and '.join(unknown)} not known" if unknown else ""


def _why(refused: Problems) -> str:
    """The first reason; of one that no number would mend with what to do about it."""
    first, *_ = refused
    mended = isinstance(first, Misfit) and first.kind
    return first.message if mended or not first.hint else f"{first.message}; {first.hint}"


def _changed(attempts: Attempts, queue: str) -> str:
    if drawback := _drawback(attempts, queue):
        return "" if attempts.fits(*_in(queue)) else f"; and {drawback}"
    changes = together(attempts, _in(queue))
    return f"; fits with {' '.join(map(str, changes))}" if changes else ""


def _in(queue: str) -> Changes:
    return (Change("queue", queue),)
