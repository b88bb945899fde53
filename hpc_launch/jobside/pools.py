"""Loaded into the Dask scheduler (``--preload``) of a run that can grow: has ``eyes.py`` watch its worker jobs."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Scheduler

    from . import eyes

log = logging.getLogger("distributed.hpc_launch")  # Dask shows what its own loggers say
PACKAGE = "hpc_launch_jobside"
"""What this directory is called in the scheduler: no module of the user's is hidden by one of ours."""


def of_this_directory(name: str) -> Any:
    """A module beside this one, which Dask has loaded as one of no package."""
    if PACKAGE not in sys.modules:
        spec = ModuleSpec(PACKAGE, None, is_package=True)
        spec.submodule_search_locations = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{PACKAGE}.{name}")


async def dask_setup(scheduler: Scheduler) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    run = os.environ["HPC_LAUNCH_RUN_DIR"]
    if scheduler.scheduler_file == os.path.join(run, "scheduler.json"):  # otherwise a task's own cluster
        opened: eyes.Eyes = of_this_directory("eyes").open_on(
            scheduler, run, os.path.join(run, "state", os.environ["HPC_LAUNCH_ATTEMPT"])
        )
        log.info("hpc-launch: demand is told in %s", opened.files.output)
