"""The workers of one node: `dask worker`, whose worker processes are forks of one that has imported everything, once.

Dask has each worker forked by Python's forkserver. That is a second Python: it begins when the first worker is wanted,
and imports everything once more, after the first one has. Here it is a fork of the first one. Where that is not safe it
begins before the first one imports anything, so that both import at the same time.

Arguments: those of `dask worker`. HPC_LAUNCH_IMPORTS names further modules that workers import.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from . import preflight, with_settings
from .python_private import end_forkserver_at_exit, fork_server, fork_tracker, forkserver, why_untried

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Where one is not 1, numerical libraries may start threads as they are imported; what has threads must not fork."""
OF_DASK = (
    *("distributed.cli.dask_worker", "tornado.platform.asyncio", "numpy", "numpy.random", "pandas", "lz4"),
    *("multiprocessing.popen_forkserver", "multiprocessing.synchronize"),
    *("distributed.http.worker.prometheus", "distributed.http.health", "distributed.http.statics"),
)
"""What each worker would import otherwise; what is not there is passed over."""


def main() -> None:
    preflight.end_if_unfit()
    end_forkserver_at_exit()
    if not (reason := why_untried() or why_not_fork()):
        fork_tracker()  # while this process is small
    imports = os.environ.pop("HPC_LAUNCH_IMPORTS", "").split()
    with with_settings.quick_imports():
        with_settings.use_settings()
        sys.argv[1:] = with_settings.with_own_preloads("distributed.cli.dask_worker", sys.argv[1:])
        usual = with_settings.method() == "forkserver"  # its user may have another one
        may_fork = usual and prepare_workers(imports, reason)
        from distributed.cli import dask_worker
    if may_fork:
        fork_server()
    dask_worker.main(prog_name="dask worker")


def prepare_workers(modules: Sequence[str], reason: str) -> bool:
    """Import what workers need; whether this process may become their forkserver. If not, the log tells the reason."""
    if reason:
        print(f"hpc-launch: everything is imported twice, at the same time: {reason}", file=sys.stderr, flush=True)
        forkserver.set_forkserver_preload([*OF_DASK, *modules])
        forkserver.ensure_running()
        import_all(modules)
        return False
    import_all(modules)
    if others := len(os.listdir("/proc/self/task")) - 1:
        run = "thread runs" if others == 1 else "threads run"
        print(f"hpc-launch: everything is imported twice: {others} {run} after the first time", file=sys.stderr)
    return not others


def why_not_fork() -> str:
    """Why this process should not become the workers' forkserver; empty if it may."""
    many = [name for name in THREADS if os.environ.get(name) != "1"]
    return f"{many[0]} is not 1" if many else ""


def import_all(modules: Sequence[str]) -> None:
    """Import what workers do, and read what they would read."""
    for name in OF_DASK:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for name in modules:
        importlib.import_module(name)
    from distributed import utils, versions

    utils.get_mp_context()  # type: ignore[no-untyped-call]  # a forkserver that is started anew imports the same
    versions.get_versions()
    with_settings.read_settings_quickly()
    shake_hands_with_itself()
    gc.freeze()  # memory in which no fork looks for garbage stays shared


def shake_hands_with_itself() -> None:
    """Have OpenSSL make ready, once, what each worker would with its first TLS connection: a tenth of its start."""
    import ssl

    from distributed.security import Security

    security: Any = Security()  # type: ignore[no-untyped-call]
    client = security.get_connection_args("worker")["ssl_context"]
    server = security.get_listen_args("worker")["ssl_context"]
    if not client or not server:
        return
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(one, other), server.wrap_bio(other, one, server_side=True)]
    for side in sides * 2:
        with suppress(ssl.SSLError):  # mostly SSLWantReadError: the other side has not answered yet
            side.do_handshake()
