"""Runs inside the Dask scheduler and the nannies (``--preload``): what was told to end is not to be told again.

Dask takes a second TERM or INT for impatience, and dies of it in the middle of ending in order: workers then hang until
their nanny is gone, and leave their directories behind. But a batch system may tell every process of a job at once, and
the job's shell, or what has started this process, tells it then too.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

TOLD_BY = (signal.SIGTERM, signal.SIGINT)


def ignore_signals() -> None:
    for number in TOLD_BY:
        signal.signal(number, signal.SIG_IGN)


def handle_only_the_first() -> None:
    """From now on the first signal counts, by whatever handles it now, and no other."""
    handlers = {number: signal.getsignal(number) for number in TOLD_BY}

    def told(number: int, frame: FrameType | None) -> None:
        try:
            if callable(handler := handlers[signal.Signals(number)]):
                handler(number, frame)
        finally:
            ignore_signals()

    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, told)


def remove_copy() -> None:
    """Dask copies a nanny's preload into its local directory, which is to be left as it was found."""
    if os.path.dirname(__file__) != os.path.join(os.environ["HPC_LAUNCH_RUN_DIR"], "jobside"):
        compiled = importlib.util.cache_from_source(__file__)
        for file in (__file__, compiled):
            with suppress(OSError):
                os.unlink(file)
        with suppress(OSError):  # another's may be in there
            os.rmdir(os.path.dirname(compiled))


async def dask_setup(server: Any) -> None:
    """Called by a server when it starts (Dask's preload protocol): its signals are handled by then."""
    handle_only_the_first()


async def dask_teardown(server: Any) -> None:
    """Called when it begins to end, whoever told it so: Dask has put back how its signals were handled at first."""
    ignore_signals()
    remove_copy()
