"""Can this node run workers? Prints one sentence and ends with 1 when not.

Arguments: the network interface, if one is asked for. HPC_LAUNCH_IMPORTS names modules that workers are to import.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import socket
import struct
import sys

SIOCGIFADDR = 0x8915  # linux/sockios.h: the IPv4 address of an interface


def has_address(interface: str) -> bool:
    """Whether the interface has an IPv4 address; without one Dask fails with a KeyError or ValueError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return False
    return True


def main() -> str | None:
    # Looking for it takes milliseconds, importing it a second and thousands of file system calls.
    if importlib.util.find_spec("distributed") is None:
        which = os.environ.get("HPC_LAUNCH_PYTHON_IS", "of the run")
        hint = "install dask and distributed there, or name another Python by environment.python"
        return f"{sys.executable} ({which}) cannot import dask.distributed: {hint}"
    for name in os.environ.get("HPC_LAUNCH_IMPORTS", "").split():
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            return f"{sys.executable} cannot import {name} (workers.imports)"
    for interface in sys.argv[1:]:
        there = [name for _, name in socket.if_nameindex()]
        if interface not in there:
            return f"there is no network interface {interface} (there are: {' '.join(there)})"
        if not has_address(interface):
            return f"the network interface {interface} has no IPv4 address"
    return None


if __name__ == "__main__":
    if cause := main():
        print(cause)
        sys.exit(1)
