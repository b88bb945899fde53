"""What squeue and sacct print, line by line (recorded: tests/batch/answers/)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.batch.slurm.states import HELD_REASONS, STATES, WHY_BY_STATE, sentence

# Of fixed width, since older versions know no other way, and reasons hold blanks and commas.
FIELDS = {"JobArrayID": 24, "State": 16, "exit_code": 12, "NodeList": 200, "Reason": 120}

ID = re.compile(r"\d+(?:_(?:\d+|\[.*\]))?")
"""Of a job, of an element (`20_4`), or of elements that have not started (`20_[0-3,7%2]`)."""
_TOGETHER = re.compile(r"(\d+)_\[([\d,:-]+)(?:\.\.\.)?(?:%\d+)?\]")
MOST_ELEMENTS = 100_000
"""More than this in one line is not taken apart (MaxArraySize is at most some millions, and 1001 as a rule)."""


def from_squeue(line: str) -> tuple[str, JobReport] | None:
    """The id and the report of a line of squeue's, or None if it is not one."""
    values, start = [], 0
    for width in FIELDS.values():
        values.append(line[start : start + width].strip())
        start += width
    job, state, code, nodes, reason = values
    # squeue gives the exit code as wait(2) does: 1792 is 7, 9 is signal 9
    status = int(code) if code.isdecimal() else None
    return _report(job, state, None if status is None else (status >> 8, status & 0x7F), nodes, reason)


def from_sacct(line: str) -> tuple[str, JobReport] | None:
    """The same of a line of sacct's: id, state, exit code and nodes between bars."""
    job, state, code, nodes = [*line.split("|"), "", "", ""][:4]
    pair = re.fullmatch(r"(\d+):(\d+)", code)
    nodes = "" if nodes == "None assigned" else nodes
    return _report(job, state, (int(pair[1]), int(pair[2])) if pair else None, nodes, "")


def _report(
    job: str, state: str, code: tuple[int, int] | None, nodes: str, reason: str
) -> tuple[str, JobReport] | None:
    """The id and the report of one line, or None if it is not one. `code`: exit code, signal."""
    if not (ID.fullmatch(job) and state):
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


def expanded(reports: Mapping[str, JobReport]) -> dict[str, JobReport]:
    """The reports with each element under its own id: sacct keeps those that never started in one line."""
    return {one: report for job, report in reports.items() for one in _elements(job)}


def _elements(job: str) -> list[str]:
    """`20_[0-2,7%2]` → 20_0, 20_1, 20_2, 20_7; any other id is itself. A list that was cut ends in `...`."""
    together = _TOGETHER.fullmatch(job)
    if not together:
        return [job]
    ranges = [found for part in together[2].split(",") if (found := re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part))]
    every = [range(int(a), int(b or a) + 1, max(1, int(step or 1))) for a, b, step in (one.groups() for one in ranges)]
    if not 0 < sum(map(len, every)) <= MOST_ELEMENTS:
        return [job]
    return [f"{together[1]}_{index}" for indices in every for index in indices]
