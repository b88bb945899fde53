"""What a live PBS Pro or OpenPBS says of its machine: pbsnodes(8B), qstat(1B), pbs_queue_attributes(7B)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hpc_launch.batch.asking import json_of, mapping
from hpc_launch.batch.client import Client
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said, clock, count
from hpc_launch.units import MIB

NODES = ("pbsnodes", "-a", "-F", "json")
QUEUES = ("qstat", "-Q", "-f", "-F", "json")
SERVER = ("qstat", "-B", "-f", "-F", "json")

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
# pbs_node_attributes(7B), state: a node may have several
_OUT = re.compile(r"down|offline|unknown|stale|provisioning|wait-provisioning|maintenance|sleep|unresolvable")

Fields = Mapping[str, Any]


def survey(system: Client) -> Machine:
    """The machine, by three commands. Raises NotStarted where there is no pbsnodes, NoAnswer where one fails."""
    answer = json_of(system, *NODES)
    nodes = {name: mapping(node) for name, node in mapping(answer.get("nodes")).items()}
    found = {name: mapping(queue) for name, queue in mapping(json_of(system, *QUEUES).get("Queue")).items()}
    server = next((mapping(value) for value in mapping(json_of(system, *SERVER).get("Server")).values()), {})
    running = {name: _queue(name, queue, nodes, server) for name, queue in found.items() if _runs_jobs(queue)}
    routed = {name: _route(name, queue, running) for name, queue in found.items() if _passes_jobs_on(queue)}
    every = running | routed
    queues = {name: every[name] for name in found if name in every and not _is_closed(found[name])}
    default = str(server.get("default_queue", ""))
    missing = {}
    if default and default not in queues:
        missing["defaults.queue"] = f"the default queue is {default}, which takes no jobs"
    return Machine(
        system.name,
        " ".join(("PBS", str(answer.get("pbs_version", "")))).strip(),
        tuple(queues.values()),
        {name: " ".join(words) for name, words in (("config", SERVER), ("nodes", NODES), ("queues", QUEUES))},
        queue_option="-q",
        cluster=None,  # PBS has a name for its server only, which is a host
        default_queue=default if default in queues else None,
        array=count(str(server.get("max_array_size", "10000"))),  # unset: pbs_server_attributes(7B)
        submitted=_per_user(server.get("max_queued")),
        mpi=(("mpiexec", "mpiexec"), ("openmpi", "mpirun")),
        more=(
            Said(("launchers", "node"), "pbsdsh", ""),
            Said(("memory", "directive"), "per-node", ""),
            Said(("storage", "local"), "$TMPDIR", "PBS makes one for each job"),
        ),
        missing=missing,
    )


def _is(queue: Fields, attribute: str) -> bool:
    return str(queue.get(attribute, "False")) == "True"


def _is_closed(queue: Fields) -> bool:
    """Whether users cannot submit to it: not at all, or only by way of a queue that passes jobs on."""
    return not _is(queue, "enabled") or _is(queue, "from_route_only")


def _runs_jobs(queue: Fields) -> bool:
    return str(queue.get("queue_type", "")).lower().startswith("e") and _is(queue, "started")


def _passes_jobs_on(queue: Fields) -> bool:
    return str(queue.get("queue_type", "")).lower().startswith("r") and _is(queue, "started")


def _route(name: str, queue: Fields, running: Mapping[str, LiveQueue]) -> LiveQueue:
    """A queue that passes jobs on to the first of others that takes them: the widest limit of these counts."""
    names = [word.strip().partition("@")[0] for word in str(queue.get("route_destinations", "")).split(",")]
    ends = [running[word] for word in names if word in running]
    nodes = {node.name: node for end in ends for node in end.nodes or ()}
    most = mapping(queue.get("resources_max"))
    return LiveQueue(
        name,
        tuple(nodes.values()),
        clock(str(most.get("walltime", ""))) or _widest([end.walltime for end in ends]),
        clock(str(mapping(queue.get("resources_default")).get("walltime", ""))),
        count(str(most.get("nodect", ""))) or _widest([end.max_nodes for end in ends]),
        (f"passes jobs on to {', '.join(names)}", *_remarks(queue)),
    )


def _widest(limits: list[int | None]) -> int | None:
    """The largest of the limits; none where one of them is."""
    known = [limit for limit in limits if limit is not None]
    return max(known, default=None) if len(known) == len(limits) else None


def _remarks(queue: Fields) -> list[str]:
    remarks = [
        f"{word} is set: not for everyone" for word in ("acl_user_enable", "acl_group_enable") if _is(queue, word)
    ]
    return remarks + [f"{word}: {queue[word]}" for word in ("max_run", "max_queued") if word in queue]


def _size(value: object) -> int | None:
    """Bytes, rounded down to MiB: `4046164kb`, `2gb`; pbs_resources(7B), size; a word has eight bytes."""
    found = re.fullmatch(r"(\d{1,18})([kmgtp]?)([bw]?)", str(value).strip().lower())
    bytes_ = int(found[1]) * _UNITS[found[2]] * (8 if found[3] == "w" else 1) if found else 0
    return bytes_ // MIB * MIB or None


def _per_user(value: object) -> int | None:
    """Of `[u:PBS_GENERIC=200], [o:PBS_ALL=1000]` what holds for every user."""
    found = re.search(r"\bu:PBS_GENERIC\s*=\s*(\d{1,9})", str(value))
    return int(found[1]) if found else None


def _queue(name: str, queue: Fields, nodes: Mapping[str, Fields], server: Fields) -> LiveQueue:
    most, usual = (mapping(queue.get(f"resources_{kind}")) for kind in ("max", "default"))
    general = mapping(server.get("resources_max"))
    own = [node for node in nodes.items() if _belongs(name, queue, node[1])]
    limits = (count(str(most.get(word, general.get(word, "")))) for word in ("nodect", "nodes"))
    return LiveQueue(
        name,
        tuple(_node(*node) for node in own),
        clock(str(most.get("walltime", general.get("walltime", "")))),
        clock(str(usual.get("walltime", mapping(server.get("resources_default")).get("walltime", "")))),
        next((limit for limit in limits if limit), None),
        tuple(_remarks(queue)),
    )


def _belongs(name: str, queue: Fields, node: Fields) -> bool:
    """A node may be for one queue alone, or for those that its resource Qlist names: pbs_node_attributes(7B)."""
    if _is(queue, "hasnodes") or "queue" in node:
        return node.get("queue") == name
    wanted = mapping(queue.get("default_chunk")).get("Qlist")
    return wanted is None or str(wanted) in str(mapping(node.get("resources_available")).get("Qlist", "")).split(",")


def _node(name: str, node: Fields) -> Node:
    has = mapping(node.get("resources_available"))
    state = str(node.get("state", "unknown"))
    reason = str(node.get("comment", ""))
    out = ": ".join(part for part in (state, reason) if part) if _OUT.search(state) else ""
    return Node(name, count(str(has.get("ncpus", ""))), _size(has.get("mem", "")), out)
