"""All that we use of `multiprocessing` though Python promises it to nobody; tried with Python 3.10 to 3.13.

It is about two processes that `multiprocessing` starts beside those it was asked for: forkserver and resource tracker.
"""

from __future__ import annotations

import inspect
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import signal
import sys
import time
from typing import Any

TRIED = ((3, 10), (3, 13))

forkserver: Any = multiprocessing.forkserver
resource_tracker: Any = multiprocessing.resource_tracker
util: Any = multiprocessing.util


def why_untried() -> str:
    """Why this `multiprocessing` may be another one than was tried; empty if it is that."""
    if not TRIED[0] <= sys.version_info[:2] <= TRIED[1]:
        return f"nobody has tried otherwise with Python {sys.version.split()[0]}"
    try:
        known = (
            inspect.isfunction(util.spawnv_passfds)
            and list(inspect.signature(resource_tracker.main).parameters) == ["fd"]
            and list(inspect.signature(forkserver.main).parameters)[:3] == ["listener_fd", "alive_r", "preload"]
            and {"_forkserver_pid", "_forkserver_alive_fd"} <= vars(forkserver._forkserver).keys()
            and {"_fd", "_pid"} <= vars(resource_tracker._resource_tracker).keys()
        )
    except AttributeError:
        known = False
    return "" if known else f"multiprocessing of Python {sys.version.split()[0]} is not the one that was tried"


def end_forkserver_at_exit() -> None:
    """Have both end before this process does: what Slurm finds of a step when its tasks have ended costs a second."""
    if not why_untried():
        util.Finalize(None, end_forkserver_and_tracker, exitpriority=-100)  # the last of all: others still need them


def end_forkserver_and_tracker() -> None:
    """Wait a moment until they have ended.

    A forkserver that is a Python of its own would take half a second to end in order, and holds nothing that has to be.
    """
    server, tracker = forkserver._forkserver, resource_tracker._resource_tracker
    if server._forkserver_pid is not None and not has_ended(server._forkserver_pid):
        os.kill(server._forkserver_pid, signal.SIGKILL)
    processes = [each for each in (server._forkserver_pid, tracker._pid) if each is not None]
    for descriptor in (server._forkserver_alive_fd, tracker._fd):
        if descriptor is not None:  # one may have died
            os.close(descriptor)
    server._forkserver_pid = server._forkserver_alive_fd = tracker._pid = tracker._fd = None
    for _ in range(100):
        processes = [each for each in processes if not has_ended(each)]
        if not processes:
            return
        time.sleep(0.01)


def has_ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True
