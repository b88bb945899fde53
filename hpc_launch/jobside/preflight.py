"""What Python does first of all on a node: it looks whether the node is fit.

Called by ``workers`` and ``rank`` before they import anything of Dask. As a program, for the scheduler's host: prints
one sentence and ends with 1 when Dask cannot be imported there.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import NoReturn

from . import state

SIOCGIFADDR = 0x8915  # linux/sockios.h: the IPv4 address of an interface


def end_if_unfit() -> None:
    """Tell in ``state/`` that this node is fit; where it is not, tell why, and end."""
    with suppress(FileNotFoundError):  # several processes of a node have the same one
        os.unlink(os.environ.pop("HPC_LAUNCH_STARTING"))  # what would be told if this Python did not run
    if sentence := without_dask() or without_interface() or without_ports():
        give_up(sentence)
    with suppress(OSError):  # a full disk: workers do not depend on what people read
        state.tell(os.path.join("fit", state.HOST), os.environ.pop("HPC_LAUNCH_FIT") + "\n")


def give_up(sentence: str) -> NoReturn:
    """Tell that this host cannot be used, and why; the log, too."""
    print(sentence, file=sys.stderr, flush=True)
    state.tell_unfit(sentence)
    sys.exit(70)


def without_dask() -> str | None:
    """What to say where Dask, or a module of HPC_LAUNCH_IMPORTS, cannot be imported."""
    # Looking for it takes milliseconds, importing it a second and thousands of file system calls.
    if find_spec("distributed") is None:
        which = os.environ.get("HPC_LAUNCH_PYTHON_IS", "of the run")
        hint = "install dask and distributed there, or name another Python by environment.python"
        return f"{sys.executable} ({which}) cannot import dask.distributed: {hint}"
    for name in os.environ.get("HPC_LAUNCH_IMPORTS", "").split():
        if find_spec(name.partition(".")[0]) is None:
            return f"{sys.executable} cannot import {name} (workers.imports)"
    return None


def without_interface() -> str | None:
    """What to say where there is no such network interface as the words for Dask name, or it has no address."""
    for option, interface in zip(sys.argv, sys.argv[1:], strict=False):
        if option != "--interface":
            continue
        there = [name for _, name in socket.if_nameindex()]
        if interface not in there:
            return f"there is no network interface {interface} (there are: {' '.join(there)})"
        if not has_address(interface):
            return f"the network interface {interface} has no IPv4 address"
    return None


def has_address(interface: str) -> bool:
    """Whether the interface has an IPv4 address; without one Dask fails with a KeyError or ValueError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return False
    return True


def without_ports() -> str | None:
    """What to say where too few of the site's ports are free for what HPC_LAUNCH_PORTS_NEEDED says: PARTS EACH."""
    if not (needed := os.environ.pop("HPC_LAUNCH_PORTS_NEEDED", "")):
        return None
    from . import free_ports

    return free_ports.too_few(*map(int, needed.split()))


def main() -> None:
    if sentence := without_dask():
        print(sentence)
        sys.exit(1)
