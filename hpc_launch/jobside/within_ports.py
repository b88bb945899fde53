"""Loaded into the Dask scheduler (``--preload``) where it may not take any port: `scheduler.port`, `network.ports`.

What listens on any free port takes one of HPC_LAUNCH_PORTS then, the last one that is free: workers begin with the
first. Dask itself knows one port alone, and takes another one for its pages when that is in use.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any

import distributed.node
from distributed import Scheduler
from distributed.core import Server
from tornado.httpserver import HTTPServer

from . import state
from .free_ports import PORTS, ports_of_the_site

node: Any = distributed.node
scheduler_class: Any = Scheduler
listen_as_usual: Any = Server.listen


def in_turn(port: int) -> Iterable[int]:
    """The ports to be tried for what asks for this one; 0 is any."""
    if port or not PORTS:
        return [port]
    return reversed(ports_of_the_site())


def is_in_use(fault: OSError) -> bool:
    return fault.errno == errno.EADDRINUSE


def none_free(port: int) -> OSError:
    """What to say when none of them is free."""
    which = f"port {port} (scheduler.port) is" if port else f"all ports of {PORTS} (network.ports) are"
    return OSError(errno.EADDRINUSE, f"{which} in use on this node, by other programs")


class Pages(HTTPServer):
    """Those of the scheduler."""

    def listen(self, port: int, *args: Any, **options: Any) -> None:
        for each in in_turn(port):
            try:
                super().listen(each, *args, **options)
                return
            except OSError as fault:
                if not is_in_use(fault):
                    raise
        raise none_free(port)


async def listen(scheduler: Any, address: str, **options: Any) -> None:
    """In place of `Scheduler.listen`: its address ends with the port."""
    where, _, port = address.rpartition(":")
    for each in in_turn(int(port)):
        try:
            await listen_as_usual(scheduler, f"{where}:{each}", **options)
            return
        except OSError as fault:
            if not is_in_use(fault):
                raise
    taken = none_free(int(port))
    state.tell_unfit(str(taken.strerror))
    raise taken


node.HTTPServer = Pages
scheduler_class.listen = listen


async def dask_setup(scheduler: Any) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol): it listens by now.

    A cluster that somebody makes in its process listens as usual. Its address may be `inproc://`, without a port.
    """
    node.HTTPServer, scheduler_class.listen = HTTPServer, listen_as_usual
