"""Which ports of this node may be listened on, where the site lets some alone through, and which of them are free."""

from __future__ import annotations

import errno
import os
import socket
from itertools import islice

PORTS = os.environ.get("HPC_LAUNCH_PORTS", "")
"""FIRST-LAST; empty where the site has none of its own."""


def ports_of_the_site() -> range:
    first, last = map(int, PORTS.split("-"))
    return range(first, last + 1)


def is_free(port: int, address: str = "") -> bool:
    """Whether something can listen there, on this address of this node; on all if left out."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except OSError as fault:
            return fault.errno != errno.EADDRINUSE  # whoever needs it tells of other troubles
    return True


def has_enough(ports: range, needed: int) -> bool:
    return len(list(islice(filter(is_free, ports), needed))) == needed


def too_few(parts: int, needed: int) -> str | None:
    """What to say where too few of them are free; each part of them needs so many.

    Dask divides them (``--worker-port``, ``--nanny-port``): the first one is the first part's, the second one the
    second's, and so on.
    """
    if all(has_enough(ports_of_the_site()[part::parts], needed) for part in range(parts)):
        return None
    return f"too few of the ports {PORTS} (network.ports) are free on this node: {parts * needed} are needed"
