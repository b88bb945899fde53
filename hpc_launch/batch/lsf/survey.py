"""What a live LSF says of its machine: bqueues(1), bhosts(1), lshosts(1), lsid(1), bparams(1), bmgroup(1)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from hpc_launch.batch.asking import text_of, text_or_nothing
from hpc_launch.batch.client import Client
from hpc_launch.batch.environment import locate
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said, count
from hpc_launch.batch.sizes import BINARY, MIB

QUEUES = ("bqueues", "-l")
HOSTS = ("bhosts", "-w")
SIZES = ("lshosts", "-w")
PARAMETERS = (("bparams", "-a"), ("bparams", "-l"))
"""The first one that is answered: OpenLava knows no -a, and older LSF no -l."""
MOST_ELEMENTS = 1000
"""MAX_JOB_ARRAY_SIZE where it is not set (lsb.params(5))."""

# bhosts(1), STATUS: a host that is full, busy or used by one job alone takes jobs again when those end
_READY = re.compile(r"ok|closed_(?:full|excl|busy|cu_excl|eq)\w*", re.I)
_MINUTES = re.compile(r"(?<![\d.])(\d{1,12}(?:\.\d{1,6})?)\s*min(?:\s+of\s+\S+)?")


def survey(system: Client) -> Machine:
    """The machine. Raises NotStarted where there is no bqueues, NoAnswer where it, bhosts or lshosts fails."""
    locate(QUEUES[0])
    blocks = re.split(r"^QUEUE:\s*", text_of(system, *QUEUES), flags=re.M)[1:]
    hosts = _hosts(_rows(text_of(system, *HOSTS)), _rows(text_of(system, *SIZES)))
    groups = _groups(text_or_nothing(system, "bmgroup", "-r", "-w")) if any("/" in block for block in blocks) else {}
    names = {block.split(None, 1)[0]: block for block in blocks if block.strip()}
    closed = {name: why for name, block in names.items() if (why := _closed(_status(block)))}
    queues = {name: block for name, block in names.items() if name not in closed}
    parameters, asked = _parameters(system)
    identity = text_or_nothing(system, "lsid")
    cluster = re.search(r"^My cluster name is (\S+)", identity, re.M)
    default = [name for name, block in queues.items() if "default queue" in block.partition("PARAMETERS")[0]]
    array = re.search(r"MAX_JOB_ARRAY_SIZE\s*=\s*(\d{1,9})", parameters)
    return Machine(
        system.name,
        identity.partition("\n")[0].strip(),
        tuple(_queue(name, block, hosts, groups) for name, block in queues.items()),
        {
            "queues": " ".join(QUEUES),
            "nodes": f"{' '.join(HOSTS)}, {' '.join(SIZES)}",
            **({"config": asked} if parameters else {}),
            **({"cluster": "lsid"} if identity else {}),
        },
        queue_option="-q",
        cluster=cluster[1] if cluster else None,
        default_queue=default[0] if default else None,
        default_reason=f"a guess: the first of {len(default)} default queues" if len(default) > 1 else "",
        closed=closed,
        array=int(array[1]) if array else MOST_ELEMENTS if parameters else None,
        mpi=(("mpiexec", "mpiexec"), ("openmpi", "mpirun")),
        more=(
            Said(("launchers", "node"), "blaunch", ""),
            Said(("submit_stdin",), True, "bsub < script; false where the site wants bsub script"),
            Said(("memory", "directive"), "per-node", "per-slot where RESOURCE_RESERVE_PER_TASK is set"),
            *_unit(),
            *_taken(identity),
        ),
        missing={} if _unit() else {"memory.unit": "no lsf.conf was to be read; see LSF_UNIT_FOR_LIMITS in it"},
    )


def _parameters(system: Client) -> tuple[str, str]:
    """What bparams prints, and how it was asked; empty where it does not answer."""
    for words in PARAMETERS:
        if told := text_or_nothing(system, *words):
            return told, " ".join(words)
    return "", ""


def _unit() -> list[Said]:
    """The unit of bare numbers, of the cluster's own file; where it is not set, memory is reserved in MB."""
    path = Path(os.environ.get("LSF_ENVDIR", "/etc"), "lsf.conf")
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    found = re.search(r"^[ \t]*LSF_UNIT_FOR_LIMITS[ \t]*=[ \t]*[\"']?([KMGT]B)\b", text, re.M)
    return [Said(("memory", "unit"), found[1] if found else "MB", f"{path}: LSF_UNIT_FOR_LIMITS")]


def _taken(identity: str) -> list[Said]:
    """What only some LSF take, by the version that lsid prints: `IBM Spectrum LSF Standard 10.1.0.13, …`."""
    version = re.search(r"\bLSF\b\D*(\d+)\.(\d+)", identity)
    if not version or (int(version[1]), int(version[2])) < (10, 1):
        return []
    return [Said(("takes",), ["-rn", "units"], "lsid")]


