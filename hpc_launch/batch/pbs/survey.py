"""What a live PBS Pro or OpenPBS says of its machine: pbsnodes(8B), qstat(1B), pbs_queue_attributes(7B)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hpc_launch.batch.asking import json_of, mapping
from hpc_launch.batch.client import Client
from hpc_launch.batch.environment import locate
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said, clock, count, gpus_of
from hpc_launch.batch.pbs import limits, routes
from hpc_launch.batch.pbs.limits import size

NODES = ("pbsnodes", "-a", "-F", "json")
QUEUES = ("qstat", "-Q", "-f", "-F", "json")
SERVER = ("qstat", "-B", "-f", "-F", "json")

# pbs_node_attributes(7B), state: a node may have several
_OUT = re.compile(r"down|offline|unknown|stale|provisioning|maintenance|sleep|unresolvable", re.I)
# the same, sharing: what gives whole nodes to jobs that name neither excl nor shared, as ours do not
_WHOLE = {"default_excl", "default_exclhost", "force_excl", "force_exclhost"}

Fields = Mapping[str, Any]


def survey(system: Client) -> Machine:
    """The machine, by three commands. Raises NotStarted where there is no pbsnodes, NoAnswer where one fails."""
    locate(NODES[0])
    answer = json_of(system, *NODES)
    hosts = {name: mapping(node) for name, node in mapping(answer.get("nodes")).items()}
    found = {name: mapping(queue) for name, queue in mapping(json_of(system, *QUEUES).get("Queue")).items()}
    server = next((mapping(value) for value in mapping(json_of(system, *SERVER).get("Server")).values()), {})
    here = str(answer.get("pbs_server", ""))
    closed = {name: why for name in found if (why := routes.closed(name, found, here))}
    running = {name: _queue(name, queue, hosts, server) for name, queue in found.items() if routes.runs_jobs(queue)}
    passing = {name: _passing(name, found, running, here, server) for name in found if name not in running}
    every = running | passing
    queues = {name: every[name] for name in found if name not in closed}
    default = str(server.get("default_queue", ""))
    missing = {}
    if default not in queues:
        why = f"the default queue is {default}, which takes no jobs" if default else "no default_queue is set"
        missing["defaults.queue"] = f"{' '.join(SERVER)}: {why}"
    return Machine(
        system.name,
        " ".join(("PBS", str(answer.get("pbs_version", "")))).strip(),
        tuple(queues.values()),
        {name: " ".join(words) for name, words in (("config", SERVER), ("nodes", NODES), ("queues", QUEUES))},
        queue_option="-q",
        cluster=None,  # PBS has a name for its server only, which is a host
        default_queue=default if default in queues else None,
        closed=closed,
        array=count(str(server.get("max_array_size", "10000"))),  # unset: pbs_server_attributes(7B)
        submitted=limits.per_user(server.get("max_queued")),
        running=limits.of_user(server),
        mpi=(("mpiexec", "mpiexec"), ("openmpi", "mpirun")),
        more=(
            Said(("launchers", "node"), "pbsdsh", ""),
            Said(("memory", "directive"), "per-node", ""),
            Said(("storage", "local"), "$TMPDIR", "PBS makes one for each job"),
        ),
        missing=missing,
    )


def _passing(
    name: str, found: Mapping[str, Fields], running: Mapping[str, LiveQueue], here: str, server: Fields
) -> LiveQueue:
    ends = routes.destinations(name, found, here)
    known = None if ends is None else [running[end] for end in running if end in ends]
    return routes.route(name, found[name], server, known)


def _queue(name: str, queue: Fields, hosts: Mapping[str, Fields], server: Fields) -> LiveQueue:
    most, usual = (limits.of_jobs(kind, queue, server) for kind in ("max", "default"))
    own = {host: fields for host, fields in hosts.items() if _belongs(name, queue, fields)}
    has_gpus = any("ngpus" in mapping(fields.get("resources_available")) for fields in hosts.values())
    nodes = tuple(_node(host, fields, has_gpus) for host, fields in own.items())
    return LiveQueue(
        name,
        nodes,
        clock(str(most.get("walltime", ""))),
        clock(str(usual.get("walltime", ""))),
        routes.most_nodes(most),
        limits=limits.of_queue(queue, server),
        exclusive=_exclusive(own),
        gpus=gpus_of(nodes),
        remarks=tuple(routes.remarks_on(queue)),
    )


def _exclusive(hosts: Mapping[str, Fields]) -> bool | None:
    """Whether jobs get whole nodes: each of them is only given so.

    A queue's default `place` is for jobs that name none, and ours do: pbs_resources(7B).
    """
    told = {str(fields["sharing"]) in _WHOLE if "sharing" in fields else None for fields in hosts.values()}
    return told.pop() if len(told) == 1 else None


def _belongs(name: str, queue: Fields, node: Fields) -> bool:
    """A node may be for one queue alone, or for those that its resource Qlist names: pbs_node_attributes(7B)."""
    if routes.is_true(queue, "hasnodes") or "queue" in node:
        return node.get("queue") == name
    wanted = mapping(queue.get("default_chunk")).get("Qlist")
    return wanted is None or str(wanted) in str(mapping(node.get("resources_available")).get("Qlist", "")).split(",")


def _node(name: str, node: Fields, has_gpus: bool) -> Node:
    """A node; one without ngpus has none where others have the resource, which is a site's own to make."""
    has = mapping(node.get("resources_available"))
    state = str(node.get("state", "unknown"))
    reason = str(node.get("comment", ""))
    out = ": ".join(part for part in (state, reason) if part) if _OUT.search(state) else ""
    gpus = count(str(has.get("ngpus", "0"))) if has_gpus else None
    return Node(name, count(str(has.get("ncpus", ""))), size(has.get("mem", "")), out, gpus)
