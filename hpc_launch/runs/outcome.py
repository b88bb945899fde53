"""How a run stands: from what the job left behind, what the batch system says, and what we did ourselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import get_args

from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.models.record import Outcome, Record, RecordedJob
from hpc_launch.runs.evidence import Evidence

STATES = (
    *("submitting", "queued", "starting", "running", "suspended", "ending"),
    *get_args(Outcome),
    *("unknown", "refused"),
)
"""All that `list` may say of a run."""
SUBMITTING_FOR = timedelta(minutes=2)
"""A submit command may take a minute, then the job is looked for; later nobody waits for an answer."""
EXACT = {JobStatus.PREEMPTED, JobStatus.TIMEOUT, JobStatus.NODE_FAILURE, JobStatus.OUT_OF_MEMORY}
"""Ends of which the job itself sees a TERM at most."""
UNSEEN = "the node cannot see the run directory: is storage.runs shared by all nodes?"
NEVER_BEGAN = {
    66: UNSEEN,
    128 + 53: UNSEEN,  # Slurm's for a job whose output file cannot be opened (seen with 22.05)
    73: "the job could not write to the run directory: is there no space left, or a quota used up?",
}
"""What our scripts end with before they can tell anything in `state/` (parts/run-directory.sh, jobside/attempt.sh)."""
VANISHED = (
    "it was ended before that (deleted while it was queued, or rejected by the queue that it was passed on to), or its"
    " node cannot see the run directory: is storage.runs shared by all nodes?"
)
"""What becomes of a job of which nobody knows anything any more."""
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
    hint: str = ""
    """What to do about it, or to know of it, in one sentence."""
    source: str = ""
    """Who said so: `job`, the name of the batch system, or `hpc-launch`."""
    settled: bool = True
    """Whether nothing can come that would change it. State files may arrive late on a network file system."""
    taken_back: bool = False
    """Whether it is over since not all of its jobs were submitted: its first job may live, and has to be ended."""
    doubt: str = ""
    """Of a run that told its end: what came in place of the batch system's word. The job may be queued again."""

    @property
    def over(self) -> bool:
        return self.outcome is not None

    @property
    def understood(self) -> bool:
        """Whether the outcome, if any, is a word of this version. A later one's is shown, and nothing done about it."""
        return self.outcome is None or self.outcome in get_args(Outcome)


def decide(
    evidence: Evidence, reports: Mapping[str, JobReport], record: Record, now: datetime, submitting: bool | None = None
) -> Standing:
    """Where the run stands. Nothing is read, asked or waited for here.

    Args:
        evidence: of the newest attempt; read before the batch system was asked.
        reports: name of the job in the record → what the batch system said. A job without an id, and not
            found by its name: `gone`. A job that is missing here: it was not asked.
        record: what was submitted, and what is certain already.
        now: with a time zone.
        submitting: whether further jobs of the run may still be submitted; None: only its age tells.
    """
    if not needs_asking(evidence, record):
        return _latched(record) if _is_latched(evidence, record) else _told(evidence)
    submitting = is_young(record, now) if submitting is None else submitting
    main = record.main
    report = reports.get(main.name, NOT_ASKED)
    if report.status is JobStatus.UNKNOWN:
        return _not_answered(evidence, report, record)
    never = [] if submitting else _never_submitted(evidence, reports, record)
    if never and evidence.workload is None and evidence.told is None and (main.job_id or evidence.attempt):
        return _half_a_run(evidence, never)
    if report.status in (JobStatus.QUEUED, JobStatus.HELD):
        # also when an attempt has begun, or ended by a TERM: the job was put back into the queue
        return Standing("queued", why=report.why or report.raw, attempt=evidence.attempt)
    if not report.status.over:
        return _active(evidence, reports, record, never)
    if evidence.told:
        return _ended(evidence, report, record)
    return _silent(evidence, report, record, main, submitting)


def needs_asking(evidence: Evidence, record: Record) -> bool:
    """Whether the batch system has a word in it: not when the run told its outcome and that all is gone.

    `cancelled` is what the job tells of any TERM. If it was not our cancel, the batch system may know better.
    """
    if _is_latched(evidence, record):
        return False
    certain = evidence.told and (evidence.told.outcome != "cancelled" or record.cancel_requested)
    return not (certain and evidence.ended is not None)


def _is_latched(evidence: Evidence, record: Record) -> bool:
    """The record's outcome holds, unless the job was started once more after it.

    What was taken back stays so, too: its job may have started before it was ended. Only a workload
    that has ended by itself counts for more.
    """
    if record.outcome is None:
        return False
    told_to_end = evidence.told is not None and evidence.told.outcome == "cancelled"
    if record.taken_back and (evidence.workload is None or told_to_end):
        return True
    return (evidence.attempt or 0) <= (record.outcome.attempt or 0)


def is_young(record: Record, now: datetime) -> bool:
    """Whether, for all that the record tells, somebody may be submitting jobs of the run."""
    return now - max([record.created, *(job.submitted for job in record.jobs if job.submitted)]) < SUBMITTING_FOR


