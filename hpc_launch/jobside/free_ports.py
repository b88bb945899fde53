"""Are there enough free ports on this node for what it is to start?"""

from __future__ import annotations

import errno
import socket
from itertools import islice


def is_free(port: int) -> bool:
    """Whether something can listen there, on all addresses of this node."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            probe.listen()
        except OSError as fault:
            return fault.errno != errno.EADDRINUSE  # whoever needs it tells of other troubles
    return True


def has_enough(ports: range, needed: int) -> bool:
    return len(list(islice(filter(is_free, ports), needed))) == needed


def too_few(ports: str, parts: int, needed: int) -> str | None:
    """What to say where too few of these are free, FIRST-LAST; each part of them needs so many.

    Dask divides them (``--worker-port``, ``--nanny-port``): the first one is the first part's, the second one the
    second's, and so on.
    """
    first, last = map(int, ports.split("-"))
    if all(has_enough(range(first + part, last + 1, parts), needed) for part in range(parts)):
        return None
    return f"too few of the ports {ports} (network.ports) are free on this node: {parts * needed} are needed"
