"""What qstat and qacct print (recorded: tests/batch/answers/sge/)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hpc_launch.batch.command import Answer
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.batch.sge_words import ENDS, RAN, status_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_QSTAT = re.compile(r"<\?xml .*</job_info>", re.S)


def jobs_of(answer: Answer) -> list[tuple[str, str, Element]] | None:
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


def described(answer: Answer) -> set[str]:
    """The numbers of the jobs that `qstat -j` describes."""
    return set(re.findall(r"^job_number: +(\d+)", answer.stdout, re.M))


def denied(answer: Answer) -> set[str]:
    """The numbers or names of which `qstat -j` says that there are no such jobs: all that it was asked for, or none."""
    found = re.search(r"^Following jobs do not exist:(.*)", answer.stderr, re.M | re.S)
    return set(re.split(r"[,\s]+", found[1].strip())) if found and not described(answer) else set()


def from_qstat(row: Element) -> JobReport:
    """What a row of qstat's says."""
    letters = row.findtext("state", "")
    status, why = status_of(letters)
    return JobReport(status, raw=letters, why=why, nodes=row.findtext("queue_name", "").partition("@")[2])


def records(text: str) -> list[dict[str, str]] | None:
    """The records that qacct printed, one of each job, element or parallel task; None: not understood."""
    before, *blocks = re.split(r"^=+$", text, flags=re.M)
    if before.strip() and not blocks:
        return None
    pairs = [[[*line.split(None, 1), ""][:2] for line in block.splitlines() if line.strip()] for block in blocks]
    return [{name: value.strip() for name, value in lines} for lines in pairs]


def from_qacct(record: Mapping[str, str]) -> tuple[str, JobReport]:
    """The id (of an element, `2.3`) and the report in one of qacct's records."""
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
