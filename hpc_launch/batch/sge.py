"""Grid Engine. What its commands answer was recorded from a real 8.1.9: tests/batch/answers/."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.report import JobReport, JobStatus, Told
from hpc_launch.batch.sge_words import ENDS, RAN, causes, status_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_JOB_ID = re.compile(
    r'([1-9]\d*)(?:\.\d+-\d+:\d+)?|.*?Your job(?:-array)? ([1-9]\d*)(?:\.\S+)? \(".*"\) has been submitted'
)
_QSTAT = re.compile(r"<\?xml .*</job_info>", re.S)


class GridEngine(BatchSystem):
    name = "sge"
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
    harmless = re.compile(
        r'job(?:-array)? "?[\d.:-]+"? (?:does not exist|is already in deletion)|'
        r"has (?:registered|deleted) (?:the )?job",
        re.I,
    )

    def submit_command(self, file: str, job_name: str) -> list[str]:
        # the name on the command line wins over the script's
        return [*self.commands["submit"], "-terse", "-N", job_name, file]

    def job_id(self, text: str) -> str | None:
        # `36` or `36.1-10:1`, alone on a line; `Your job 36 ("name") has been submitted` where a site hides -terse
        found = [match for line in text.splitlines() if (match := _JOB_ID.fullmatch(line.strip()))]
        plain = [match for match in found if match[2]]
        return (plain or found)[-1].group(2 if plain else 1) if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        # All of one's own: there is no short listing of certain jobs. -g d: an array's elements one by one.
        answer = self.ask("status", "-xml", "-g", "d", "-u", _me())
        jobs = _jobs(answer)
        if jobs is None:
            return Told({}, str(self.fault(answer, certain=False)))
        reports: dict[str, JobReport] = {}
        wanted = {job.partition(".")[0] for job in ids}
        for job, element, row in jobs:
            if job in wanted:
                reports[f"{job}.{element}" if element else job] = _report(row)
        return Told(self._explained(reports))

    def finished(self, ids: Sequence[str]) -> Told:
        # The queue forgets no job that lives: where the accounting cannot be read, a missing job is gone all the same.
        reports: dict[str, JobReport] = {}
        try:
            for job in ids:
                number, _, element = job.partition(".")
                rows = self._records(self.ask("history", "-j", number, *(("-t", element) if element else ())))
                reports |= {key: report for key, report in map(_from_qacct, rows) if key.partition(".")[0] == number}
        except NoAnswer:
            pass
        return Told(reports)

    def find(self, job_name: str, since: float) -> list[str]:
        answer = self.ask("status", "-xml", "-u", _me())
        jobs = _jobs(answer)
        if jobs is None:
            raise self.fault(answer, certain=False)
        if found := [job for job, _, row in jobs if row.findtext("JB_name") == job_name]:
            return list(dict.fromkeys(found))
        try:
            answer = self.ask("history", "-o", _me(), "-j", job_name)
        except NotStarted:
            return []
        rows = [row for row in self._records(answer) if row.get("jobname") == job_name and "jobnumber" in row]
        return list(dict.fromkeys(row["jobnumber"] for row in rows))

    def interrupt(self, ids: Sequence[str]) -> None:
        # The scripts say -notify: qdel itself sends USR2 first, which they take for TERM, and KILL a good while later.
        self.call_off(ids)

    def _explained(self, reports: dict[str, JobReport]) -> dict[str, JobReport]:
        """With the batch system's own words for why jobs wait or could not be started, where it tells them."""
        waits = [job for job, report in reports.items() if report.status is JobStatus.QUEUED or "E" in report.raw]
        if not waits:
            return reports
        try:
            answer = self.ask("status", "-j", ",".join(sorted({job.partition(".")[0] for job in waits})))
        except NoAnswer:
            return reports
        told = causes(answer.stdout)
        for job in waits:
            why, cause = reports[job].why, told.get(job.partition(".")[0], "")
            reports[job] = replace(reports[job], why=": ".join(part for part in (why, cause) if part))
        return reports

    def _records(self, answer: Answer) -> list[dict[str, str]]:
        """The records that qacct prints; none if it knows no such job, or if there is no accounting here."""
        if answer.returncode and re.search("not found|No such file", answer.words):
            return []
        before, *blocks = re.split(r"^=+$", answer.stdout, flags=re.M)
        if answer.returncode or (before.strip() and not blocks):
            raise self.fault(answer, certain=False)
        pairs = [[[*line.split(None, 1), ""][:2] for line in block.splitlines() if line.strip()] for block in blocks]
        return [{name: value.strip() for name, value in lines} for lines in pairs]


def _me() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in a container the account may be unknown
        return str(os.geteuid())


def _jobs(answer: Answer) -> list[tuple[str, str, Element]] | None:
    """Id, element of an array (or nothing), and row of each job that `qstat -xml` printed; None: not understood."""
    from xml.etree import ElementTree

    found = _QSTAT.search(answer.stdout)
    if answer.returncode or not found or "error" in answer.stderr.lower():
        return None
    try:
        rows = list(ElementTree.fromstring(found[0]).iter("job_list"))
    except ElementTree.ParseError:
        return None
    jobs = [(row.findtext("JB_job_number", ""), row.findtext("tasks", ""), row) for row in rows]
    return jobs if all(job.isdecimal() for job, _, _ in jobs) else None


def _report(row: Element) -> JobReport:
    letters = row.findtext("state", "")
    status, why = status_of(letters)
    return JobReport(status, raw=letters, why=why, nodes=row.findtext("queue_name", "").partition("@")[2])


def _from_qacct(record: Mapping[str, str]) -> tuple[str, JobReport]:
    job, element = record.get("jobnumber", ""), record.get("taskid", "")
    failed, _, _ = record.get("failed", "").partition(" ")
    status, code = ENDS.get(failed, JobStatus.FAILED), None
    exit_status, _, _ = record.get("exit_status", "").partition(" ")  # `137   (Killed)`
    if failed in RAN and exit_status.isdecimal():
        code = int(exit_status)
        status = JobStatus.FAILED if code and status is JobStatus.COMPLETED else status
    raw = f"failed {record.get('failed', '')}"
    nodes = record.get("hostname", "")
    return f"{job}.{element}" if element.isdecimal() else job, JobReport(status, raw, exit_code=code, nodes=nodes)
