"""What can be seen of this host: networks, programs, modules. A compute node may be another kind of host."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hpc_launch.batch.machine import Machine
from hpc_launch.survey.scratch import Scratch, candidates
from hpc_launch.survey.scratch import look as look_at

FAST = re.compile(r"(?:ib|hsn|opa|ipogif|hfi|roce)[\w.]*")
"""Interfaces of fast networks by their usual names: InfiniBand, Slingshot, Omni-Path, Cray's older ones."""
PROGRAMS = ("srun", "mpiexec", "mpirun", "ompi_info", "ibrun", "blaunch", "pbsdsh", "qrsh")
CONTAINERS = ("apptainer", "singularity", "podman-hpc", "shifter")
MODULES = re.compile(r"python|conda|mamba|dask", re.I)
_MOST_MODULES = 8
_SIOCGIFADDR = 0x8915  # netdevice(7)


@dataclass(frozen=True)
class Interface:
    """A network interface that has an IPv4 address."""

    name: str
    address: str
    speed: int | None = None
    """Mb/s, where the kernel tells it."""

    @property
    def fast(self) -> bool:
        return FAST.fullmatch(self.name) is not None


@dataclass(frozen=True)
class Host:
    """This host."""

    name: str
    interfaces: tuple[Interface, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    """Directories that could be node-local scratch, the likeliest first."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Launchers and container runtimes on PATH → where."""
    modules: tuple[str, ...] = ()
    """Names of environment modules that look like a Python."""
    has_modules: bool = False
    home: Scratch | None = None
    """What the user's home is made of; None: there is none."""

    @property
    def fastest(self) -> Interface | None:
        """The interface that looks fastest by its name, then by its speed."""
        fast = [each for each in self.interfaces if each.fast]
        return max(fast, key=lambda each: each.speed or 0, default=None)


def look(name: str, environment: Mapping[str, str]) -> Host:
    """This host, called `name`, as a process with this environment sees it."""
    places = [Path(part) for part in environment.get("MODULEPATH", "").split(":") if part]
    found = sorted({entry for place in places for entry in _entries(place) if MODULES.search(entry)})
    has_modules = bool(places) or any(Path(f"/etc/profile.d/{name}.sh").exists() for name in ("modules", "lmod"))
    programs = _programs(environment.get("PATH", ""))
    home = look_at(environment["HOME"]) if environment.get("HOME") else None
    every = tuple(candidates())
    return Host(name, _interfaces(), every, programs, tuple(found[:_MOST_MODULES]), has_modules, home)


def is_a_node(host: Host, machine: Machine) -> bool:
    """Whether this host is one of the machine's compute nodes: then what is seen here holds for jobs."""
    names = {node.name.partition(".")[0] for queue in machine.queues for node in queue.nodes or ()}
    return host.name.partition(".")[0] in names


def _programs(path: str) -> dict[str, str]:
    import shutil

    return {word: where for word in (*PROGRAMS, *CONTAINERS) if (where := shutil.which(word, path=path))}


def _entries(directory: Path) -> list[str]:
    try:
        return [entry.name for entry in directory.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []


def _interfaces() -> tuple[Interface, ...]:
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    found = ((name, _address(name)) for name in names)
    return tuple(Interface(name, address, _speed(name)) for name, address in found if address)


def _address(name: str) -> str | None:
    """The interface's IPv4 address; None where it has none, or where the system cannot be asked so."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        try:
            answer = fcntl.ioctl(some.fileno(), _SIOCGIFADDR, struct.pack("256s", os.fsencode(name)[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def _speed(name: str) -> int | None:
    try:
        speed = int(Path(f"/sys/class/net/{name}/speed").read_text())
    except (OSError, ValueError):  # one that is down, or has none
        return None
    return speed if speed > 0 else None
