"""What jobs may do on the batch system where nobody knows: it is tried once, then left to a login host."""

from __future__ import annotations

from hpc_launch.batch.faults import HpcLaunchError
from hpc_launch.keeper.values import Run

EXIT_CODE = 3
"""By it the job's shell knows that this keeper is not to be started again."""
WORDS = {"status": "ask how jobs stand", "cancel": "cancel jobs", "submit": "submit jobs"}


class NotFromJob(HpcLaunchError):
    """The batch system did not do for a process of a job what nobody knew whether it would."""

    exit_code = EXIT_CODE


class Trial:
    """What is still to be tried from inside of the run's own job; nothing elsewhere.

    Args:
        run: what is known of it.
        from_job: whether this keeper is a process of that job.
    """

    def __init__(self, run: Run, from_job: bool) -> None:
        self.untried = set(run.untried) if from_job else set()

    def note(self, purpose: str, fault: str | None) -> None:
        """It was tried; with what went wrong. Raises NotFromJob if that was the first time."""
        if purpose not in self.untried:
            return
        if fault is not None:
            what = f"whether jobs may {WORDS[purpose]} here was not known, and it failed: {' '.join(fault.split())}"
            raise NotFromJob(f"{what}; `hpc-launch keep` does it on a login host")
        self.untried.remove(purpose)
