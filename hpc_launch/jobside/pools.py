"""Loaded into the Dask scheduler (``--preload``) of a run that can grow: has ``eyes.py`` watch its worker jobs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import state
from .log import log

if TYPE_CHECKING:
    from distributed import Scheduler


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol): it listens by now."""
    from .eyes import open_on

    opened = open_on(scheduler, os.environ["HPC_LAUNCH_RUN_DIR"], state.path())
    log.info("hpc-launch: demand is told in %s", opened.files.output)
