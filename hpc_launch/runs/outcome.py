"""How a run stands: from what the job left behind, what the batch system says, and what we did ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.models.record import Outcome, Record, RecordedJob
from hpc_launch.runs.evidence import Evidence

SUBMITTING_FOR = timedelta(minutes=2)
"""A submit command may take a minute, then the job is looked for; later nobody waits for an answer."""
EXACT = {JobStatus.PREEMPTED, JobStatus.TIMEOUT, JobStatus.NODE_FAILURE, JobStatus.OUT_OF_MEMORY}
"""Ends of which the job itself sees a TERM at most."""
NOT_ASKED = JobReport(JobStatus.UNKNOWN, raw="it was not asked")


@dataclass(frozen=True)
class Standing:
    """Where a run stands."""

    state: str
    """As design and `status` name it; the outcome's word once the run is over."""
    outcome: str | None = None
    exit_code: int | None = None
    """The workload's own for `succeeded` and `failed`, otherwise 1; None until the run is over."""
    reason: str = ""
    """Why it ended so."""
    why: str = ""
    """Why it is not further: why queued, what it waits for, or what came instead of an answer."""
    attempt: int | None = None
    source: str = ""
    """Who said so: `job`, the name of the batch system, or `hpc-launch`."""
    settled: bool = True
    """Whether nothing can come that would change it. State files may arrive late on a network file system."""
    doubt: str = ""
    """Of a run that told its end: what came in place of the batch system's word. The job may be queued again."""

    @property
    def over(self) -> bool:
        return self.outcome is not None

    @property
    def understood(self) -> bool:
        """Whether the outcome, if any, is a word of this version. A later one's is shown, and nothing done about it."""
        return self.outcome is None or self.outcome in get_args(Outcome)


def decide(evidence: Evidence, reports: Mapping[str, JobReport], record: Record, now: datetime) -> Standing:
    """Where the run stands. Nothing is read, asked or waited for here.

    Args:
        evidence: of the newest attempt; read before the batch system was asked.
        reports: name of the job in the record → what the batch system said. A job without an id, and not
            found by its name: `gone`. A job that is missing here: it was not asked.
        record: what was submitted, and what is certain already.
        now: with a time zone.
    """
    if not needs_asking(evidence, record):
        return _latched(record) if _is_latched(evidence, record) else _told(evidence)
    main = record.main
    report = reports.get(main.name, NOT_ASKED)
    if report.status is JobStatus.UNKNOWN:
        return _not_answered(evidence, report, record)
    if report.status in (JobStatus.QUEUED, JobStatus.HELD):
        # also when an attempt has begun, or ended by a TERM: the job was put back into the queue
        return Standing("queued", why=report.why or report.raw, attempt=evidence.attempt)
    if not report.status.over:
        return _active(evidence, reports, record)
    if evidence.told:
        return _ended(evidence, report, record)
    return _silent(evidence, report, record, main, now)


def needs_asking(evidence: Evidence, record: Record) -> bool:
    """Whether the batch system has a word in it: not when the run told its outcome and that all is gone.

    `cancelled` is what the job tells of any TERM. If it was not our cancel, the batch system may know better.
    """
    if _is_latched(evidence, record):
        return False
    certain = evidence.told and (evidence.told.outcome != "cancelled" or record.cancel_requested)
    return not (certain and evidence.ended is not None)


def _is_latched(evidence: Evidence, record: Record) -> bool:
    """The record's outcome holds, unless the job was started once more after it."""
    return record.outcome is not None and (evidence.attempt or 0) <= (record.outcome.attempt or 0)


def _latched(record: Record) -> Standing:
    assert record.outcome is not None
    end = record.outcome
    return Standing(end.outcome, end.outcome, end.exit_code, end.reason, attempt=end.attempt, source=end.source)


def _over(
    outcome: str, evidence: Evidence, source: str, reason: str = "", exit_code: int = 1, settled: bool = True
) -> Standing:
    return Standing(outcome, outcome, exit_code, reason, attempt=evidence.attempt, source=source, settled=settled)


def _told(evidence: Evidence, settled: bool = True) -> Standing:
    told = evidence.told
    assert told is not None
    code = told.exit_code if told.outcome in ("succeeded", "failed") else 1
    return _over(told.outcome, evidence, "job", told.reason, code, settled)


def _not_answered(evidence: Evidence, report: JobReport, record: Record) -> Standing:
    said = " ".join(report.raw.split()) or "it did not answer"
    if evidence.told and evidence.ended is not None:
        return replace(_told(evidence, settled=False), doubt=said)
    return Standing("unknown", why=f"{record.batch_system}: {said}", attempt=evidence.attempt)


def _active(evidence: Evidence, reports: Mapping[str, JobReport], record: Record) -> Standing:
    report = reports[record.main.name]
    if evidence.told or evidence.ending is not None or report.status is JobStatus.ENDING:
        return Standing("ending", attempt=evidence.attempt)
    if evidence.workload is not None:
        return Standing("running", attempt=evidence.attempt)
    return Standing("starting", why=_what_it_waits_for(evidence, reports, record), attempt=evidence.attempt)


def _what_it_waits_for(evidence: Evidence, reports: Mapping[str, JobReport], record: Record) -> str:
    if evidence.unfit:
        return "; ".join(f"{node} cannot be used: {cause}" for node, cause in evidence.unfit.items())
    if evidence.attempt is None:
        return "the job has not written anything yet"
    connected = evidence.progress.workers if evidence.progress else 0
    waits = f"{connected} of {record.plan.workers_wanted} workers connected, {record.plan.minimum} needed"
    others = {reports[job.name].why for job in record.worker_jobs if job.name in reports} - {""}
    return "; ".join([waits, *sorted(others)])


def _ended(evidence: Evidence, report: JobReport, record: Record) -> Standing:
    assert evidence.told is not None
    if evidence.told.outcome == "cancelled" and not record.cancel_requested and report.status in EXACT:
        return _over(report.status.value, evidence, record.batch_system, _word(report, record))
    return _told(evidence)


def _silent(evidence: Evidence, report: JobReport, record: Record, main: RecordedJob, now: datetime) -> Standing:
    """The job is over, or was never found, and told nothing."""
    if main.job_id is None and evidence.attempt is None:
        return _never_acknowledged(evidence, record, main, now)
    if report.status in EXACT or report.status is JobStatus.CANCELLED:
        return _over(report.status.value, evidence, record.batch_system, _word(report, record))
    if record.cancel_requested and report.status is not JobStatus.COMPLETED:
        return _over("cancelled", evidence, "hpc-launch", "as asked for by hpc-launch cancel")
    reason = f"{_word(report, record)}, but the job left no outcome in state/; see logs/job.log"
    return _over("lost", evidence, "hpc-launch", reason, settled=False)


def _never_acknowledged(evidence: Evidence, record: Record, main: RecordedJob, now: datetime) -> Standing:
    if record.cancel_requested is None and now - record.created < SUBMITTING_FOR:
        return Standing("submitting", why=f"{record.batch_system} has not said yet whether it took the job")
    reason = f"{record.batch_system} never confirmed the job, and knows none named {main.job_name}"
    outcome = "cancelled" if record.cancel_requested else "launch-failed"
    return _over(outcome, evidence, "hpc-launch", reason, settled=False)


def _word(report: JobReport, record: Record) -> str:
    if report.status is JobStatus.GONE:
        return f"{record.batch_system} does not know the job any more"
    code = "" if report.exit_code is None else f", exit code {report.exit_code}"
    return f"{record.batch_system} says {report.raw or report.status.value}{code}"
