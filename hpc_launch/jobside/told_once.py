"""Runs inside the Dask scheduler and the nannies (``--preload``): what was told to end is not to be told again.

Dask takes a second TERM or INT for impatience, and dies of it in the middle of ending in order: workers then hang until
their nanny is gone, and leave their directories behind. But a batch system may tell every process of a job at once, and
the job's shell, or what has started this process, tells it then too.
"""

from __future__ import annotations

import signal
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


async def dask_setup(server: Any) -> None:
    """Called by a server when it starts (Dask's preload protocol): its signals are handled by then."""
    handle_only_the_first()


async def dask_teardown(server: Any) -> None:
    """Called when it begins to end, whoever told it so: Dask has put back how its signals were handled at first."""
    ignore_signals()
