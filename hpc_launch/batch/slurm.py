"""Slurm, from 17.11 on. What its commands answer was recorded from a real 22.05: tests/batch/answers/."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.report import JobReport, JobStatus, Told
from hpc_launch.batch.slurm_words import HELD_REASONS, STATES, WHY_BY_STATE, sentence

# Of fixed width, since older versions know no other way, and reasons hold blanks and commas.
FIELDS = {"JobArrayID": 24, "State": 16, "exit_code": 12, "NodeList": 200, "Reason": 120}
HISTORY = ("-n", "-P", "-X")  # no header, fields apart, no steps
_JOB_ID = re.compile(r"(?:sbatch:\s*)?(?:Submitted batch job\s+)?([1-9]\d*)(?:;[\w.-]+|\s+on cluster \S+)?", re.I)
_ID = re.compile(r"\d+(?:_(?:\d+|\[.*\]))?")


class Slurm(BatchSystem):
    name = "slurm"
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("sbatch",),
        "status": ("squeue",),
        "cancel": ("scancel",),
        "history": ("sacct",),
        "cluster": ("scontrol", "show", "config"),
    }
    needed = ("SLURM_CONF",)
    refusal = re.compile(r"^(?:sbatch|scancel): (?:error|fatal):|unrecognized option|invalid option", re.M)
    unreachable = re.compile(
        "unable to contact|timed out|zero bytes were transmitted|message receive failure|communication|"
        "connection (?:refused|reset)|authentication|munge|unexpected message|standby mode|"
        "configuration source|temporarily un|try again|not responding",
        re.I,
    )
    chatter = re.compile("CLUSTER: ")  # where a site's command holds --clusters
    harmless = re.compile("Invalid job id specified|already completing or completed", re.I)

    def submit_command(self, file: str, job_name: str) -> list[str]:
        # the name on the command line wins over the script's
        return [*self.commands["submit"], "--parsable", f"--job-name={job_name}", file]

    def job_id(self, text: str) -> str | None:
        # `36`, `36;cluster`, `Submitted batch job 36`, on a line of its own; sites print greetings around it
        found = [match for line in text.splitlines() if (match := _JOB_ID.fullmatch(line.strip()))]
        plain = [match for match in found if "submitted" in match[0].lower()]
        return (plain or found)[-1][1] if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        # A single id that squeue does not know (any more) is an error to it, one given twice is not.
        some = [*ids, *ids] if len(ids) == 1 else ids
        shape = ",".join(f"{field}:{width}" for field, width in FIELDS.items())
        answer = self.ask(
            "status", "--noheader", "--states=all", "--array", f"--jobs={','.join(some)}", f"--Format={shape}"
        )
        return self.told(answer, _from_squeue)

    def finished(self, ids: Sequence[str]) -> Told:
        fields = "JobID,State,ExitCode,NodeList"
        try:
            answer = self.ask("history", *HISTORY, "-o", fields, f"--jobs={','.join(ids)}")
        except NotStarted:
            return Told({})
        return Told({}) if _no_accounting(answer.words) else self.told(answer, _from_sacct)

    def find(self, job_name: str, since: float) -> list[str]:
        me = str(os.geteuid())
        one = (f"--user={me}", f"--name={job_name}")
        answer = self.ask("status", "--noheader", "--states=all", *one, "--format=%i %j")
        if found := self._named(answer, job_name):
            return found
        minutes = max(0, int(time.time() - since) // 60) + 10  # relative: no time zone can come between
        start = f"now-{minutes}minutes"
        try:
            answer = self.ask("history", *HISTORY, "--delimiter= ", "-o", "JobID,JobName", "-S", start, *one)
        except NotStarted:
            return []
        return [] if _no_accounting(answer.words) else self._named(answer, job_name)

    def interrupt(self, ids: Sequence[str]) -> None:
        # A plain scancel sends TERM to the steps, but to the batch shell KILL only. With a queued job this
        # command would try again for a minute and a half, hence --state.
        self.call_off(ids, "--batch", "--signal=TERM", "--state=RUNNING")

    def cluster_name(self) -> str | None:
        try:  # with no configuration it looks for one for a minute
            answer = self.ask("cluster", timeout=min(10.0, self.timeout))
        except NoAnswer:
            return None
        found = re.search(r"^ClusterName\s*=\s*(\S+)", answer.stdout, re.M)
        return found[1] if found and answer.returncode == 0 else None

    def _named(self, answer: Answer, job_name: str) -> list[str]:
        """The ids in lines of id and name; an array's own for its elements."""
        rows = [line.strip().partition(" ") for line in self.lines(answer)]
        if answer.returncode or not all(_ID.fullmatch(job) for job, _, _ in rows):
            raise self.fault(answer, certain=False)
        return list(dict.fromkeys(job.partition("_")[0] for job, _, name in rows if name.strip() == job_name))


def _no_accounting(words: str) -> bool:
    return "accounting storage is disabled" in words.lower()


def _from_squeue(line: str) -> tuple[str, JobReport] | None:
    values, start = [], 0
    for width in FIELDS.values():
        values.append(line[start : start + width].strip())
        start += width
    job, state, code, nodes, reason = values
    # squeue gives the exit code as wait(2) does: 1792 is 7, 9 is signal 9
    status = int(code) if code.isdecimal() else None
    return _report(job, state, None if status is None else (status >> 8, status & 0x7F), nodes, reason)


def _from_sacct(line: str) -> tuple[str, JobReport] | None:
    job, state, code, nodes = [*line.split("|"), "", "", ""][:4]
    pair = re.fullmatch(r"(\d+):(\d+)", code)
    nodes = "" if nodes == "None assigned" else nodes
    return _report(job, state, (int(pair[1]), int(pair[2])) if pair else None, nodes, "")


def _report(
    job: str, state: str, code: tuple[int, int] | None, nodes: str, reason: str
) -> tuple[str, JobReport] | None:
    """The id and the report of one line, or None if it is not one. `code`: exit code, signal."""
    if not (_ID.fullmatch(job) and state):
        return None
    word = (state.split() or [""])[0].rstrip("+").upper()  # `CANCELLED by 1234`
    status = STATES.get(word, JobStatus.UNKNOWN)
    if status is JobStatus.QUEUED and reason in HELD_REASONS:
        status = JobStatus.HELD
    waits = status in (JobStatus.QUEUED, JobStatus.HELD)
    why = WHY_BY_STATE.get(word) or (sentence(reason) if waits else "")
    exit_code = None
    # only these have one of their own; a job that never had a node cannot
    if code and nodes and status in (JobStatus.COMPLETED, JobStatus.FAILED):
        exit_code = 128 + code[1] if code[1] else code[0]
        status = JobStatus.FAILED if exit_code else status
    return job, JobReport(status, raw=state, why=why, exit_code=exit_code, nodes=nodes)
