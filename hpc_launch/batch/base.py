"""What every batch system can do, and all that is the same for them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hpc_launch.batch.command import Answer, run, shown
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.report import JobReport, JobStatus, Told, reports_of, summary
from hpc_launch.errors import InvalidConfiguration, Problem

IDS_PER_CALL = 50
"""sacct hangs with hundreds of ids in one call (Parsl#3814); Parsl asks for so many at a time."""

NEVER = re.compile(r"(?!)")


class BatchSystem(ABC):
    """One kind of batch system, reached through its commands. Holds no state: a job is its id."""

    name: ClassVar[str]
    """As in a site profile."""
    programs: ClassVar[Mapping[str, tuple[str, ...]]]
    """Purpose (`submit`, `status`, `cancel` …) → the command for it. A site may have its own."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Environment variables that its clients cannot do without."""
    refusal: ClassVar[re.Pattern[str]] = NEVER
    """By these words of a command that failed it is known that the batch system said no."""
    unreachable: ClassVar[re.Pattern[str]] = NEVER
    """By these, that it did not get to say anything, or was not heard. They count for more."""
    harmless: ClassVar[re.Pattern[str]] = NEVER
    """Lines that a cancel may fail with, since a job is over already."""
    chatter: ClassVar[re.Pattern[str]] = NEVER
    """Beginnings of lines in answers that say nothing of a job."""
    timeout: float = 30.0
    """Seconds that a command may take."""
    submit_timeout: float = 60.0
    """Seconds that the submit command may take: a busy batch system lets it wait."""

    def __init__(self, commands: Mapping[str, Sequence[str]] | None = None, stdin: bool | None = None) -> None:
        given = {purpose: tuple(words) for purpose, words in (commands or {}).items() if words}
        if unheard := sorted(given.keys() - self.programs.keys()):
            allowed = ", ".join(self.programs) or "none"
            raise InvalidConfiguration(f"commands: {self.name} has none for {', '.join(unheard)}; allowed: {allowed}")
        self.commands: Mapping[str, tuple[str, ...]] = {**self.programs, **given}
        self.stdin = stdin

    # What a batch system says for itself

    @abstractmethod
    def submit_command(self, file: str, job_name: str) -> list[str]:
        """The whole command that submits `file` under the name `job_name`, to be run in its directory."""

    @abstractmethod
    def job_id(self, text: str) -> str | None:
        """The id of the new job in what the submit command printed, whatever stands around it, or None."""

    @abstractmethod
    def queued(self, ids: Sequence[str]) -> Told:
        """What the queue knows of these jobs. May raise NoAnswer."""

    def finished(self, ids: Sequence[str]) -> Told:
        """What the accounting, if any, knows of jobs that the queue does not know. May raise NoAnswer."""
        return Told({})

    @abstractmethod
    def find(self, job_name: str, since: float) -> list[str]:
        """The ids of our own jobs of this name, for one whose answer was never read. None: there is no job.

        Args:
            job_name: all of it.
            since: seconds since 1970; jobs submitted before need not be found.

        Raises:
            NoAnswer: it cannot be told.
        """

    def cluster_name(self) -> str | None:
        """What the machine calls itself; None where the batch system has no name for it, or is not here."""
        return None

    def submit_stdin(self, directory: Path, file: str) -> Path | None:
        """The file that the submit command reads, where it does not take the script's name."""
        return None

    # What is the same for all of them

    def submit(self, directory: Path, file: str, job_name: str) -> str:
        """Submit `file`, which stands in `directory`; gives the job's id.

        Raises:
            Refused: the batch system said no; there is no job.
            NotStarted: its command could not be run; there is no job.
            NoAnswer: there may be a job; `find` it by its name.
        """
        answer = run(
            self.submit_command(file, job_name),
            directory=directory,
            timeout=self.submit_timeout,
            needed=self.needed,
            stdin=self.submit_stdin(directory, file),
        )
        job = self.job_id(answer.stdout)
        if job and answer.returncode == 0:
            return job
        raise self.fault(answer, certain=job is None and answer.returncode != 0)

    def states(self, ids: Sequence[str]) -> dict[str, JobReport]:
        """What can be told of these jobs just now, for each id. Raises nothing: what fails makes `unknown`.

        An array's own id stands for all its elements: as long as one runs, it runs.
        """
        reports: dict[str, JobReport] = {}
        for some in batches(ids):
            reports |= self._states(some)
        return reports

    def cancel(self, ids: Sequence[str]) -> None:
        """End these jobs, queued or running; those that are over already are left alone.

        Raises:
            Refused: the batch system said no.
            NoAnswer: they may or may not end.
        """
        self.call_off(ids)

    def interrupt(self, ids: Sequence[str]) -> None:
        """Send TERM to the first shell of each of these jobs that runs, so that it can end in its own way.

        The first step of a cancel; nothing where `cancel` itself begins like that. Raises what `cancel` does.
        """
        return None

    # Tools for the modules of the batch systems

    def ask(self, purpose: str, *more: str, timeout: float | None = None) -> Answer:
        """Run the command for a purpose, with more words."""
        return run([*self.commands[purpose], *more], timeout=timeout or self.timeout, needed=self.needed)

    def call_off(self, ids: Sequence[str], *options: str) -> None:
        """Run the cancel command for all the ids."""
        for some in batches(ids):
            self.checked(self.ask("cancel", *options, *some))

    def checked(self, answer: Answer) -> Answer:
        """The answer, if its command did not fail, or only since jobs are over already."""
        lines = [line for line in answer.words.splitlines() if line.strip()]
        if answer.returncode == 0 or (lines and all(self.harmless.search(line) for line in lines)):
            return answer
        raise self.fault(answer, certain=True)

    def fault(self, answer: Answer, *, certain: bool) -> Refused | NoAnswer:
        """The fault that a bad answer is: a refusal only if the batch system said so for certain."""
        said = f" It said:\n{answer.words}" if answer.words else " It said nothing."
        command = f"`{shown(answer.command)}`"
        if certain and self.refusal.search(answer.words) and not self.unreachable.search(answer.words):
            return Refused(f"{self.name} refused {command}.{said}")
        how = f"failed with {answer.returncode}" if answer.returncode else "gave an answer that is not understood"
        return NoAnswer(Problem(f"{command} {how}.{said}", hint="Try again; the batch system may be busy or down."))

    def lines(self, answer: Answer) -> list[str]:
        """The lines of an answer that say something."""
        return [line for line in answer.stdout.splitlines() if line.strip() and not self.chatter.match(line)]

    def told(self, answer: Answer, read: Callable[[str], tuple[str, JobReport] | None]) -> Told:
        """What the lines of an answer tell; each that `read` does not understand is a reason for doubt."""
        rows = [read(line) for line in self.lines(answer)]
        sound = answer.returncode == 0 and None not in rows and "error" not in answer.stderr.lower()
        doubt = "" if sound else str(self.fault(answer, certain=False))
        return Told(dict(row for row in rows if row), doubt)

    def _states(self, ids: Sequence[str]) -> dict[str, JobReport]:
        told = self._told(self.queued, ids)
        missing = [job for job in ids if not reports_of(job, told.reports)]
        # As long as the queue cannot be read the accounting has no say: for it a job that was put back into
        # the queue has ended (seen with Slurm 22.05: NODE_FAIL in sacct, PENDING in squeue).
        if missing and not told.doubt:
            accounts = self._told(self.finished, missing)
            settled = {job: _settled(report) for job, report in accounts.reports.items()}
            told = Told(settled | dict(told.reports), accounts.doubt)
        otherwise = JobReport(JobStatus.UNKNOWN, raw=told.doubt) if told.doubt else JobReport(JobStatus.GONE)
        return {job: summary(reports_of(job, told.reports)) or otherwise for job in ids}

    def _told(self, question: Callable[[Sequence[str]], Told], ids: Sequence[str]) -> Told:
        try:
            return question(ids)
        except NoAnswer as fault:
            return Told({}, doubt=str(fault))


def batches(ids: Sequence[str]) -> Iterator[list[str]]:
    """The ids, each once, so many at a time that a command can take them."""
    once = list(dict.fromkeys(ids))
    for start in range(0, len(once), IDS_PER_CALL):
        yield once[start : start + IDS_PER_CALL]


def _settled(report: JobReport) -> JobReport:
    """The accounting's report on a job that the queue does not know: if the job runs there, it is late."""
    if report.status.over:
        return report
    return replace(report, status=JobStatus.UNKNOWN, why="", raw=f"{report.raw} (but it is not in the queue)")
