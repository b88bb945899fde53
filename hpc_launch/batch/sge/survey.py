"""What a live Grid Engine says of its machine: qconf(1), qhost(1). Recorded from a real 8.1.9: tests/survey/answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hpc_launch.batch.asking import answer_of, names_of, text_of, text_or_nothing
from hpc_launch.batch.client import Client
from hpc_launch.batch.environment import locate
from hpc_launch.batch.machine import LiveQueue, Machine, Node, clock, count
from hpc_launch.batch.sge.choices import (
    RESTRICTIONS,
    choices,
    default_queue,
    has_slots,
    memory_resource,
    missing,
    parallel_environment,
)
from hpc_launch.batch.sizes import BINARY, DECIMAL, MIB

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HOSTS = ("qhost", "-q", "-F", "mem_total", "-xml")
QUEUES = ("qconf", "-sql")
CONFIG = ("qconf", "-sconf")
COMPLEXES = ("qconf", "-sc")
ENVIRONMENTS = ("qconf", "-spl")

# `qconf -spl` and `-sql` fail where they have nothing to list: recorded from a master that was just set up
_NO_QUEUES = re.compile(r"no cqueue list defined")
_NO_ENVIRONMENTS = re.compile(r"no parallel environment defined")
_UNITS = {"": 1, **BINARY, **{letter.lower(): size for letter, size in DECIMAL.items()}}
# qstat(1), -f: the states of a queue instance; `a` and `A` are alarms of load, which passes
_OUT = {
    "d": "disabled",
    "D": "disabled by its calendar",
    "u": "its host does not answer",
    "E": "in error",
    "c": "its configuration is ambiguous",
    "o": "orphaned",
    "s": "suspended",
    "S": "suspended by another queue",
    "C": "suspended by its calendar",
}

Fields = Mapping[str, str]


def survey(system: Client) -> Machine:
    """The machine; one command for each queue, parallel environment, and host whose memory is counted.

    Raises NotStarted where there is no qconf, NoAnswer where one of the commands fails.
    """
    locate(QUEUES[0])
    names = names_of(system, _NO_QUEUES, *QUEUES)
    every = {name: _fields(text_of(system, "qconf", "-sq", name)) for name in names}
    queues = {name: fields for name, fields in every.items() if _takes_batch_jobs(fields)}
    config = _fields(text_of(system, *CONFIG))
    resource = memory_resource(text_of(system, *COMPLEXES))
    hosts = _hosts(system)
    sizes = {host.get("name", ""): _total(host) for host in hosts}
    if resource.counted:
        sizes = {name: _own(system, name, resource.name) or size for name, size in sizes.items()}
    defined = names_of(system, _NO_ENVIRONMENTS, *ENVIRONMENTS)
    environments = {name: _fields(text_of(system, "qconf", "-sp", name)) for name in defined}
    given = {name: _names(fields.get("pe_list", "")) for name, fields in queues.items()}
    giving = {word: frozenset(name for name in given if word in given[name]) for word in environments}
    usable = {name: fields for name, fields in environments.items() if giving[name] and has_slots(fields)}
    default, reason = default_queue(queues)
    slots = _slots_of(hosts, default)
    first = frozenset(name for name in usable if default in giving[name])
    asked = {"environments": "qconf -sp"} if environments else {}
    return Machine(
        system.name,
        text_or_nothing(system, "qconf", "-help").partition("\n")[0].strip(),
        tuple(_queue(name, fields, hosts, sizes) for name, fields in queues.items()),
        {"queues": "qconf -sq", "nodes": " ".join(HOSTS), "config": " ".join(CONFIG), **asked},
        queue_option="-q",
        default_queue=default,
        default_reason=reason,
        closed={name: f"qtype {fields['qtype']}" for name, fields in every.items() if name not in queues},
        array=count(config.get("max_aj_tasks", "")) or None,  # 0: no limit
        submitted=count(config.get("max_u_jobs", "")) or None,
        environments={name: parallel_environment(fields, giving[name]) for name, fields in usable.items()},
        resources=resource.every,
        mpi=(("openmpi", "ompi_info"), ("mpiexec", "mpiexec")),
        more=tuple(choices(config, usable, first, slots, resource)),
        missing=dict(missing(usable, slots, bool(defined))),
    )


def _fields(text: str) -> Fields:
    """`name value` on each line; a line goes on after a backslash."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    pairs = (line.split(None, 1) for line in lines if not line.startswith("#"))
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def _takes_batch_jobs(fields: Fields) -> bool:
    """By its qtype: one with parallel environments alone takes jobs in these, but not those of one slot."""
    return "BATCH" in fields.get("qtype", "BATCH")


