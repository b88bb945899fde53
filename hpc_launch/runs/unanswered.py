"""A run of which it cannot be told where it stands: whether asking again on this host may be of use."""

from __future__ import annotations

from contextlib import suppress

from hpc_launch.batch.environment import locate
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs.job_ids import batch_system
from hpc_launch.runs.settle import View


def exit_code_unless_known(view: View) -> int:
    """Of a command that only tells where a run stands: 0 where that is known."""
    if view.standing.state != "unknown":
        return 0
    return NotStarted.exit_code if cannot_be_asked_here(view) else NoAnswer.exit_code


def cannot_be_asked_here(view: View) -> bool:
    """Whether the command that tells of jobs is not on this host, or has no configuration here."""
    with suppress(HpcLaunchError):  # a plug-in that is not here: then it cannot be told either
        system = batch_system(view.record)
        words = system.commands.get("status")
        try:
            if words:
                locate(words[0])
        except NotStarted:
            return True
        return any(system.unconfigured.search(report.raw) for report in view.reports.values())
    return False
