"""How jobs of this machine and their elements stand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hpc_launch.batch import processes
from hpc_launch.batch.local.ledger import Ledger, Step
from hpc_launch.batch.report import JobReport, JobStatus


def index_of(job: str) -> int | None:
    """The index of an element, whose id is `JOB[INDEX]`; None: it is a job."""
    found = re.search(r"\[([0-9]{1,6})\]$", job)
    return int(found[1]) if found else None


def without_index(job: str) -> str:
    """The id of the job that an element is one of."""
    return job.partition("[")[0]


def ledger_of(job: str) -> Ledger | None:
    """Where it is told of the elements of a job that lives; None where it has none, or where it cannot be found."""
    _, pid, start, _ = processes.parts(job)
    with suppress(OSError):
        ledger = Ledger(Path(os.readlink(f"/proc/{pid}/cwd")), pid, start)
        return ledger if ledger.read() else None
    return None


def reports_on(job: str) -> dict[str, JobReport]:
    """What is to be told of a job, by ids: of each of its elements, where it has some and lives."""
    whole = without_index(job)
    there, *_ = processes.parts(whole)
    if (alive := processes.lives(whole)) is None:
        return {job: JobReport(JobStatus.UNKNOWN, raw=f"it runs on {there}, and this is {processes.host()}: ask there")}
    if not alive:
        return {job: JobReport(JobStatus.GONE)}  # how it ended only the run directory knows
    found = dict(_elements(whole, there))
    if job != whole:
        missing = JobReport(JobStatus.GONE) if found else JobReport(JobStatus.UNKNOWN, raw="it has not begun to tell")
        return {job: found.get(job, missing)}
    return found or {job: JobReport(JobStatus.RUNNING, raw="alive", nodes=there)}


def _elements(job: str, there: str) -> Iterator[tuple[str, JobReport]]:
    ledger = ledger_of(job)
    if ledger and (read := ledger.read()):
        number, at_once, steps = read
        for index, step in steps.items():
            yield f"{job}[{index}]" if number else job, _report(step, at_once, there)


def _report(step: Step, at_once: int, there: str) -> JobReport:
    if step.word == "begun":
        return JobReport(JobStatus.RUNNING, raw="alive", nodes=there)
    if step.word == "ended":
        status = JobStatus.FAILED if step.number else JobStatus.COMPLETED
        return JobReport(status, raw="ended", exit_code=step.number)
    if step.word == "cancelled":
        return JobReport(JobStatus.CANCELLED, raw="called off before it began")
    jobs = "one worker job runs" if at_once == 1 else f"{at_once} worker jobs run"
    return JobReport(JobStatus.QUEUED, raw="waits", why=f"{jobs} at once on this machine")
