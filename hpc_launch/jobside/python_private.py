"""All that we use of `multiprocessing` though Python promises it to nobody; tried with Python 3.10 to 3.13.

It is about the two processes that `multiprocessing` starts beside those it was asked for, forkserver and resource
tracker: they become forks of the first process, and end before it does.
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
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

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


def fork_tracker() -> None:
    """Start the resource tracker as a fork of this process."""
    start_as_fork(resource_tracker.ensure_running, be_tracker)


def fork_server() -> None:
    """Start the forkserver as a fork of this process; workers, its own forks, have all that is imported by now."""
    start_as_fork(forkserver.ensure_running, be_server)


def start_as_fork(start: Callable[[], None], become: Callable[..., None]) -> None:
    """Have `multiprocessing` start a process of its own, which is a fork of this one."""
    usual = util.spawnv_passfds

    def fork(path: bytes, arguments: Sequence[Any], descriptors: Sequence[int]) -> int:
        util.spawnv_passfds = usual  # in the fork, too
        return os.fork() or run_forked(become, *descriptors)

    util.spawnv_passfds = fork
    try:
        start()
    finally:
        util.spawnv_passfds = usual


def run_forked(become: Callable[..., None], *descriptors: int) -> NoReturn:
    """Be what this process was forked for, with nothing but these descriptors."""
    code = 1
    try:
        close_all_but(*descriptors)
        become(*descriptors)
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        with suppress(OSError, ValueError):  # nobody may hear of it: the log's disk is full
            traceback.print_exc()
    finally:
        os._exit(code)  # whatever happens: what comes back from here would be a second `dask worker`


def be_tracker(*descriptors: int) -> None:
    """Be the process that tidies up what processes have left: semaphores, shared memory."""
    resource_tracker.main(descriptors[-1])


def be_server(listener: int, alive: int) -> None:
    """Be the forkserver. Its own forks, the workers, run in here, too."""
    # A Python that was started anew would know of neither.
    resource_tracker._resource_tracker._fd = resource_tracker._resource_tracker._pid = None
    forkserver._forkserver.__init__()
    forkserver.main(listener, alive, [])


def close_all_but(*descriptors: int) -> None:
    """Close what is the first process's own, standard streams apart."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in descriptors:
            try:
                os.close(descriptor)
            except OSError:  # the listing's own
                continue


def end_forkserver_at_exit() -> None:
    """Have both end before this process does: what Slurm finds of a step when its tasks have ended costs a second."""
    if not why_untried():
        util.Finalize(None, end_forkserver_and_tracker, exitpriority=-100)  # the last of all: others still need them


def end_forkserver_and_tracker() -> None:
    """Wait a moment until they have ended.

    A forkserver that is a Python of its own takes half a second to end in order, and has nothing to put in order.
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
