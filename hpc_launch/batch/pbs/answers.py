"""What qstat -f prints, as JSON and as text (a recording: tests/batch/answers/pbs/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hpc_launch.batch.pbs.states import ARRAY_COUNTS, HOLDS, OVER, OWN_CODES, STATES, SUSPENDED, sentence
from hpc_launch.batch.report import JobReport, JobStatus, summary

Fields = Mapping[str, Any]
"""Attributes of a job as qstat names them. Numbers may be texts, and texts that look like numbers are numbers."""


def from_json(text: str) -> dict[str, Fields] | None:
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


def from_text(text: str) -> dict[str, Fields] | None:
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


def by_id(jobs: Mapping[str, Fields], ids: Sequence[str]) -> dict[str, JobReport]:
    """Reports under the ids that were asked for: the server's part of an id may be written shorter."""
    asked = {job.partition(".")[0]: job for job in ids}
    # An array's own exit status is that of the element that ended last, whatever the others did.
    begun = {fields.get("array_id") for fields in jobs.values()}
    return {asked.get(job.partition(".")[0], job): report(fields) for job, fields in jobs.items() if job not in begun}


def report(fields: Fields) -> JobReport:
    """What qstat's attributes say of a job, or of an array."""
    if (counted := _counts(fields)) and fields.get("job_state") not in OVER:
        return _array(fields, counted)
    return _job(fields)


def _job(fields: Fields) -> JobReport:
    letter = str(fields.get("job_state", ""))
    comment = str(fields.get("comment", ""))
    hosts = dict.fromkeys(part.partition("/")[0] for part in str(fields.get("exec_host", "")).split("+"))
    nodes = ",".join(host for host in hosts if host)
    if letter in OVER:
        return _ended(letter, fields, nodes)
    status = STATES.get(letter, JobStatus.UNKNOWN)
    why = sentence(comment) if status is JobStatus.QUEUED else SUSPENDED.get(letter, "")
    if status is JobStatus.HELD:
        hold = "d" if fields.get("depend") else str(fields.get("Hold_Types", ""))[:1]
        why = HOLDS.get(hold, sentence(comment))
    return JobReport(status, raw=letter or "no job_state", why=why, nodes=nodes)


def _counts(fields: Fields) -> dict[str, int]:
    """How many elements an array has of each kind: `Queued:2 Running:2 Exiting:0 Expired:0`."""
    counted = re.findall(r"(\w+):(\d{1,9})(?!\d)", str(fields.get("array_state_count", "")))
    return {word: int(number) for word, number in counted if int(number)}


def _array(fields: Fields, counted: Mapping[str, int]) -> JobReport:
    """The report of an array that is not over: its own letter says too little once it has begun."""
    own = _job(fields)
    waiting = own if own.status in (JobStatus.HELD, JobStatus.QUEUED) else replace(own, status=JobStatus.QUEUED)
    kinds = {kind: replace(own, status=status) for kind, status in ARRAY_COUNTS.items()} | {"Queued": waiting}
    unknown = replace(own, status=JobStatus.UNKNOWN)
    each = [(kinds.get(word, unknown), number) for word, number in counted.items()]
    first = summary([report for report, _ in each])
    if first is None or own.status is JobStatus.UNKNOWN:
        return own
    elements: dict[str, int] = {}
    for report, number in each:
        elements[report.status.value] = elements.get(report.status.value, 0) + number
    # all over, and still there: it is about to end, and how is not known before
    return replace(first, status=JobStatus.ENDING if first.status.over else first.status, elements=elements)


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
        status = OWN_CODES.get(code, status)
    elif fields.get("array") != "True":
        exit_code = code - 128 if code > 256 else code
    if code == 0 and substate in ("", "92"):
        status = JobStatus.COMPLETED
    return JobReport(status, raw=raw, exit_code=exit_code, nodes=nodes)
