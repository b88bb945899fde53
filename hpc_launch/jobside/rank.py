"""One MPI rank of the layout `mpi`: looks whether MPI is what was asked for, then becomes a rank of dask-mpi.

Arguments: the number of ranks, then the options of dask-mpi. Whatever goes wrong becomes a sentence in state/, and no
rank is left waiting: a rank that cannot join ends with 70, which its launcher takes for the end of all, and one that
fails later aborts them all.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from . import preflight, state, with_settings
from .preflight import give_up
from .python_private import end_forkserver_at_exit

if TYPE_CHECKING:
    from types import FrameType

    from mpi4py.MPI import Comm

OLDEST = (2025, 10)
"""Before it the processes that Dask's nanny starts join MPI a second time, and hang (dask-mpi's history)."""
MEANT_FOR_RANKS = re.compile(r"(PMI|PMIX|PALS|PRTE|OMPI_COMM|OMPI_MCA_(ess|orte|prte))_|MPI_LOCAL")
"""How a launcher tells a process its place. A program that a task starts would take itself for this rank."""


def look_for_dask_mpi() -> None:
    try:
        version = importlib.metadata.version("dask-mpi")
    except importlib.metadata.PackageNotFoundError:
        give_up(f"{sys.executable} has no dask-mpi, which the layout mpi needs: install dask-mpi and mpi4py there")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        give_up(f"dask-mpi {version} is too old, the layout mpi needs {'.'.join(map(str, OLDEST))} or newer")


def join(ranks: int) -> Comm:
    """Becomes a rank among all; ends this process where it is not as was asked for."""
    try:
        import mpi4py

        mpi4py.rc.initialize = False  # so that a library that is not there can be told from one that does not start
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        give_up(f"mpi4py of {sys.executable} does not find an MPI library: {' '.join(str(error).split())}")
    library = " ".join(re.split(r"[,\n\0]", MPI.Get_library_version())[0].split())
    print(f"joining MPI with {library}", file=sys.stderr, flush=True)
    # It may end this process then and there: the sentence for that is told before.
    state.tell(
        "joining", f"the ranks ended as they joined MPI: is the MPI library of mpi4py ({library}) the launcher's?\n"
    )
    MPI.Init_thread()
    size = MPI.COMM_WORLD.Get_size()
    if size != ranks:
        cause = f"the MPI library of mpi4py ({library}) is not the launcher's"
        give_up(f"each rank sees a world of {size} instead of {ranks}: {cause}")
    return MPI.COMM_WORLD


def leave(world: Comm) -> None:
    """MPI_Finalize waits for all ranks, and some libraries take a whole core for it: one that ends early sleeps."""
    from mpi4py import MPI

    request = world.Ibarrier()
    while not request.Test():
        time.sleep(0.1)
    MPI.Finalize()


def end(number: int, frame: FrameType | None) -> None:
    """TERM: the scheduler closes, or the worker. asyncio takes an interrupt for the cancellation of what it runs."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.raise_signal(signal.SIGINT)


def load_into_scheduler(preloads: list[str]) -> None:
    """Have Dask load these into the scheduler of this rank, which it makes next."""
    import dask.config

    dask.config.set({"distributed.scheduler.preload": [*preloads, __name__, *with_settings.own_preloads("scheduler")]})


async def dask_setup(scheduler: Any) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol).

    Nannies hand these settings on: what is ours is taken out, so that a task's own scheduler does not load it.
    """
    import dask.config

    theirs = [each for each in with_settings.own_preloads("scheduler") if not each.startswith(with_settings.OURS)]
    dask.config.set({"distributed.scheduler.preload": theirs})


def load_into_workers(preload: str) -> None:
    import dask.config

    dask.config.set({"distributed.worker.preload": [*with_settings.own_preloads("worker"), preload]})


def main() -> None:
    preflight.end_if_unfit()
    look_for_dask_mpi()
    world = join(int(sys.argv.pop(1)))
    for name in filter(MEANT_FOR_RANKS.match, list(os.environ)):
        del os.environ[name]
    signal.signal(signal.SIGTERM, end)
    end_forkserver_at_exit()  # the nanny in this process has them start its worker
    if is_first := world.Get_rank() == 0:
        state.tell("scheduler", f"{os.getpid()} {state.HOST}\n")
    try:
        with_settings.use_settings()
        from dask_mpi import cli

        if is_first:
            load_into_scheduler(os.environ["HPC_LAUNCH_PRELOADS"].split())
        if preload := os.environ.get("HPC_LAUNCH_WORKER_PRELOAD"):
            load_into_workers(preload)
        with cli.main.make_context("dask-mpi", sys.argv[1:]) as context:
            cli.main.invoke(context)
    except KeyboardInterrupt:
        pass
    except BaseException as error:
        traceback.print_exc()
        if not os.path.exists(state.path("unfit", state.HOST)):  # the scheduler may have told more of it
            state.tell_unfit(f"dask-mpi failed with {error!r}, see logs/workers-{state.HOST}.log")
        world.Abort(1)
    leave(world)
