"""The end of a run: worker jobs that may be left are called off, by their ids, and by name where no id is known."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hpc_launch.batch.faults import HpcLaunchError
from hpc_launch.batch.report import CLOCKS_DIFFER
from hpc_launch.keeper.hands import say
from hpc_launch.keeper.values import Submission
from hpc_launch.keeper.watch import Watch

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


def call_off_all(system: BatchSystem, watch: Watch) -> list[str]:
    """Call off all worker jobs that may be left; gives their ids. What fails is told in the log."""
    try:
        watch.read()
    except OSError as fault:
        say(f"not all that was submitted can be seen: {fault}")
    ids: list[str] = []
    for submission in watch.ledger.submissions.values():
        if not watch.gone.keys() >= set(submission.numbers):
            ids += _ids(system, submission)
    try:
        system.withdraw(ids)
    except HpcLaunchError as fault:
        say(str(fault))
    return ids


def _ids(system: BatchSystem, submission: Submission) -> list[str]:
    """Of a submission that was not answered all jobs of its name, though none may be there."""
    if submission.job_id is not None:
        return [submission.job_id]
    with suppress(HpcLaunchError):
        return system.find(submission.job_name, submission.asked - CLOCKS_DIFFER)
    say(f"whether {submission.job_name} is there cannot be told")
    return []
