"""Closing a standing cluster: it has done its work, and its job ends everything in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs import status
from hpc_launch.runs.cancel import Patience, cancel, ended_in_order
from hpc_launch.runs.directory import write_control
from hpc_launch.runs.settle import View

CLOSE: Final = "close"
"""An empty file in `control/`, for which the job's shell looks."""
PATIENCE: Final = Patience(orderly=90)
"""The job's shell looks for it twice a minute; what it does then is as orderly as after a cancel."""


def close(
    directory: Path, say: Callable[[str], None], wake: Callable[[View], None], patience: Patience = PATIENCE
) -> View:
    """End the standing cluster in `directory`, and wait until it has ended; gives how it stands afterwards.

    Args:
        directory: the run directory.
        say: is told what happens.
        wake: tells the job that there is news in `control/`.
        patience: how long to wait.

    Raises:
        BatchSystemError: of one that still waits in the queue: refused or not answered.
        UsageError: it is none, or the wish cannot be written.
    """
    view = status.bring_up_to_date(directory)
    run = view.record.id
    if not view.record.plan.stands:
        hint = f"It ends with its workload. To end it before: hpc-launch cancel {run}"
        hint = f"It is over already: {view.standing.outcome}" if view.standing.over else hint
        raise UsageError(Problem(f"{run} is no standing cluster: it has a workload", hint=hint))
    if view.standing.over:
        say(f"{run} is over already: {view.standing.outcome}")
        return view
    try:
        write_control(directory, CLOSE, "")
    except OSError as fault:
        raise UsageError(f"the wish cannot be written: {fault}") from fault
    if view.standing.state == "queued":
        say("it has not begun: it is taken out of the queue")
        return cancel(directory, say, patience)
    say("asking the job to end")
    wake(view)
    if ended_in_order(directory, patience):
        say("the job has ended everything in order")
    view = status.bring_up_to_date(directory)
    if not view.standing.over:
        say(f"it has not ended yet; it will. To wait for that: hpc-launch wait {run}")
    return view
