"""What the keeper does to the world: the lease is looked at first, and the intent is on disk before the act."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hpc_launch.batch.faults import HpcLaunchError, NoAnswer, NotStarted, Refused
from hpc_launch.batch.report import CLOCKS_DIFFER
from hpc_launch.keeper import disk, reading
from hpc_launch.keeper.actions import CallOff, Decision, End, Retire, Submit
from hpc_launch.keeper.from_job import Trial
from hpc_launch.keeper.ids import id_of, ids_of_all
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.lease import Lease
from hpc_launch.keeper.memory import Memory, after_submission
from hpc_launch.keeper.steps import reached
from hpc_launch.keeper.values import Submission
from hpc_launch.keeper.watch import Watch

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


class Over(HpcLaunchError):
    """The run has an outcome."""


class Hands:
    def __init__(self, watch: Watch, system: BatchSystem, lease: Lease, intervals: Intervals, trial: Trial) -> None:
        self.watch, self.system, self.lease, self.intervals = watch, system, lease, intervals
        self.trial = trial
        self.ledger = watch.ledger

    def carry_out(self, decision: Decision) -> Memory:
        """Do all that was decided; gives what is to be remembered. Raises Over, Lost or OSError."""
        memory = decision.memory
        for action in decision.actions:
            self.lease.check()
            match action:
                case Retire():
                    self._retire(action)
                case CallOff():
                    self._call_off(action, decision)
                case End():
                    self._end(action, decision)
                case Submit():
                    memory = self._submit(action, memory)
        return memory

    def find(self, submission: Submission) -> None:
        """Look by its name for a job whose submission was not answered; after a while there is none."""
        self.lease.check()
        try:
            found = self.system.find(submission.job_name, submission.asked - CLOCKS_DIFFER)
        except HpcLaunchError as fault:
            return say(f"whether {submission.job_name} is there cannot be told: {fault}")
        if len(found) > 1:
            say(f"several jobs are named {submission.job_name}: {', '.join(found)}")
        elif found:
            self.ledger.answered(submission, found[0], time.time())
            say(f"{submission.job_name} was found: {found[0]}")
        elif submission.refused is None and time.time() > submission.asked + self.intervals.find:
            self.ledger.refused(submission, "whoever submitted it heard no answer, and there is no job of this name")

    def _submit(self, action: Submit, memory: Memory) -> Memory:
        if self.watch.is_over():
            raise Over("the run is over")
        submission = self.ledger.add(action, time.time())
        reached("recorded")
        refusal = self._ask_for(submission)
        self.trial.note("submit", refusal)
        if refusal is not None:
            say(f"{submission.job_name} was not submitted: {refusal}")
        elif self.watch.is_over():  # meanwhile: whoever ended it may not have seen this submission
            self._try(lambda: self.system.withdraw([str(self.ledger.submissions[submission.number].job_id)]))
            raise Over("the run is over")
        return after_submission(memory, action.group, action.size, refusal, time.time(), self.intervals)

    def _ask_for(self, submission: Submission) -> str | None:
        """Submit; gives why there is no job, or may be none."""
        group, log = self.watch.run.groups[submission.group], self.ledger.log(submission)
        try:
            job_id = self.system.submit(
                self.watch.directory, group.file, submission.job_name, submission.array, log=log
            )
        except (Refused, NotStarted) as fault:
            self.ledger.refused(submission, fault.sentence)
            return fault.sentence
        except NoAnswer as fault:
            return fault.sentence
        reached("submitted")
        self.ledger.answered(submission, job_id, time.time())
        reached("answered")
        size = f"worker jobs: {submission.size}, workers: {submission.workers}"
        say(f"{submission.job_name} was submitted: {job_id}, {size}")
        return None

    def _call_off(self, action: CallOff, decision: Decision) -> None:
        self.ledger.note_unwanted(action.elements)
        reached("unwanted")
        self._try(lambda: self.system.withdraw(ids_of_all(self.system, action.elements, decision.elements)))
        reached("called off")
        say(f"called off: elements {', '.join(map(str, sorted(action.elements)))}")

    def _end(self, action: End, decision: Decision) -> None:
        elements = [decision.elements[number] for number in sorted(action.elements)]
        self._try(lambda: self.system.cancel([id_of(self.system, each) for each in elements]))
        reached("ended")
        say(f"ended, since {action.why}: elements {', '.join(str(each.number) for each in elements)}")

    def _retire(self, action: Retire) -> None:
        disk.replace(self.watch.directory / "pool" / "retire.json", reading.retire_document(action.elements))
        reached("retired")
        say(f"on their way out: elements {', '.join(map(str, sorted(action.elements))) or 'none'}")

    def _try(self, act: Callable[[], None]) -> None:
        """What fails is tried again when the batch system has said how the jobs stand."""
        try:
            act()
        except HpcLaunchError as fault:
            say(str(fault))
            self.trial.note("cancel", str(fault))
        else:
            self.trial.note("cancel", None)


def say(text: str) -> None:
    """A line for the keeper's log."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
