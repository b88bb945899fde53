"""What a live Slurm says of its machine: scontrol(1), slurm.conf(5). A real 22.05 is in tests/survey/answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hpc_launch.batch.asking import text_of, text_or_nothing
from hpc_launch.batch.client import Client
from hpc_launch.batch.environment import locate
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said, clock, count, gpus_of
from hpc_launch.batch.sizes import MIB
from hpc_launch.batch.slurm import limits

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
    """The machine, as scontrol tells it. Raises NotStarted where there is no scontrol, NoAnswer where it fails."""
    locate(CONFIG[0])
    config = _config(text_of(system, *CONFIG))
    hosts = [_fields(line) for line in text_of(system, *NODES).splitlines() if line.startswith("NodeName=")]
    lines = [_fields(line) for line in text_of(system, *PARTITIONS).splitlines()]
    partitions = [found for found in lines if "PartitionName" in found]
    open_ones = [found for found in partitions if not _closed(found)]
    default = [found["PartitionName"] for found in open_ones if found.get("Default") == "YES"]
    largest = count(config.get("MaxArraySize", ""))
    own, of_qos = limits.of_user(system), limits.of_qos(system)
    asked = [("config", CONFIG), ("nodes", NODES), ("queues", PARTITIONS)]
    asked += [("limits", limits.ASSOCIATIONS)] if own else []
    asked += [("qos", limits.QOS)] if of_qos else []
    return Machine(
        system.name,
        text_or_nothing(system, "scontrol", "--version").strip(),
        tuple(_queue(found, hosts, config) for found in open_ones),
        {name: " ".join(words) for name, words in asked},
        queue_option="--partition",
        cluster=config.get("ClusterName"),
        default_queue=default[0] if default else None,
        closed={found["PartitionName"]: why for found in partitions if (why := _closed(found))},
        array=None if largest is None else max(0, largest - 1),  # MaxArraySize counts from 0, our elements from 1
        submitted=own.get("submitted"),
        running={key: limit for key, limit in own.items() if key != "submitted"},
        limits_source=" ".join(limits.ASSOCIATIONS),
        qos=of_qos,
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


def _closed(partition: Fields) -> str:
    """Why users' jobs do not start in it; empty: they do."""
    state = partition.get("State", "unknown")
    if state != "UP":
        return f"State={state}"
    return "RootOnly=YES" if partition.get("RootOnly") == "YES" else ""


def _queue(partition: Fields, hosts: list[Fields], config: Fields) -> LiveQueue:
    name = partition["PartitionName"]
    members = [host for host in hosts if name in host.get("Partitions", "").split(",")]
    nodes = tuple(_within(_node(host), partition, config) for host in members)
    return LiveQueue(
        name,
        nodes,
        clock(partition.get("MaxTime", "")),
        clock(partition.get("DefaultTime", "")),
        count(partition.get("MaxNodes", "")),
        limits={"least.nodes": least} if (least := count(partition.get("MinNodes", "")) or 0) > 1 else {},
        exclusive=_exclusive(partition, config),
        gpus=gpus_of(nodes),
        remarks=tuple(_remarks(partition)),
    )


def _exclusive(partition: Fields, config: Fields) -> bool:
    """Whole nodes: where the partition says so, and everywhere under select/linear but where nodes may be shared."""
    share = partition.get("OverSubscribe", "NO")
    return share == "EXCLUSIVE" or (share == "NO" and config.get("SelectType") == "select/linear")


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
        _gpus(host["Gres"]) if "Gres" in host else None,
    )


def _gpus(gres: str) -> int:
    """GPUs in `gpu:2`, `gpu:a100:4(S:0-1),gpu:v100:2,mps:400`: gres.conf(5); a name without a number is one."""
    last = (words.rpartition(":")[2] for words in re.findall(r"(?:^|,)(gpu(?::[\w.+-]+)*)(?=$|[,(])", gres))
    return sum(1 if (number := count(word)) is None else number for word in last)


def _within(node: Node, partition: Fields, config: Fields) -> Node:
    """The node as far as the partition gives it; of memory the cluster's limit where it has none of its own."""
    given = [number for number in (node.cores, count(partition.get("MaxCPUsPerNode", ""))) if number]
    cores = min(given, default=None)
    limit = _memory_limit(partition, cores) or _memory_limit(config, cores)
    memory = min(node.memory, limit * MIB) if node.memory and limit else node.memory
    return replace(node, cores=cores, memory=memory)


def _memory_limit(fields: Fields, cores: int | None) -> int | None:
    """MiB of one node: MaxMemPerNode, or MaxMemPerCPU for each of the cores, of which only one is ever set."""
    most, each = (count(fields.get(f"MaxMemPer{part}", "")) for part in ("Node", "CPU"))
    return most or (each and cores and each * cores) or None


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
    if any(_gpus(host.get("Gres", "")) for host in hosts):
        yield Said(("resources", "gpus"), "--gres=gpu:{n}", "scontrol show node: Gres")
