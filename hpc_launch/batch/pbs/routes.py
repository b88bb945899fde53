"""Queues of PBS: which take jobs, and where one that passes them on sends them. pbs_queue_attributes(7B)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpc_launch.batch.asking import mapping
from hpc_launch.batch.machine import LiveQueue, clock, count, gpus_of
from hpc_launch.batch.pbs.limits import of_jobs, of_queue, of_route

Fields = Mapping[str, Any]


def is_true(queue: Fields, attribute: str) -> bool:
    """Whether an attribute is set so; those that are not set are False."""
    return str(queue.get(attribute, "False")) == "True"


def runs_jobs(queue: Fields) -> bool:
    """Whether jobs in it may start."""
    return str(queue.get("queue_type", "")).lower().startswith("e") and is_true(queue, "started")


def passes_jobs_on(queue: Fields) -> bool:
    """Whether jobs in it go to other queues."""
    return str(queue.get("queue_type", "")).lower().startswith("r") and is_true(queue, "started")


def closed(name: str, found: Mapping[str, Fields], server: str) -> str:
    """Why users' jobs are not taken by a queue, or never start; empty: they are, and do."""
    for word in ("enabled", "started"):
        if not is_true(found[name], word):
            return f"{word} = False"
    if is_true(found[name], "from_route_only"):
        return "from_route_only = True"
    if destinations(name, found, server) == set():
        kind = found[name].get("queue_type")
        return "none of its destinations takes jobs" if passes_jobs_on(found[name]) else f"queue_type = {kind}"
    return ""


def destinations(
    name: str, found: Mapping[str, Fields], server: str, seen: frozenset[str] = frozenset()
) -> set[str] | None:
    """The queues that run what is sent to a queue; None: some of them are another server's, or not known.

    Args:
        found: name → attributes of every queue.
        server: the name of this one, a host.
        seen: queues that lead here: they may pass jobs on in a circle.
    """
    queue = found[name]
    if name in seen or not is_true(queue, "enabled"):
        return set()
    if not passes_jobs_on(queue):
        return {name} if runs_jobs(queue) else set()
    words = [_own(word.strip(), server) for word in str(queue.get("route_destinations", "")).split(",")]
    ends: set[str] = set()
    for word in words:
        further = destinations(word, found, server, seen | {name}) if word in found else None
        if further is None:
            return None
        ends |= further
    return ends


def _own(destination: str, server: str) -> str:
    """`workq` of `workq@pbshost` where that is this server."""
    queue, _, host = destination.partition("@")
    return queue if host.partition(".")[0] == server.partition(".")[0] else destination


def route(name: str, queue: Fields, server: Fields, ends: list[LiveQueue] | None) -> LiveQueue:
    """A queue that passes jobs on to the first of others that takes them.

    A job has to keep its own limits and those of one of the others: the lower of its own and the widest of these.

    Args:
        server: the server's attributes: what it says of all jobs.
        ends: the queues that run them; None: not known, then neither are nodes and limits but its own.
    """
    known = ends or []
    nodes = tuple({node.name: node for end in known for node in end.nodes or ()}.values())
    most = of_jobs("max", queue, server)
    whole = {end.exclusive for end in known}
    to = ", ".join(word.strip() for word in str(queue.get("route_destinations", "")).split(","))
    remarks = [f"passes jobs on to {to or 'nobody knows where'}"]
    if ends is None:
        remarks.append("where its jobs run is not known, so nodes and limits are not either")
    default, certain = _default_walltime(queue, server, ends)
    unknown = [*(("walltime", "max_nodes") if ends is None else ()), *(() if certain else ("default_walltime",))]
    return LiveQueue(
        name,
        None if ends is None else nodes,
        _lower(clock(str(most.get("walltime", ""))), _widest([end.walltime for end in known])),
        default,
        _lower(most_nodes(most), _widest([end.max_nodes for end in known])),
        limits=of_route(of_queue(queue, server), [end.limits for end in known]),
        exclusive=whole.pop() if len(whole) == 1 else None,
        gpus=gpus_of(nodes),
        remarks=(*remarks, *remarks_on(queue)),
        unknown=tuple(unknown),
    )


def _default_walltime(queue: Fields, server: Fields, ends: list[LiveQueue] | None) -> tuple[int | None, bool]:
    """Seconds, and whether that is certain: its own, else what all those agree on that run its jobs."""
    own = clock(str(mapping(queue.get("resources_default")).get("walltime", "")))
    if own is not None or ends is None:
        return own or clock(str(mapping(server.get("resources_default")).get("walltime", ""))), own is not None
    said = {end.default_walltime for end in ends}
    return (said.pop(), True) if len(said) == 1 else (None, False)


def most_nodes(limits: Fields) -> int | None:
    """Nodes of one job, of `resources_max`."""
    return next((limit for word in ("nodect", "nodes") if (limit := count(str(limits.get(word, ""))))), None)


def _lower(own: int | None, others: int | None) -> int | None:
    """The lower of two limits; none is above all."""
    return min((limit for limit in (own, others) if limit is not None), default=None)


def _widest(limits: list[int | None]) -> int | None:
    """The largest of the limits; none where one of them is."""
    known = [limit for limit in limits if limit is not None]
    return max(known, default=None) if len(known) == len(limits) else None


def remarks_on(queue: Fields) -> list[str]:
    """What a sysadmin should know of a queue and no key of a site profile says."""
    remarks = [
        f"{word} is set: not for everyone" for word in ("acl_user_enable", "acl_group_enable") if is_true(queue, word)
    ]
    if place := mapping(queue.get("resources_default")).get("place"):
        remarks.append(f"resources_default.place = {place}: of jobs that say nothing of their place")
    return remarks