def _never_submitted(evidence: Evidence, reports: Mapping[str, JobReport], record: Record) -> list[RecordedJob]:
    """The jobs beside the first one that `submit` was to submit, and the batch system certainly does not have."""
    if evidence.progress and evidence.progress.workers and not record.worker_ids:
        return []  # whose workers would these be?
    if evidence.pools:
        return []  # the run's keeper submits what is missing
    sure = {name for name, report in reports.items() if report.status is JobStatus.GONE}
    return [job for job in record.worker_jobs if job.command and not job.job_id and job.name in sure]


def _half_a_run(evidence: Evidence, never: Sequence[RecordedJob]) -> Standing:
    reason = f"{_files(never)} never submitted: hpc-launch submit ended before that"
    return replace(_over("launch-failed", evidence, "hpc-launch", reason), taken_back=True)


def _files(jobs: Sequence[RecordedJob]) -> str:
    return " and ".join(job.file for job in jobs) + (" was" if len(jobs) == 1 else " were")


def _latched(record: Record) -> Standing:
    assert record.outcome is not None
    end = record.outcome
    reason = " ".join(end.reason.split())  # of an earlier version's refusal it has several lines
    about = Standing(end.outcome, end.outcome, end.exit_code, reason, attempt=end.attempt, source=end.source)
    return replace(about, hint=end.hint)


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


def _active(
    evidence: Evidence, reports: Mapping[str, JobReport], record: Record, never: Sequence[RecordedJob]
) -> Standing:
    report = reports[record.main.name]
    if evidence.told or evidence.ending is not None or report.status is JobStatus.ENDING:
        return Standing("ending", attempt=evidence.attempt)
    if report.status is JobStatus.SUSPENDED:
        return Standing("suspended", why=report.why or report.raw, attempt=evidence.attempt)
    if evidence.workload is not None:
        without = f"{_files(never)} never submitted, it runs without" if never else ""
        return Standing("running", why=without, attempt=evidence.attempt)
    return Standing("starting", why=_what_it_waits_for(evidence, reports, record), attempt=evidence.attempt)


def _what_it_waits_for(evidence: Evidence, reports: Mapping[str, JobReport], record: Record) -> str:
    if evidence.unfit:
        return "; ".join(f"{node} cannot be used: {cause}" for node, cause in evidence.unfit.items())
    if evidence.attempt is None:
        return "the job has not written anything yet"
    if not record.plan.minimum:
        return "its scheduler is starting" if record.plan.has_workers else "its workload is about to start"
    connected = evidence.progress.workers if evidence.progress else 0
    waits = f"{connected} of {record.plan.workers_wanted} workers connected, {record.plan.minimum} needed"
    theirs = [reports[job.name] for job in record.worker_jobs if job.name in reports]
    others = {report.why or NEVER_BEGAN.get(report.exit_code or 0, "") for report in theirs} - {""}
    return "; ".join([waits, *sorted(others)])


def _ended(evidence: Evidence, report: JobReport, record: Record) -> Standing:
    assert evidence.told is not None
    if evidence.told.outcome == "cancelled" and not record.cancel_requested and report.status in EXACT:
        return _over(report.status.value, evidence, record.batch_system, _word(report, record))
    return _told(evidence)


def _silent(evidence: Evidence, report: JobReport, record: Record, main: RecordedJob, submitting: bool) -> Standing:
    """The job is over, or was never found, and told nothing."""
    if main.job_id is None and evidence.attempt is None:
        return _never_acknowledged(evidence, record, main, submitting)
    if report.status in EXACT or report.status is JobStatus.CANCELLED:
        return _over(report.status.value, evidence, record.batch_system, _word(report, record))
    if record.cancel_requested and report.status is not JobStatus.COMPLETED:
        return _over("cancelled", evidence, "hpc-launch", "as asked for by hpc-launch cancel")
    if evidence.attempt is None and report.exit_code in NEVER_BEGAN:
        return _over("launch-failed", evidence, "hpc-launch", NEVER_BEGAN[report.exit_code], settled=False)
    if evidence.attempt is None and report.status is JobStatus.GONE and not evidence.full:
        reason = f"{_word(report, record)}, and it never began: {VANISHED}"
        return _over("launch-failed", evidence, "hpc-launch", reason, settled=False)
    cause = "no space is left in the run directory" if evidence.full else "the job left no outcome in state/"
    if evidence.attempt is None and not evidence.full:
        cause = "nothing of it is in the run directory: can its node see that, is storage.runs shared by all nodes?"
    more = f"; see {evidence.log}" if evidence.log else ""
    reason = f"{_word(report, record)}, but {cause}{more}"
    return _over("lost", evidence, "hpc-launch", reason, settled=False)


def _never_acknowledged(evidence: Evidence, record: Record, main: RecordedJob, submitting: bool) -> Standing:
    if record.cancel_requested is None and submitting:
        return Standing("submitting", why=f"{record.batch_system} has not said yet whether it took the job")
    reason = f"{record.batch_system} never confirmed the job, and knows none named {main.job_name}"
    outcome = "cancelled" if record.cancel_requested else "launch-failed"
    return _over(outcome, evidence, "hpc-launch", reason, settled=False)


def _word(report: JobReport, record: Record) -> str:
    if report.status is JobStatus.GONE:
        return f"{record.batch_system} does not know the job any more"
    code = "" if report.exit_code is None else f", exit code {report.exit_code}"
    node = f" of {report.nodes}" if report.status is JobStatus.NODE_FAILURE and report.nodes else ""
    return f"{record.batch_system} says {report.raw or report.status.value}{node}{code}"
