"""The workers of a node are forks of one process that has imported everything, and that once.

Dask has each worker forked by Python's forkserver, which is a second Python: it begins when the first worker is wanted,
and imports everything once more, after the first one has. Here it is a fork of the first one, or, where that is not
safe, it begins before the first one imports anything, and both import at the same time.

What is used of `multiprocessing` though Python promises it to nobody was tried with Python 3.10 to 3.13.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from multiprocessing import forkserver, resource_tracker, util
from typing import Any, NoReturn

TRIED = ((3, 10), (3, 13))
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Of these more than 1 makes numerical libraries start threads as they are imported; what has threads must not fork."""
OF_DASK = ("distributed.cli.dask_worker", "tornado.platform.asyncio", "numpy", "pandas", "lz4")
"""What each worker would import otherwise; what is not there is passed over."""


def prepare_workers(modules: Sequence[str]) -> None:
    """Import what workers need, and have their forkserver running. What this does, or why it does less, is told in the log.

    Args:
        modules: further ones that workers import.
    """
    if reason := why_not_fork():
        print(f"hpc-launch: everything is imported twice, at the same time: {reason}", file=sys.stderr, flush=True)
        forkserver.set_forkserver_preload([*OF_DASK, *modules])
        forkserver.ensure_running()
        import_all(modules)
        return
    import_all(modules)
    if others := threads():
        run = "thread runs" if others == 1 else "threads run"
        print(f"hpc-launch: everything is imported twice: {others} {run} after the first time", file=sys.stderr)
        return
    start_server_as_fork()


def why_not_fork() -> str:
    """Why this process should not become the workers' forkserver; empty if it may."""
    if not TRIED[0] <= sys.version_info[:2] <= TRIED[1]:
        return f"this was not tried with Python {sys.version.split()[0]}"
    if many := [name for name in THREADS if os.environ.get(name) != "1"]:
        return f"{many[0]} is not 1"
    parts = (
        (util, "spawnv_passfds"),
        (forkserver, "_forkserver"),
        (forkserver._forkserver, "_forkserver_pid"),  # type: ignore[attr-defined]
        (resource_tracker, "_resource_tracker"),
        (resource_tracker._resource_tracker, "_fd"),
        (resource_tracker._resource_tracker, "_pid"),
    )
    missing = [name for where, name in parts if not hasattr(where, name)]
    if list(inspect.signature(forkserver.main).parameters)[:3] != ["listener_fd", "alive_r", "preload"]:
        missing.append("main")
    return f"this Python's multiprocessing has no {' and no '.join(missing)} as we know it" if missing else ""


def import_all(modules: Sequence[str]) -> None:
    """Import what workers do, and read what they would read."""
    for name in OF_DASK:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for name in modules:
        importlib.import_module(name)
    from distributed.utils import get_mp_context
    from distributed.versions import get_versions

    get_mp_context()  # a forkserver that is started anew, later, imports the same
    get_versions()
    gc.freeze()  # what no fork looks at for garbage stays shared memory


def threads() -> int:
    """How many threads this process has beside the main one."""
    return len(os.listdir("/proc/self/task")) - 1


def start_server_as_fork() -> None:
    """Have `multiprocessing` start its forkserver, which is a fork of this process."""
    start = util.spawnv_passfds  # type: ignore[attr-defined]

    def fork(path: Any, arguments: Any, descriptors: Sequence[int]) -> int:
        util.spawnv_passfds = start  # type: ignore[attr-defined]  # in the fork, too
        return os.fork() or serve(*descriptors)

    resource_tracker.ensure_running()  # or it would be the first to be started so
    util.spawnv_passfds = fork  # type: ignore[attr-defined]
    try:
        forkserver.ensure_running()
    finally:
        util.spawnv_passfds = start  # type: ignore[attr-defined]


def serve(listener: int, alive: int) -> NoReturn:
    """Be the forkserver, in the process that was forked for it. Its forks run in here, too."""
    code = 1
    try:
        close_all_but(listener, alive)
        # What a Python that was started anew would not know of.
        resource_tracker._resource_tracker._fd = resource_tracker._resource_tracker._pid = None
        forkserver._forkserver.__init__()  # type: ignore[attr-defined]
        forkserver.main(listener, alive, [])
    except SystemExit:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def close_all_but(*descriptors: int) -> None:
    """Close what belongs to the process that this one was forked from, standard streams apart."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in descriptors:
            try:
                os.close(descriptor)
            except OSError:  # the list's own
                continue