def _names(text: str) -> list[str]:
    """The names in a list that may hold more for some hosts: `make smp,[@group=mpi mpi-4]`."""
    return re.split(r"[\s,]+", re.sub(r"\[[^=\]]*=|\]", " ", text).strip())


def _size(text: str) -> int | None:
    """Bytes, rounded down to MiB: `23.541G`; sge_types(1), memory_specifier."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)([kKmMgGT]?)", text.strip())
    return int(float(found[1]) * _UNITS[found[2]]) // MIB * MIB or None if found else None


def _hosts(system: Client) -> list[Element]:
    from xml.etree import ElementTree

    answer = answer_of(system, *HOSTS)
    try:
        root = ElementTree.fromstring(answer.stdout)
    except ElementTree.ParseError:
        raise system.fault(answer, certain=False) from None
    return [host for host in root.iter("host") if host.get("name") not in (None, "", "global")]


def _total(host: Element) -> int | None:
    values = {value.get("name"): value.text or "" for value in host.iter("resourcevalue")}
    return _size(values.get("mem_total", ""))


def _own(system: Client, host: str, resource: str) -> int | None:
    """How much of a resource a host has to give in all: what qhost shows is what is left of it."""
    values = _fields(text_of(system, "qconf", "-se", host)).get("complex_values", "")
    found = re.search(rf"(?:^|,)\s*{re.escape(resource)}=([^,\s]+)", values)
    return _size(found[1]) if found else None


def _instances(host: Element) -> Iterator[tuple[str, Fields]]:
    for queue in host.iter("queue"):
        yield queue.get("name", ""), {value.get("name", ""): value.text or "" for value in queue.iter("queuevalue")}


def _slots_of(hosts: Sequence[Element], queue: str | None) -> int | None:
    """The slots of the smallest instance of a queue."""
    found = (count(values.get("slots", "")) for host in hosts for name, values in _instances(host) if name == queue)
    return min((slots for slots in found if slots), default=None)


def _queue(name: str, fields: Fields, hosts: Sequence[Element], sizes: Mapping[str, int | None]) -> LiveQueue:
    nodes = [
        Node(str(host.get("name")), count(values.get("slots", "")), sizes.get(str(host.get("name"))), _out(values))
        for host in hosts
        for instance, values in _instances(host)
        if instance == name and count(values.get("slots", "")) != 0  # one without slots runs nothing
    ]
    limits = [fields.get(limit, "").partition(",")[0] for limit in ("h_rt", "s_rt")]
    walltime = min((seconds for limit in limits if (seconds := clock(limit))), default=None)
    remarks = [f"{key} {fields[key]}" for key in RESTRICTIONS if fields.get(key, "NONE") != "NONE"]
    remarks += [f"{limit} differs between hosts" for limit in ("h_rt", "s_rt") if "[" in fields.get(limit, "")]
    return LiveQueue(name, tuple(nodes), walltime, remarks=tuple(remarks))


def _out(values: Fields) -> str:
    state = values.get("state_string", "")
    return ", ".join(_OUT[letter] for letter in dict.fromkeys(state) if letter in _OUT)
