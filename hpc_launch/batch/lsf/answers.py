"""What bjobs prints, line by line: LSF 10's fields, and the columns of what descends from LSF 4."""

from __future__ import annotations

import re

from hpc_launch.batch.lsf.states import CAUSES, STATES, WHY_BY_STATE, sentence
from hpc_launch.batch.report import JobReport, JobStatus

FIELDS = ("jobid", "jobindex", "stat", "exit_code", "exit_reason", "exec_host", "job_name", "pend_reason")
"""Of `bjobs -o`; the last one may hold any text."""


def from_fields(line: str) -> tuple[str, str, JobReport] | None:
    """Id, name and report of a line of these fields, or None if it is not one. An element's id is `2[3]`."""
    values = line.split("|", len(FIELDS) - 1)
    if len(values) < len(FIELDS):
        return None
    job, index, state, code, cause, hosts, name, reason = (value.strip().removesuffix("-") for value in values)
    return _row(job, index, state, code, cause, hosts, name, reason)


def from_columns(line: str) -> tuple[str, str, JobReport] | None:
    """The same of a line of `bjobs -w`, where the name may hold blanks.

    Elements have the array's id there, and the name `w[3]`: bsub takes brackets in a name for an array.
    """
    values = line.split(None, 7)
    if len(values) < 8:
        return None
    job, _, state, _, _, hosts, name, _ = values
    index = re.search(r"\[(\d+)\]$", name)
    return _row(job, index[1] if index else "", state, "", "", hosts.strip("-"), name, "")


def reasons(text: str) -> dict[str, str]:
    """Why jobs wait, in what `bjobs -p` printed: the array's id or the job's own → its reasons.

    They stand below the job's line, each on one that begins with a blank; of an array each element has the same.
    """
    told: dict[str, str] = {}
    job = ""
    for line in text.splitlines():
        if found := re.match(r"([1-9]\d*)\s", line):
            job = found[1]
            told.pop(job, None)
        elif job and line[:1].isspace() and line.strip():
            told[job] = " ".join(part for part in (told.get(job, ""), line.strip()) if part)
    return told


def _row(
    job: str, index: str, state: str, code: str, cause: str, hosts: str, name: str, reason: str
) -> tuple[str, str, JobReport] | None:
    if not re.fullmatch(r"[1-9]\d*", job) or not re.fullmatch(r"[A-Z_]+", state):
        return None
    if index.isdecimal() and int(index):
        job = f"{job}[{index}]"
    status = STATES.get(state, JobStatus.UNKNOWN)
    if status is JobStatus.FAILED:
        status = CAUSES.get(cause.partition(":")[0], status)
    exit_code = int(code) if code.isdecimal() and status in (JobStatus.COMPLETED, JobStatus.FAILED) else None
    if exit_code:
        status = JobStatus.FAILED
    why = WHY_BY_STATE.get(state, "")
    if status is JobStatus.QUEUED:
        why = sentence(reason)
    # `4*c012:8*c013`, and in OpenLava each host once for each slot
    nodes = ":".join(dict.fromkeys(re.sub(r"^\d+\*", "", host) for host in hosts.split(":")))
    raw = f"{state} ({cause})" if cause else state
    return job, name.partition("[")[0], JobReport(status, raw=raw, why=why, exit_code=exit_code, nodes=nodes)
