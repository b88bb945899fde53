"""LSF 10, and what descends from LSF 4 like OpenLava, of which a real one's answers were recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.lsf.answers import FIELDS, from_columns, from_fields, reasons
from hpc_launch.batch.lsf.dialect import DIALECT
from hpc_launch.batch.lsf.states import sentence
from hpc_launch.batch.report import JobReport, JobStatus, Told

if TYPE_CHECKING:
    from hpc_launch.batch.machine import Machine

_JOB_ID = re.compile(r"Job <([1-9]\d*)> is submitted to ")
# The exit code of a bjobs that knows none, or not all, of the jobs is the site's choice (lsf.conf(5),
# LSB_BJOBS_CONSISTENT_EXIT_CODE): only the words count.
_NOT_FOUND = re.compile(r"Job <([^>]+)> is not found|No (?:\w+ )?job found")
_NOT_STARTED = re.compile("Job has not started yet")


class Lsf(BatchSystem):
    name = "lsf"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("bsub",),
        "status": ("bjobs",),
        "cancel": ("bkill",),
        "cluster": ("lsid",),
    }
    needed = ("LSF_ENVDIR", "LSF_SERVERDIR", "LSF_BINDIR", "LSF_LIBDIR")
    refusal = re.compile(r"job not submitted|^job <[^>]+>: |invalid option|illegal option", re.I | re.M)
    # Without its daemons a client waits for ever, and says so: the time-out ends it.
    unreachable = re.compile(
        "still trying|not responding|lsf is down|library|cannot connect|connection|communication|timed? ?out|"
        "try again|please wait|slave lim|temporarily",
        re.I,
    )
    unconfigured = re.compile(r"unable to open file lsf\.conf|something missing in lsf\.conf", re.I)
    harmless = re.compile(
        "already finished|no matching job found|operation is in progress|is being (?:terminated|signaled)", re.I
    )
    cancel_speaks = True
    lists: ClassVar[Sequence[tuple[str, str]]] = (
        ("cannot use (?:the )?queue", "bqueues -u $USER"),
        ("queue", "bqueues"),
        ("reservation", "brsvs"),
        ("user group", "bugroup"),
    )
    chatter = re.compile(r"JOBID\s")
    naming = re.compile(r"^My cluster name is (\S+)", re.M)

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name on the command line wins over the script's, and with it the array, which is a part of it.
        # started(): that job runs, or has ended after it ran; the other conditions but exit wait for its end.
        several = array is not None and array > 1
        name = f"{job_name}[1-{array}]" if several else job_name
        waits = ["-w", f"started({after})"] if after else []
        output = ["-o", f"{log}{'-%I' if several else ''}.log"] if log else []
        command = [*self.commands["submit"], "-J", name, *output, *waits]
        # In a file that is named and not read from its input, bsub sees no #BSUB line; some sites want it all the same.
        return command if self.stdin else [*command, file]

    def job_id(self, text: str) -> str | None:
        # `Job <1> is submitted to default queue <normal>.`, perhaps after `Job is submitted to <a> project.`
        found = _JOB_ID.findall(text)
        return found[-1] if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        return self._told_of(lambda job, name, report: (job, report), ids)

    def find(self, job_name: str, since: float) -> list[str]:
        told = self._told_of(lambda job, name, report: (job if name == job_name else "", report), ["-J", job_name])
        if told.doubt:
            raise NoAnswer(told.doubt)
        return list(dict.fromkeys(job.partition("[")[0] for job in told.reports if job))

    def interrupt(self, ids: Sequence[str]) -> None:
        # A plain bkill begins with INT, and insists ten seconds later. Elements of an array may still wait.
        self.call_off(ids, "-s", "TERM", harmless=_NOT_STARTED)

    def survey(self) -> Machine:
        from hpc_launch.batch.lsf.survey import survey

        return survey(self)

    def _told_of(self, choose: Callable[[str, str, JobReport], tuple[str, JobReport]], which: Sequence[str]) -> Told:
        """What bjobs says of jobs; finished ones too, as long as it knows them (CLEAN_PERIOD, lsb.params(5))."""
        shape = f"{' '.join(FIELDS)} delimiter='|'"
        told = self._read(self.ask("status", "-a", "-noheader", "-o", shape, *which), which, from_fields, choose)
        if told.doubt:  # OpenLava and older LSF know no -o, or not all of these fields
            told = self._read(self.ask("status", "-a", "-w", *which), which, from_columns, choose)
            told = replace(told, reports=self._explained(told.reports))
        return told

    def _explained(self, reports: Mapping[str, JobReport]) -> dict[str, JobReport]:
        """With why jobs wait, which columns do not tell. Of an array that has begun nobody asks why the rest waits."""
        waits = {job for job, report in reports.items() if report.status is JobStatus.QUEUED}
        begun = {job.partition("[")[0] for job in reports.keys() - waits if not reports[job].status.over}
        asked = sorted({job.partition("[")[0] for job in waits} - begun)
        if not asked:
            return dict(reports)
        try:
            told = reasons(self.ask("status", "-p", *asked).stdout)
        except NoAnswer:
            return dict(reports)
        return {
            job: replace(report, why=sentence(told.get(job.partition("[")[0], ""))) if job in waits else report
            for job, report in reports.items()
        }

    def _read(
        self,
        answer: Answer,
        which: Sequence[str],
        read: Callable[[str], tuple[str, str, JobReport] | None],
        choose: Callable[[str, str, JobReport], tuple[str, JobReport]],
    ) -> Told:
        if not answer.words:  # a job that it does not know it always complains about
            return Told({}, str(self.fault(answer, certain=False)))
        complaints = [line for line in answer.stderr.splitlines() if line.strip()]
        if not (complaints and all(_NOT_FOUND.search(line) for line in complaints)):
            return self.told(answer, lambda line: choose(*row) if (row := read(line)) else None)
        answer = Answer(answer.command, 0, answer.stdout, "")
        told = self.told(answer, lambda line: choose(*row) if (row := read(line)) else None)
        named = {match[1] for line in complaints if (match := _NOT_FOUND.search(line))}
        none = None in named and not told.reports  # `No job found`, of all of them
        return Told(told.reports, told.doubt, frozenset(job for job in which if none or job in named))
