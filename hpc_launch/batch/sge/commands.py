"""Grid Engine. What its commands answer was recorded from a real 8.1.9: tests/batch/answers/."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch.account import account
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.client import batches
from hpc_launch.batch.command import Answer, run
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.report import JobReport, JobStatus, Told
from hpc_launch.batch.sge.answers import denied, described, from_qacct, from_qstat, jobs_of, records
from hpc_launch.batch.sge.dialect import DIALECT
from hpc_launch.batch.sge.states import FULL, ask_for_slots_alone, causes, why

if TYPE_CHECKING:
    from hpc_launch.batch.machine import Machine

STARTED = (JobStatus.RUNNING, JobStatus.SUSPENDED)
_JOB_ID = re.compile(
    r'([1-9]\d*)(?:\.\d+-\d+:\d+)?|.*?Your job(?:-array)? ([1-9]\d*)(?:\.\S+)? \(".*"\) has been submitted'
)


class GridEngine(BatchSystem):
    name = "sge"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("qsub",),
        "status": ("qstat",),
        "cancel": ("qdel",),
        "history": ("qacct",),
    }
    needed = ("SGE_ROOT", "SGE_CELL", "SGE_CLUSTER_NAME", "SGE_QMASTER_PORT", "SGE_EXECD_PORT")
    refusal = re.compile(
        r"^Unable to (?:run job|read script file)|^denied: |^qsub: |do not have the necessary privileges",
        re.I | re.M,
    )
    unreachable = re.compile(
        "commlib|communication|unable to (?:send|contact|connect)|can't (?:connect|resolve)|"
        "got (?:send|select|read) error|timeout|timed out|connection refused|try again",
        re.I,
    )
    unconfigured = re.compile(
        r"set the environment variable SGE_ROOT|(?:SGE_ROOT|cell) directory .* doesn't exist|"
        "unable to read qmaster name",
        re.I,
    )
    harmless = re.compile(
        r'job(?:-array)? "?[\d.:-]+"?(?: task "?[\d:-]+"?)? (?:does not exist|is already in deletion)|'
        r"has (?:registered|deleted) (?:the )?job",
        re.I,
    )
    cancel_speaks = True
    lists: ClassVar[Sequence[tuple[str, str]]] = (
        ("unknown queue", "qconf -sql"),
        ("project", "qconf -sprjl"),
        ("parallel environment", "qconf -spl"),
        ("unknown resource", "qconf -sc"),
        ("advance reservation", "qrstat"),
    )

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name on the command line wins over the script's. -hold_jid would wait for the other job's end: held by
        # the user until that job, once it runs, lets this one go with qrls.
        waits = ["-h"] if after else []
        several = ["-t", f"1-{array}"] if array and array > 1 else []
        output = ["-o", f"{log}{'-$TASK_ID' if several else ''}.log"] if log else []
        return [*self.commands["submit"], "-terse", "-N", job_name, *several, *output, *waits, file]

    def job_id(self, text: str) -> str | None:
        # `36` or `36.1-10:1`, alone on a line; `Your job 36 ("name") has been submitted` where a site hides -terse
        found = [match for line in text.splitlines() if (match := _JOB_ID.fullmatch(line.strip()))]
        plain = [match for match in found if match[2]]
        return (plain or found)[-1].group(2 if plain else 1) if found else None

    def element_id(self, array: str, index: int) -> str:
        return f"{array}.{index}"

    def queued(self, ids: Sequence[str]) -> Told:
        # All of one's own: there is no short listing of certain jobs. -g d: an array's elements one by one.
        answer = self.ask("status", "-xml", "-g", "d", "-u", account().name)
        jobs = jobs_of(answer)
        if jobs is None:
            return Told({}, str(self.fault(answer, certain=False)))
        reports: dict[str, JobReport] = {}
        wanted = {job.partition(".")[0] for job in ids}
        for job, element, row in jobs:
            if job in wanted:
                reports[f"{job}.{element}" if element else job] = from_qstat(row)
        return Told(self._explained(reports))

    def asked_again(self, ids: Sequence[str]) -> Told:
        # The listing passes over what is gone. qstat -j says which jobs do not exist, but only if none of those that
        # it is asked for does (8.1.9): those that do are found first, then the others are asked for without them.
        gone: set[str] = set()
        for some in batches([job.partition(".")[0] for job in ids]):
            answer = self.ask("status", "-j", ",".join(some))
            living = described(answer)
            if living and (rest := [job for job in some if job not in living]):
                answer = self.ask("status", "-j", ",".join(rest))
            gone |= denied(answer)
        return Told({}, denied=frozenset(job for job in ids if job.partition(".")[0] in gone))

    def finished(self, ids: Sequence[str]) -> Told:
        # The queue forgets no job that lives: where the accounting cannot be read, one that it denied is gone all the
        # same.
        reports: dict[str, JobReport] = {}
        try:
            for job in ids:
                number, _, element = job.partition(".")
                rows = self._records(self.ask("history", "-j", number, *(("-t", element) if element else ())))
                reports |= {key: report for key, report in map(from_qacct, rows) if key.partition(".")[0] == number}
        except NoAnswer:
            pass
        return Told(reports, denied=frozenset(ids))

    def find(self, job_name: str, since: float) -> list[str]:
        answer = self.ask("status", "-xml", "-u", account().name)
        jobs = jobs_of(answer)
        if jobs is None:
            raise self.fault(answer, certain=False)
        if found := [job for job, _, row in jobs if row.findtext("JB_name") == job_name]:
            return list(dict.fromkeys(found))
        answer = self.ask("status", "-j", job_name)  # the listing passes over what is not there, this denies it
        if job_name not in denied(answer):
            if numbers := described(answer):
                return sorted(numbers)
            raise self.fault(answer, certain=False)
        try:
            answer = self.ask("history", "-o", account().name, "-j", job_name)
        except NotStarted:
            return []
        rows = [row for row in self._records(answer) if row.get("jobname") == job_name and "jobnumber" in row]
        return list(dict.fromkeys(row["jobnumber"] for row in rows))

    def interrupt(self, ids: Sequence[str]) -> None:
        # The scripts say -notify: qdel itself sends USR2 first, which they take for TERM, and KILL a good while later.
        self.call_off(ids)

    def survey(self) -> Machine:
        from hpc_launch.batch.sge.survey import survey

        return survey(self)

    def _explained(self, reports: dict[str, JobReport]) -> dict[str, JobReport]:
        """With why jobs wait or could not be started, where Grid Engine tells it."""
        lives = {job.partition(".")[0] for job, report in reports.items() if report.status in STARTED}
        waits = [job for job, report in reports.items() if report.status in (JobStatus.QUEUED, JobStatus.HELD)]
        # of an array that has begun nobody asks why the rest of it waits: for that one command is enough
        if not (ids := {job.partition(".")[0] for job in waits} - lives):
            return reports
        try:
            answer = self.ask("status", "-j", ",".join(sorted(ids)))
        except NoAnswer:
            return reports
        told = causes(answer.stdout)
        plain = ask_for_slots_alone(answer.stdout)
        never = {job for job, cause in told.items() if cause.startswith(FULL) and self._never_starts(job, job in plain)}
        for job in waits:
            own, number = reports[job], job.partition(".")[0]
            cause = why(own.why, told.get(number, ""), error="E" in own.raw, never=number in never)
            reports[job] = replace(own, why=cause)
        return reports

    def _never_starts(self, job: str, plain: bool) -> bool:
        """Whether a queued job could start on none of the machine's hosts, were all of them free: qalter(1), -w v.

        Seen with 8.1.9: without load there are no load values either, and one that asks for such a value (mem_free) is
        offered no slot at all. So this counts for a `plain` job, or where there are slots, and too few.
        """
        try:
            said = run(("qalter", "-w", "v", job), timeout=self.timeout, needed=self.needed).words
        except NoAnswer:
            return False
        few = plain or re.search("only offers [1-9][0-9]* slots", said)
        return bool(few and "verification: no suitable queues" in said)

    def _records(self, answer: Answer) -> list[dict[str, str]]:
        """What qacct tells; nothing if it knows no such job, or if there is no accounting here."""
        if answer.returncode and re.search("not found|No such file", answer.words):
            return []
        found = None if answer.returncode else records(answer.stdout)
        if found is None:
            raise self.fault(answer, certain=False)
        return found
