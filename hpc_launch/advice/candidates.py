"""Which queues would take a run: for `queue: auto`, and for the hint of a refusal."""

from __future__ import annotations

from dataclasses import replace

from hpc_launch.advice.changes import Planner, Problems, together
from hpc_launch.checks.misfit import Misfit
from hpc_launch.models.plan import Planned, Reason
from hpc_launch.resolve import Resolved


def first_that_fits(resolved: Resolved, plan: Planner) -> Planned | Problems:
    """The plan for the first queue, in the site's order, that takes the run, or why none does.

    A queue with a drawback that nobody asked for is never taken so: who wants it names it.
    """
    site, refusals = resolved.site, {}
    for name in site.queues:
        made = plan(_in(resolved, name))
        if not isinstance(made, Planned):
            if not all(isinstance(problem, Misfit) for problem in made):
                return made  # a mistake, which is one in every queue
            refusals[name] = _why(made)
            continue
        if drawback := _drawback(resolved, name):
            refusals[name] = f"{drawback}; --set queue={name} takes it"
            continue
        taken = f"{resolved.origin('queue')}: queue {name} was taken, the first of {site.name} that fits"
        others = (f"not {other}: {cause}" for other, cause in refusals.items())
        reasons = {**made.reasons, ("queue",): Reason(name, "the first that fits")}
        return replace(made, notes=(*made.notes, taken, *others), reasons=reasons)
    hint = "\n".join(f"{name}: {cause}{_changed(resolved, name, plan)}" for name, cause in refusals.items())
    return (Misfit(f"queue: none of {site.name} takes this", resolved.origin("queue"), hint),)


def with_other_queues(refused: Problems, resolved: Resolved, plan: Planner) -> Problems:
    """The same problems, of which the last also names the queues that would take the run as it is."""
    site = resolved.site
    if "queue" in site.policy.forbidden:
        return refused
    others = [name for name in site.queues if name != resolved.profile.queue and _fits(resolved, name, plan)]
    doubts = {name: _drawback(resolved, name) or _unknown(refused, resolved, name) for name in others}
    fitting = sorted((name for name in others if not _is_for_gpus(resolved, name)), key=lambda name: bool(doubts[name]))
    if not fitting:
        return refused
    named = ", ".join(f"{name} ({doubts[name]})" if doubts[name] else name for name in fitting)
    *first, last = refused
    return (*first, last.also(f"{named} would take it: --set queue={fitting[0]}"))


def _drawback(resolved: Resolved, name: str) -> str:
    """Why a queue is no choice for whoever did not ask for it; empty: it is one."""
    if resolved.site.queues[name].preemptible:
        return "its jobs may be killed for others"
    return "it is for jobs with GPUs" if _is_for_gpus(resolved, name) else ""


def _is_for_gpus(resolved: Resolved, name: str) -> bool:
    return bool(resolved.site.queues[name].gpus and not resolved.profile.workers.gpus)


def _unknown(refused: Problems, resolved: Resolved, name: str) -> str:
    """What of a queue nobody knows that was too small in the one that refused; empty: nothing."""
    queue = resolved.site.queues[name]
    kinds = {problem.kind[0] for problem in refused if isinstance(problem, Misfit) and problem.kind}
    unknown = [kind for kind in ("cores", "memory", "walltime") if kind in kinds and getattr(queue, kind) is None]
    return f"its {' and '.join(unknown)} not known" if unknown else ""


def _why(refused: Problems) -> str:
    """The first reason; of one that no number would mend with what to do about it."""
    first, *_ = refused
    mended = isinstance(first, Misfit) and first.kind
    return first.message if mended or not first.hint else f"{first.message}; {first.hint}"


def _changed(resolved: Resolved, queue: str, plan: Planner) -> str:
    if drawback := _drawback(resolved, queue):
        return "" if _fits(resolved, queue, plan) else f"; and {drawback}"
    changes = together(_in(resolved, queue), plan)
    return f"; fits with --set queue={queue} {' '.join(map(str, changes))}" if changes else ""


def _fits(resolved: Resolved, queue: str, plan: Planner) -> bool:
    return isinstance(plan(_in(resolved, queue)), Planned)


def _in(resolved: Resolved, queue: str) -> Resolved:
    return replace(resolved, profile=resolved.profile.model_copy(update={"queue": queue}))
