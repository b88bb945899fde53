"""On which ports processes listen, and ports that are free or in use."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

LISTENS = "0A"
"""Of a socket, in /proc/net/tcp."""


def ports_of(processes: Iterable[int]) -> list[int]:
    """On which these processes listen, once for each; every process has a network of its own, perhaps."""
    return [port for process in processes for port in _ports_of(process)]


def _ports_of(process: int) -> Iterator[int]:
    sockets = {}
    with suppress(OSError):  # it has ended
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
                _, here, _, state, *more = line.split()
                if state == LISTENS:
                    sockets[f"socket:[{more[5]}]"] = int(here.rpartition(":")[2], 16)
        names = {os.readlink(each) for each in Path(f"/proc/{process}/fd").iterdir()}
        yield from (sockets[name] for name in names if name in sockets)


def free_range(size: int) -> tuple[int, int]:
    """The first and the last of so many ports that are free just now, below those that the system gives out itself."""
    for first in range(20000 + os.getpid() % 97 * 100, 32000, size):
        with suppress(OSError), in_use(range(first, first + size)):
            return first, first + size - 1
    raise AssertionError(f"no {size} free ports in a row")


@contextmanager
def in_use(ports: range) -> Iterator[None]:
    """Another program listens on all of these."""
    with ExitStack() as all_of_them:
        for port in ports:
            all_of_them.enter_context(socket.create_server(("", port)))
        yield
