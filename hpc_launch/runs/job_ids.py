"""The ids of a run's jobs: kept in its record, and found by the jobs' names where no answer came."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.batch import processes
from hpc_launch.batch.report import CLOCKS_DIFFER, JobReport, JobStatus
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Record
from hpc_launch.runs.directory import update_record

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


def batch_system(record: Record) -> BatchSystem:
    """The batch system that the run was submitted to."""
    from hpc_launch import batch

    kind = type(batch.get(record.batch_system))
    known = {purpose: words for purpose, words in record.commands.items() if purpose in kind.programs}
    return kind(known, record.submit_stdin)  # a later version may have commands for purposes of its own


def reached_by(record: Record) -> str:
    """What runs have in common whose jobs one call can speak of."""
    return json.dumps([record.batch_system, record.commands], sort_keys=True)


def find_by_name(system: BatchSystem, record: Record, job_name: str) -> str | JobReport:
    """The id of a job whose submission was never answered, or why there is none."""
    if there := elsewhere(system, record):
        return JobReport(
            JobStatus.UNKNOWN, raw=f"it was submitted on {there}, and this is {processes.host()}: ask there"
        )
    try:
        ids = system.find(job_name, record.created.timestamp() - CLOCKS_DIFFER)
    except HpcLaunchError as fault:
        return JobReport(JobStatus.UNKNOWN, raw=str(fault))
    if len(ids) > 1:
        return JobReport(JobStatus.UNKNOWN, raw=f"several jobs are named {job_name}: {', '.join(ids)}")
    return ids[0] if ids else JobReport(JobStatus.GONE)


def elsewhere(system: BatchSystem, record: Record) -> str | None:
    """The host on which the run was submitted, where its jobs can be seen on no other one, and this is another one."""
    there = processes.parts(record.submitter or "")[0]
    return there if system.of_one_host and there not in ("", processes.host()) else None


def record_job_id(directory: Path, record: Record, name: str, job_id: str) -> Record:
    """Keep the id of a job; gives the record with it, also if it could not be written, or not be read again."""
    try:
        return update_record(directory, lambda current: with_id(current, name, job_id))
    except (OSError, HpcLaunchError):  # the job is there: whoever submitted it has to hear its id
        return with_id(record, name, job_id)


def with_id(record: Record, name: str, job_id: str) -> Record:
    """The record in which this job has this id."""
    now = datetime.now(timezone.utc)
    jobs = tuple(
        replace(job, job_id=job_id, submitted=job.submitted or now) if job.name == name else job for job in record.jobs
    )
    return replace(record, jobs=jobs)
