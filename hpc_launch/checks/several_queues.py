"""Several queues for a job, which has one script, whichever of them it starts in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpc_launch.batch.dialect import Dialect
from hpc_launch.checks.misfit import Misfit, in_group, key_of_group
from hpc_launch.config.wording import listed
from hpc_launch.context import Context
from hpc_launch.models.profile import AUTO
from hpc_launch.plan.layouts import layout_of_run, places
from hpc_launch.plan.queues import Place
from hpc_launch.plan.workers import interface
from hpc_launch.resolve import Resolved


def problems(dialect: Dialect, resolved: Resolved, context: Context) -> Iterator[Misfit]:
    """Those of a run whose queues are known: of the run's, and of those that workers have for themselves."""
    profile, groups = resolved.profile, resolved.of_groups()
    together = layout_of_run(profile).all_at_once
    elsewhere = [each for each in groups if each.profile.workers.queue and not together]
    here = [each.profile.workers.interface for each in groups if each not in elsewhere]
    run, _ = places(resolved, context)
    wanted = [profile.scheduler.interface, *here] if profile.has_workers else []
    open_ones = _left_open(resolved, run, profile.qos, wanted)
    yield from _unlike(dialect, resolved, run, "queue", open_ones)
    for each in elsewhere:
        workers, (_, place) = each.profile.workers, places(each, context)
        open_ones = _left_open(each, place, workers.qos or profile.qos, [workers.interface])
        yield from in_group(each.group, _unlike(dialect, each, place, "workers.queue", open_ones))


def _left_open(resolved: Resolved, place: Place, qos: str | None, wanted: list[str]) -> dict[str, list[str]]:
    """What the script takes from its queue, in words, for each of these."""
    queues = place.queues.values()
    found = {"their directives": [" ".join(queue.directives) or "none" for queue in queues]}
    if qos is None:
        found["the QOS"] = [queue.qos or "none" for queue in queues]
    if AUTO in wanted:
        found["the network interface"] = [interface(AUTO, queue, resolved.site) or "none" for queue in queues]
    return found


def _unlike(
    dialect: Dialect, resolved: Resolved, place: Place, key: str, found: Mapping[str, list[str]]
) -> Iterator[Misfit]:
    first, *others = place.queues
    if not others:
        return
    origin, site = resolved.origin(*key.split(".")), resolved.site
    # Of the run's queue it is told beside this which of them would take it.
    hint = "name one of them" if key == "queue" else f"name one: --set {key_of_group(resolved.group, key)}={first}"
    named = listed(map(repr, place.queues), "and")
    if dialect.between_queues is None:
        yield Misfit(f"{key}: a job on {site.batch_system} names one queue, not several ({named})", origin, hint)
        return
    for what, words in found.items():
        if len({*words}) > 1:
            cause = f"{key}: {named} of {site.name} differ in {what} ({', '.join(words)}), and a job has one script"
            yield Misfit(cause, origin, hint)
