"""What a live Slurm says of its machine: scontrol(1), slurm.conf(5). A real 22.05 is in tests/survey/answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hpc_launch.batch.asking import text_of, text_or_nothing
from hpc_launch.batch.client import Client
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said, clock, count
from hpc_launch.units import MIB

CONFIG = ("scontrol", "show", "config")
NODES = ("scontrol", "show", "node", "-o")
PARTITIONS = ("scontrol", "show", "partition", "-o")
MPI_LIST = ("srun", "--mpi=list")

_FIELD = re.compile(r"(?:^|\s)([A-Za-z][\w/:]*)=(.*?)(?=\s+[A-Za-z][\w/:]*=|\s*$)")
# scontrol(1), NODE STATES; a power state alone is no reason: such a node is started when a job wants it
_OUT = re.compile(r"\b(?:DOWN|DRAIN\w*|FAIL\w*|FUTURE|UNKNOWN|ERROR|INVAL\w*|MAINT|NOT_RESPONDING|REBOOT\w*)\b|\*")
_RESTRICTIONS = ("AllowGroups", "AllowAccounts", "AllowQos", "DenyAccounts", "DenyQos", "QoS")

Fields = Mapping[str, str]


def survey(system: Client) -> Machine:
    """The machine, by four commands. Raises NotStarted where there is no scontrol, NoAnswer where it fails."""
    config = _config(text_of(system, *CONFIG))
    hosts = [_fields(line) for line in text_of(system, *NODES).splitlines() if line.startswith("NodeName=")]
    partitions = [_fields(line) for line in text_of(system, *PARTITIONS).splitlines()]
    open_ones = [found for found in partitions if _takes_jobs(found)]
    default = [found["PartitionName"] for found in open_ones if found.get("Default") == "YES"]
    largest = count(config.get("MaxArraySize", ""))
    return Machine(
        system.name,
        text_or_nothing(system, "scontrol", "--version").strip(),
        tuple(_queue(found, hosts) for found in open_ones),
        {name: " ".join(words) for name, words in (("config", CONFIG), ("nodes", NODES), ("queues", PARTITIONS))},
        queue_option="--partition",
        cluster=config.get("ClusterName"),
        default_queue=default[0] if default else None,
        array=None if largest is None else max(0, largest - 1),  # MaxArraySize counts from 0, our elements from 1
        mpi=(("srun", "srun"),),
        more=tuple(_more(system, config, hosts)),
    )


def _config(text: str) -> Fields:
    return dict(re.findall(r"^([\w\[\]]+)[ \t]*=[ \t]*(.*?)[ \t]*$", text, re.M))


def _fields(line: str) -> Fields:
    """The fields of one line; of a name that comes twice the first, since free text (Reason) comes last."""
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(line):
        fields.setdefault(name, value.strip())
    return fields


def _takes_jobs(partition: Fields) -> bool:
    return "PartitionName" in partition and partition.get("State") == "UP" and partition.get("RootOnly") != "YES"


def _queue(partition: Fields, hosts: list[Fields]) -> LiveQueue:
    name = partition["PartitionName"]
    members = [host for host in hosts if name in host.get("Partitions", "").split(",")]
    return LiveQueue(
        name,
        tuple(_within(_node(host), partition) for host in members),
        clock(partition.get("MaxTime", "")),
        clock(partition.get("DefaultTime", "")),
        count(partition.get("MaxNodes", "")),
        tuple(_remarks(partition)),
    )


def _node(host: Fields) -> Node:
    memory = (count(host.get("RealMemory", "")) or 0) - (count(host.get("MemSpecLimit", "")) or 0)
    state = host.get("State", "UNKNOWN")
    reason = host.get("Reason", "")
    return Node(
        host["NodeName"],
        # CPUEfctv: without the cores that are kept for the system; older ones do not show it
        count(host.get("CPUEfctv", "")) or count(host.get("CPUTot", "")),
        memory * MIB if memory > 1 else None,  # RealMemory=1 is what it is when nobody has said it
        ": ".join(part for part in (state, reason) if part) if _OUT.search(state) else "",
    )


def _within(node: Node, partition: Fields) -> Node:
    """The node as far as the partition gives it."""
    cores = [number for number in (node.cores, count(partition.get("MaxCPUsPerNode", ""))) if number]
    most, each = (count(partition.get(f"MaxMemPer{part}", "")) for part in ("Node", "CPU"))
    limits = [node.memory, most and most * MIB, each and node.cores and each * node.cores * MIB]
    memory = [size for size in limits if size]
    return replace(node, cores=min(cores, default=None), memory=min(memory) if node.memory else None)


def _remarks(partition: Fields) -> Iterator[str]:
    for name in _RESTRICTIONS:
        if (value := partition.get(name, "")) not in ("", "ALL", "N/A", "(null)", "NONE"):
            yield f"{name}={value}"
    if partition.get("ReqResv") == "YES":
        yield "only with a reservation (ReqResv=YES)"
    if partition.get("PreemptMode", "OFF") not in ("OFF", "GANG"):
        yield f"PreemptMode={partition['PreemptMode']}: is it preemptible?"


def _more(system: Client, config: Fields, hosts: list[Fields]) -> Iterator[Said]:
    yield Said(("launchers", "node"), "srun", "")
    if config.get("MpiDefault", "none") == "none":
        kinds = [kind for kind in re.findall(r"[\w]+", text_or_nothing(system, *MPI_LIST)) if kind in ("pmi2", "pmix")]
        if kinds:
            # the one that MPICH, Intel MPI and MVAPICH2 speak; Open MPI wants the other
            kind = "pmi2" if "pmi2" in kinds else kinds[0]
            source = f"a guess: MpiDefault=none, srun --mpi=list has {', '.join(sorted(set(kinds)))}"
            yield Said(("launchers", "mpi"), {"name": "srun", "options": [f"--mpi={kind}"]}, source)
    told = any((count(host.get("RealMemory", "")) or 0) > 1 for host in hosts)
    directive = "per-node" if told else "omit"
    yield Said(("memory", "directive"), directive, "" if told else "scontrol show node: RealMemory is not set")
    if any("gpu" in host.get("Gres", "") for host in hosts):
        yield Said(("resources", "gpus"), "--gres=gpu:{n}", "scontrol show node: Gres")
