"""Queues of PBS: which take jobs, and where one that passes them on sends them. pbs_queue_attributes(7B)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpc_launch.batch.asking import mapping
from hpc_launch.batch.machine import LiveQueue, clock, count, gpus_of

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


def route(name: str, queue: Fields, ends: list[LiveQueue] | None) -> LiveQueue:
    """A queue that passes jobs on to the first of others that takes them: the widest limit of these counts.

    Args:
        ends: those that run them; None: not known, then neither are nodes and limits.
    """
    known = ends or []
    nodes = tuple({node.name: node for end in known for node in end.nodes or ()}.values())
    most, usual = (mapping(queue.get(f"resources_{kind}")) for kind in ("max", "default"))
    whole = {end.exclusive for end in known}
    to = ", ".join(word.strip() for word in str(queue.get("route_destinations", "")).split(","))
    remarks = [f"passes jobs on to {to or 'nobody knows where'}"]
    if ends is None:
        remarks.append("where its jobs run is not known, so nodes and limits are not either")
    return LiveQueue(
        name,
        None if ends is None else nodes,
        clock(str(most.get("walltime", ""))) or _widest([end.walltime for end in known]),
        clock(str(usual.get("walltime", ""))),
        count(str(most.get("nodect", ""))) or _widest([end.max_nodes for end in known]),
        exclusive=whole.pop() if len(whole) == 1 else None,
        gpus=gpus_of(nodes),
        remarks=(*remarks, *remarks_on(queue)),
    )


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
    return remarks + [f"{word}: {queue[word]}" for word in ("max_run", "max_queued") if word in queue]