def _rows(text: str) -> list[dict[str, str]]:
    """A table with a line of headers; the last column may hold blanks."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    headers = lines[0].split()
    return [dict(zip(headers, line.split(None, len(headers) - 1), strict=False)) for line in lines[1:]]


def _hosts(states: list[dict[str, str]], sizes: list[dict[str, str]]) -> dict[str, Node]:
    size = {row["HOST_NAME"]: row for row in sizes if "HOST_NAME" in row}
    nodes = {}
    for row in states:
        name, status = row.get("HOST_NAME", ""), row.get("STATUS", "unknown")
        own = size.get(name, {})
        slots = count(row["MAX"] if row.get("MAX", "-") != "-" else own.get("ncpus", ""))
        if slots:  # a host without slots serves something else
            nodes[name] = Node(name, slots, _size(own.get("maxmem", "")), "" if _READY.fullmatch(status) else status)
    return nodes


def _size(text: str) -> int | None:
    """Bytes, rounded down to MiB: `128G`, `15.5G`; `-` where it is not known."""
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)([KMGT])", text)
    return int(float(found[1]) * BINARY[found[2]]) // MIB * MIB or None if found else None


def _groups(text: str) -> dict[str, list[str]]:
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[0].rstrip("/"): row[1:] for row in rows if row}


def _queue(name: str, block: str, hosts: Mapping[str, Node], groups: Mapping[str, list[str]]) -> LiveQueue:
    maximum = block.partition("MAXIMUM LIMITS:")[2] or ("" if "DEFAULT LIMITS:" in block else block)
    default = block.partition("DEFAULT LIMITS:")[2].partition("MAXIMUM LIMITS:")[0]
    members = _members(_line("HOSTS", block), hosts, groups)
    remarks = [f"USERS: {users}"] if (users := _line("USERS", block)) not in ("", "all", "all users") else []
    if "Inact" in (status := _status(block)):
        remarks.append(f"{status}: its jobs wait just now; see its run and dispatch windows")
    walltime, told = _run_limit(maximum)
    default_walltime, default_told = _run_limit(default)
    unread = {"walltime": not told, "default_walltime": not default_told, "max_nodes": True}  # TASKLIMIT is of slots
    return LiveQueue(
        name,
        None if members is None else tuple(hosts[host] for host in members),
        walltime,
        default_walltime,
        limits=_limits(maximum, block),
        remarks=tuple(remarks),
        unknown=tuple(limit for limit, is_so in unread.items() if is_so),
    )


def _limits(maximum: str, block: str) -> dict[str, int]:
    """Slots of one job, of `PROCLIMIT` (LSF 10: TASKLIMIT): one number, or the least, perhaps the usual, and the most;
    slots of one user, `JL/U`; bqueues(1)."""
    found = re.search(r"\b(?:PROC|TASK)LIMIT[ \t]*\n(.*)", maximum)
    numbers = re.search(r"((?:\d+[ \t]+){0,2}\d+)[ \t]*$", found[1]) if found else None
    slots = [int(number) for number in numbers[1].split()] if numbers else []
    user = re.search(r"^[ \t]*\d+[ \t]+\S+[ \t]+(?:Open|Closed):\S+[ \t]+\S+[ \t]+(\d+)\b", block, re.M)
    least = slots[0] if len(slots) > 1 and slots[0] > 1 else None
    limits = {"max_cores": slots[-1] if slots else None, "least.cores": least, "max_user_cores": user and int(user[1])}
    return {key: limit for key, limit in limits.items() if limit}


def _status(block: str) -> str:
    """`Open:Active`: whether it takes jobs, and whether it starts them; in the row below PRIO, NICE, STATUS."""
    found = re.search(r"^[ \t]*\d+[ \t]+\S+[ \t]+((?:Open|Closed):\S+)", block, re.M)
    return found[1] if found else "unknown"


def _closed(status: str) -> str:
    """Why users' jobs are not taken, or never start; empty: they are. bqueues(1): Inact_Win ends with the window,
    Inact_Adm when an administrator wants it; a plain Inact may be either."""
    return status if not status.startswith("Open:") or "Adm" in status else ""


def _line(word: str, block: str) -> str:
    """What stands after `WORD:`, on the lines that follow too, up to the next word or an empty line."""
    found = re.search(rf"^{word}:[ \t]*(.*(?:\n[ \t]+\S.*)*)", block, re.M)
    return " ".join(found[1].split()) if found else ""


def _members(listed: str, hosts: Mapping[str, Node], groups: Mapping[str, list[str]]) -> list[str] | None:
    """The hosts of a queue: names, groups (`name/`), preferences (`+3`), `all`, exclusions (`~`)."""
    found: dict[str, None] = {}
    without = set()
    for word in listed.split():
        name = re.sub(r"/?(?:\+\d*)?$", "", word.removeprefix("~"))
        some = list(hosts) if name in ("all", "all_hosts") else groups.get(name, [name])
        if not all(host in hosts or word.startswith("~") or name in groups for host in some):
            return None  # `others`, `none`, hosts of another cluster
        if word.startswith("~"):
            without |= set(some)
        else:
            found |= {host: None for host in some if host in hosts}
    return [host for host in found if host not in without] if found else None


def _run_limit(text: str) -> tuple[int | None, bool]:
    """Seconds: the value below RUNLIMIT, which may share its line with other limits in minutes; and whether that is
    certain: a value that is not understood is no limit that is not there."""
    certain = True
    for headers, values in pairwise(text.splitlines()):
        words = [word for word in headers.split() if word in ("CPULIMIT", "RUNLIMIT")]
        found = _MINUTES.findall(values)
        if "RUNLIMIT" in words and len(found) == len(words):
            return int(float(found[words.index("RUNLIMIT")]) * 60) or None, True
        certain = certain and "RUNLIMIT" not in words
    return None, certain
