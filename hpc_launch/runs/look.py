"""What is read and heard of runs: state files, and what the batch systems say. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.batch import processes
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Record, RecordedJob
from hpc_launch.runs import evidence as state_files
from hpc_launch.runs import outcome
from hpc_launch.runs.evidence import Evidence
from hpc_launch.runs.job_ids import batch_system, find_by_name, reached_by, record_job_id
from hpc_launch.runs.submissions import take_in_submissions

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


@dataclass(frozen=True)
class Look:
    """What was read and heard of one run, nothing concluded yet."""

    directory: Path
    record: Record
    evidence: Evidence
    reports: Mapping[str, JobReport] = field(default_factory=dict)
    submitting: bool | None = None
    """Whether further jobs of the run may still be submitted; None: all of them were, or nobody looked."""

    @property
    def jobs(self) -> list[RecordedJob]:
        """Those that may live: of a worker job of which each element has told its end nobody needs to be asked."""
        return [job for job in self.record.jobs if not self.evidence.has_ended(job)]


def look(directory: Path, record: Record) -> Look:
    """Read the state files, and take into the record what the run's keeper has submitted since."""
    evidence = state_files.read(directory)
    record = take_in_submissions(directory, record, over=evidence.told is not None or record.outcome is not None)
    return Look(directory, record, evidence)


def ask(looks: Sequence[Look]) -> list[Look]:
    """Add what the batch systems say of each run's jobs, where they have a word in it. Never raises."""
    answered = list(looks)
    together: dict[str, list[int]] = {}
    for number, one in enumerate(looks):
        if outcome.needs_asking(one.evidence, one.record):
            together.setdefault(reached_by(one.record), []).append(number)
    for numbers in together.values():
        for number, one in zip(numbers, _ask_together([looks[n] for n in numbers]), strict=True):
            answered[number] = one
    return answered


def _ask_together(looks: Sequence[Look]) -> list[Look]:
    """Ask one batch system for all these runs at once."""
    try:
        system = batch_system(looks[0].record)
    except HpcLaunchError as fault:
        unknown = JobReport(JobStatus.UNKNOWN, raw=str(fault))
        return [replace(one, reports={job.name: unknown for job in one.record.jobs}) for one in looks]
    looks = [_find_missing(system, one) for one in looks]
    # The first jobs of all runs first: by them it is decided how a run stands, should there be too much to ask.
    jobs = sorted((job for one in looks for job in one.jobs), key=lambda job: job.role == "workers")
    ids = [job.job_id for job in jobs if job.job_id]
    arrays = {job.job_id: job.array for one in looks for job in one.jobs if job.job_id and job.array}
    said = system.states(ids, arrays) if ids else {}
    return [
        replace(one, reports={**one.reports, **{j.name: said[j.job_id] for j in one.jobs if j.job_id}}) for one in looks
    ]


def _find_missing(system: BatchSystem, one: Look) -> Look:
    """Look by their names for the jobs whose submission was never answered; keep the ids that are found."""
    if one.record.missing:  # looked at first: what is submitted until then is found
        one = replace(one, submitting=_may_submit(one.directory, one.record))
    for job in one.record.missing:
        found = find_by_name(system, one.record, job.job_name)
        if isinstance(found, str):
            one = replace(one, record=record_job_id(one.directory, one.record, job.name, found))
        else:
            one = replace(one, reports={**one.reports, job.name: found})
    return one


def _may_submit(directory: Path, record: Record) -> bool:
    """Whether jobs of the run may still be submitted: by the process that began it, or by a command that it left."""
    if not outcome.is_young(record, datetime.now(timezone.utc)):
        return False
    if record.submitter is None or processes.lives(record.submitter) is not False:
        return True
    return processes.works_in(str(directory.resolve()))
