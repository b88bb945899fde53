"""What every batch system can do, and all that is the same for them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.batch.client import Client, batches
from hpc_launch.batch.command import run
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.report import JobReport, JobStatus, Told, elements_of, left_out, report_of, unsettled

if TYPE_CHECKING:
    from hpc_launch.batch.machine import Machine

ALONE_AT_MOST = 20
"""So many jobs are asked for one by one in one look: each is a command, and the batch system is shared by thousands."""


class BatchSystem(Client, ABC):
    """One kind of batch system, reached through its commands. Holds no state: a job is its id.

    A module from outside gives a subclass of this one, under the entry-point group `hpc_launch.batch_systems`:

    - it must have `name`, `programs` (with `submit` and `cancel` at least), `dialect` (`dialect.Dialect`), and the
      methods that are abstract here; it is made with the arguments of `__init__`, which it had better leave alone;
    - it should have `refusal` (without it nothing counts as refused, and a job whose submission failed is looked for
      by its name), `unreachable` and `harmless`; see there, in `client.Client`, and the tools beside them: `ask`,
      `call_off`, `lines`, `told`, `fault`;
    - `queued` and `finished` give `report.Told`: reports under the very ids that they were asked for, elements of an
      array under ids that begin with the array's number (`20_1`, `20[1].server`, `20[1]`, `20.1`; `element_id` makes
      them), in `denied` the ids of which the batch system said itself that it does not know them, and in `doubt` why
      the whole answer is none. A job that is in none of these was left out, and is unknown: only a denial makes one
      `GONE`. Where the usual way to say "gone" is silence, `asked_again` has to ask in another way, to which the
      answer is a denial. A state that it does not know is `JobStatus.UNKNOWN`, with the batch system's own word in
      `raw`; `COMPLETED` is only what certainly ended well;
    - `find` and whatever else asks may raise `faults.NoAnswer`, and nothing else.
    """

    submit_timeout: float = 60.0
    """Seconds that the submit command may take: a busy batch system lets it wait."""

    # What a batch system says for itself

    @abstractmethod
    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        """The whole command that submits `file` under the name `job_name`, to be run in its directory.

        Args:
            file: its name, to be left out where the command reads it (`stdin`); it holds the directives, and nothing
                that differs between submissions of one group.
            job_name: all of it; on the command line, since it wins over the script's there.
            array: number of elements; None (or 1) for a plain job.
            after: id of a job that must have started before this one may, and need not have ended.
            log: what the batch system is to write of it, without its suffix and an element's index, relative to the
                run directory; None: the script says it.
        """

    @abstractmethod
    def job_id(self, text: str) -> str | None:
        """The id of the new job in what the submit command printed, whatever stands around it, or None."""

    def element_id(self, array: str, index: int) -> str:
        """The id of one element of an array: `20[3]`, `20[3].server`; others write it otherwise."""
        number, _, server = array.partition("[]")
        return f"{number}[{index}]{server}"

    @abstractmethod
    def queued(self, ids: Sequence[str]) -> Told:
        """What the queue knows of these jobs, arrays and elements. May raise NoAnswer."""

    def asked_again(self, ids: Sequence[str]) -> Told:
        """What the queue knows of jobs that an answer of it left out; here each is asked for once more, alone.

        May raise NoAnswer.
        """
        return self.one_by_one(self.queued, ids)

    def finished(self, ids: Sequence[str]) -> Told:
        """What the accounting, if any, knows of jobs that the queue denied. May raise NoAnswer."""
        return Told({}, denied=frozenset(ids))

    @abstractmethod
    def find(self, job_name: str, since: float) -> list[str]:
        """The ids of our own jobs of this name, for one whose answer was never read; of an array its own, once.

        Nothing: there is certainly no job.

        Args:
            job_name: all of it.
            since: seconds since 1970; jobs submitted before need not be found.

        Raises:
            NoAnswer: it cannot be told.
        """

    def survey(self) -> Machine | None:
        """What the live machine says of itself; None where this kind of batch system has nothing to say.

        Raises:
            NotStarted: its commands are not here.
            NoAnswer: they are, and do not answer.
        """
        return None

    # What is the same for all of them

    def cluster_name(self) -> str | None:
        """What the machine calls itself; None where the batch system has no name for it, or is not here."""
        if "cluster" not in self.commands:
            return None
        try:  # Slurm's looks for a configuration for a minute
            answer = self.ask("cluster", timeout=min(10.0, self.timeout))
        except NoAnswer:
            return None
        found = self.naming.search(answer.stdout)
        return found[1] if found and answer.returncode == 0 else None

    def submit(
        self,
        directory: Path,
        file: str,
        job_name: str,
        array: int | None = None,
        after: str | None = None,
        log: str | None = None,
    ) -> str:
        """Submit `file`, which stands in `directory`; gives the job's id, or the array's. See `submit_command`.

        Raises:
            Refused: the batch system said no; there is no job.
            NotStarted: its command could not be run; there is no job.
            NoAnswer: there may be a job; `find` it by its name.
        """
        answer = run(
            self.submit_command(file, job_name, array, after, log),
            directory=directory,
            timeout=self.submit_timeout,
            needed=self.needed,
            stdin=directory / file if self.stdin else None,
        )
        job = self.job_id(answer.stdout)
        if job and answer.returncode == 0:
            return job
        raise self.fault(answer, certain=job is None and answer.returncode != 0)

    def rehearse(self, directory: Path, file: str) -> str:
        """What the batch system says of a submission that is not made; nothing where it cannot be asked for that.

        Raises:
            Refused: it would say no.
            NotStarted: it is not here.
            NoAnswer: it cannot be told.
        """
        return ""

    def states(self, ids: Sequence[str], arrays: Mapping[str, int] | None = None) -> dict[str, JobReport]:
        """What can be told of these jobs just now, for each id. Raises nothing: what fails makes `unknown`.

        An array's own id stands for all its elements: as long as one runs, it runs.

        Args:
            ids: of jobs, arrays, or elements.
            arrays: an array's id → how many elements it has. With it, elements that the batch system has forgotten
                count as `gone`; without it they cannot be missed.
        """
        ids, sizes = list(dict.fromkeys(ids)), arrays or {}
        told, doubts, silent = self._queue(ids, sizes)
        past, more = self._past(
            [job for job in ids if job not in doubts | silent or elements_of(job, told.reports)], told, sizes
        )
        reports, doubts = past | dict(told.reports), silent | more | doubts
        return {job: report_of(job, Told(reports, doubts.get(job, "")), sizes.get(job)) for job in ids}

    def cancel(self, ids: Sequence[str]) -> None:
        """End these jobs, arrays or elements, queued or running; those that are over already are left alone.

        Raises:
            Refused: the batch system said no.
            NoAnswer: they may or may not end.
        """
        self.call_off(ids)

    def interrupt(self, ids: Sequence[str]) -> None:
        """Tell the first shell of each of these jobs that runs to end, with TERM, so that it can do so in its own way.

        The first step of a cancel: the batch system's own, where that leaves the time for it; nothing where `cancel`
        itself begins like that. Raises what `cancel` does.
        """
        return None

    def withdraw(self, ids: Sequence[str]) -> None:
        """As `cancel`, but jobs that run may first tidy up, where a plain cancel does not let them."""
        self.cancel(ids)

    def one_by_one(self, question: Callable[[Sequence[str]], Told], ids: Sequence[str]) -> Told:
        """What a question tells of each of these jobs alone: so many, and for so long, as a shared system can bear.

        The others are left out; whoever looks again later asks for them then.
        """
        reports: dict[str, JobReport] = {}
        denied: set[str] = set()
        until = time.monotonic() + self.timeout
        for job in ids[:ALONE_AT_MOST]:
            if time.monotonic() >= until:
                break
            told = self._told(question, [job])
            reports.update(told.reports)
            denied |= told.denied
        return Told(reports, denied=frozenset(denied))

    def _queue(self, ids: Sequence[str], sizes: Mapping[str, int]) -> tuple[Told, dict[str, str], dict[str, str]]:
        """What the queue tells of these jobs; for which it failed, and which it left out for good (id → the doubt)."""
        reports: dict[str, JobReport] = {}
        denied: set[str] = set()
        failed: dict[str, str] = {}
        for some in batches(ids):
            told = self._told(self.queued, some)
            reports.update(told.reports)
            denied |= told.denied
            failed |= dict.fromkeys(some, told.doubt) if told.doubt else {}
        told = Told(reports, denied=frozenset(denied))
        silent = [job for job in ids if job not in failed and left_out(job, told, sizes.get(job))]
        again = self._told(self.asked_again, silent) if silent else Told({})
        told = Told(reports | dict(again.reports), denied=told.denied | again.denied)
        silent = [job for job in silent if left_out(job, told, sizes.get(job))]
        return told, failed, {job: again.doubt or self._incomplete(job) for job in silent}

    def _past(
        self, ids: Sequence[str], told: Told, sizes: Mapping[str, int]
    ) -> tuple[dict[str, JobReport], dict[str, str]]:
        """What the accounting tells of those of these jobs that the queue does not, and why that is doubt for some."""
        # As long as the queue does not say that it has no such job the accounting has no say: for it a job that was
        # put back into the queue has ended (seen with Slurm 22.05: NODE_FAIL in sacct, PENDING in squeue).
        past: dict[str, JobReport] = {}
        doubts: dict[str, str] = {}
        for some in batches([job for job in ids if unsettled(job, told.reports, sizes.get(job))]):
            accounts = self._told(self.finished, some)
            past |= {job: _settled(report) for job, report in accounts.reports.items()}
            silent = [job for job in some if job not in accounts.denied and not _heard(job, accounts.reports)]
            doubts |= {job: accounts.doubt or self._incomplete(job) for job in (some if accounts.doubt else silent)}
        return past, doubts

    def _incomplete(self, job: str) -> str:
        return f"its answer left out {job}: neither how it stands nor that there is no such job"

    def _told(self, question: Callable[[Sequence[str]], Told], ids: Sequence[str]) -> Told:
        try:
            return question(ids)
        except NoAnswer as fault:
            return Told({}, doubt=str(fault))


def _heard(job: str, reports: Mapping[str, JobReport]) -> bool:
    return job in reports or bool(elements_of(job, reports))


def _settled(report: JobReport) -> JobReport:
    """The accounting's report on a job that the queue does not know: if the job runs there, it is late."""
    if report.status.over:
        return report
    return replace(report, status=JobStatus.UNKNOWN, why="", raw=f"{report.raw} (but it is not in the queue)")
