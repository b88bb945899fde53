"""PBS Pro and OpenPBS, by `select=`. Answers, exit codes and states were recorded from a real OpenPBS 23.06."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.environment import environment
from hpc_launch.batch.pbs_words import HOLDS, OVER, STATES, sentence
from hpc_launch.batch.report import JobReport, JobStatus, Told

_JOB_ID = re.compile(r"\d+(?:\[\d*\])?\.[A-Za-z][\w.-]*")
# Without history a finished job is unknown (exit code 153), with it qstat wants -x (35). Both: not in the queue.
_NOT_QUEUED = re.compile(r"unknown job id|job has finished", re.I)
_NO_HISTORY = re.compile("not configured to maintain job history", re.I)

Fields = Mapping[str, Any]
"""Attributes of a job as qstat names them. Numbers may be texts, and texts that look like numbers are numbers."""


class Pbs(BatchSystem):
    name = "pbs"
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("qsub",),
        "status": ("qstat",),
        "cancel": ("qdel",),
        "signal": ("qsig",),
        "find": ("qselect",),
    }
    needed = ("PBS_CONF_FILE", "PBS_SERVER")
    refusal = re.compile(r"^(?:qsub|qdel|qsig): ", re.M)
    unreachable = re.compile(
        "cannot connect|connection (?:refused|reset|timed out)|timed out|errno=150(?:10|31)|communication|"
        "end of file|no route|authentication|munge|temporarily|try again|not responding|server is shutting down",
        re.I,
    )
    harmless = re.compile("unknown job id|job has finished|request invalid for (?:finished|state of) job", re.I)

    def submit_command(self, file: str, job_name: str) -> list[str]:
        # the name on the command line wins over the script's
        return [*self.commands["submit"], "-N", job_name, file]

    def job_id(self, text: str) -> str | None:
        # `1.server`, of an array `0[].server`, on a line of its own; sites print greetings around it
        found = [line.strip() for line in text.splitlines() if _JOB_ID.fullmatch(line.strip())]
        return found[-1] if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        return self._asked(ids)

    def finished(self, ids: Sequence[str]) -> Told:
        return self._asked(ids, "-x")

    def find(self, job_name: str, since: float) -> list[str]:
        one = ("-u", environment("/", Path("/"))["USER"], "-N", job_name)
        answer = self.ask("find", "-x", *one)
        if _NO_HISTORY.search(answer.words):
            answer = self.ask("find", *one)
        found = [line.strip() for line in self.lines(answer)]
        if answer.returncode or not all(_JOB_ID.fullmatch(job) for job in found):
            raise self.fault(answer, certain=False)
        return found

    def interrupt(self, ids: Sequence[str]) -> None:
        # qdel sends TERM too, but KILL ten seconds later (kill_delay)
        self.checked(self.ask("signal", "-s", "TERM", *ids))

    def _asked(self, ids: Sequence[str], *history: str) -> Told:
        """What qstat tells of these jobs, and of their elements if they are arrays."""
        options = (*history, "-t", "-f")
        answer = self.ask("status", *options, "-F", "json", *ids)
        if history and _NO_HISTORY.search(answer.words):
            return Told({})
        jobs = _from_json(answer.stdout)
        if jobs is None:  # variables of a job can make it invalid (openpbs issues 1255, 2541)
            answer = self.ask("status", *options, *ids)
            jobs = _from_text(answer.stdout)
        doubt = "" if jobs is not None and _only_missing(answer) else str(self.fault(answer, certain=False))
        return Told(_by_id(jobs or {}, ids), doubt)


def _only_missing(answer: Answer) -> bool:
    """Whether all that the command complains about is that it does not know some of the jobs (any more)."""
    complaints = [line for line in answer.stderr.splitlines() if line.strip()]
    return all(_NOT_QUEUED.search(line) for line in complaints) and (answer.returncode == 0 or bool(complaints))


def _from_json(text: str) -> dict[str, Fields] | None:
    """Id → attributes, or None if this is not an answer of qstat's."""
    import json

    if not text.strip():
        return {}
    try:
        answer = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or "pbs_version" not in answer:
        return None
    jobs = answer.get("Jobs", {})  # there is no such key when there is no job
    sound = isinstance(jobs, dict) and all(isinstance(fields, dict) for fields in jobs.values())
    return jobs if sound else None


def _from_text(text: str) -> dict[str, Fields] | None:
    """The same of a plain `qstat -f`: blocks of `key = value`; a line goes on in one that begins with a tab."""
    jobs: dict[str, Fields] = {}
    fields: dict[str, str] = {}
    for line in text.replace("\n\t", "").splitlines():
        if line.startswith("Job Id: "):
            fields = jobs[line.removeprefix("Job Id: ").strip()] = {}
        elif line.strip():
            key, equals, value = line.partition(" = ")
            if not jobs or not equals:
                return None
            fields[key.strip()] = value
    return jobs


def _by_id(jobs: Mapping[str, Fields], ids: Sequence[str]) -> dict[str, JobReport]:
    """Reports under the ids that were asked for: the server's part of an id may be written shorter."""
    asked = {job.partition(".")[0]: job for job in ids}
    # An array's own exit status is that of the element that ended last, whatever the others did.
    begun = {fields.get("array_id") for fields in jobs.values()}
    return {asked.get(job.partition(".")[0], job): report(fields) for job, fields in jobs.items() if job not in begun}


def report(fields: Fields) -> JobReport:
    """What qstat's attributes say of a job."""
    letter = str(fields.get("job_state", ""))
    comment = str(fields.get("comment", ""))
    hosts = dict.fromkeys(part.partition("/")[0] for part in str(fields.get("exec_host", "")).split("+"))
    nodes = ",".join(host for host in hosts if host)
    if letter in OVER:
        return _ended(letter, fields, nodes)
    status = STATES.get(letter, JobStatus.UNKNOWN)
    why = sentence(comment) if status is JobStatus.QUEUED else ""
    if status is JobStatus.HELD:
        hold = "d" if fields.get("depend") else str(fields.get("Hold_Types", ""))[:1]
        why = HOLDS.get(hold, sentence(comment))
    return JobReport(status, raw=letter or "no job_state", why=why, nodes=nodes)


def _ended(letter: str, fields: Fields, nodes: str) -> JobReport:
    """How a job ended: exit status 256 + n is signal n, a negative one PBS's own (src/include/job.h)."""
    given, substate = str(fields.get("Exit_status", "")), str(fields.get("substate", ""))
    raw = f"{letter}, Exit_status {given or 'none'}, substate {substate or 'none'}"
    status, exit_code = JobStatus.FAILED, None
    code = int(given) if re.fullmatch(r"-?\d{1,9}", given) else None
    if substate == "91" or code == 271:  # deleted; ended by TERM, which is what qdel sends
        status = JobStatus.CANCELLED
    elif code is None:  # an element without history; a job whose dependency cannot come true vanishes like this
        status = JobStatus.GONE
    elif code < 0:
        status = {-29: JobStatus.TIMEOUT, -26: JobStatus.OUT_OF_MEMORY, -27: JobStatus.OUT_OF_MEMORY}.get(code, status)
    elif fields.get("array") != "True":
        exit_code = code - 128 if code > 256 else code
    if code == 0 and substate in ("", "92"):
        status = JobStatus.COMPLETED
    return JobReport(status, raw=raw, exit_code=exit_code, nodes=nodes)
