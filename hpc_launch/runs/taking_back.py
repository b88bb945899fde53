"""A run that lacks one of its jobs is none: its end is told, then what was submitted of it is called off."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hpc_launch import security
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.report import CLOCKS_DIFFER
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Ending, Record, RecordedJob
from hpc_launch.runs.directory import update_record

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


def record_refusal(place: Path, source: str, fault: HpcLaunchError) -> None:
    """The batch system took none of the jobs; what it said is the end of the run."""
    end = _ending("launch-failed", fault.sentence, source, fault.hint)
    with suppress(OSError, HpcLaunchError):
        update_record(place, lambda record: replace(record, refused=fault.sentence, outcome=end))
    security.remove(place / "tls")


def take_back(
    system: BatchSystem,
    place: Path,
    record: Record,
    why: str,
    *,
    outcome: Literal["launch-failed", "cancelled"] = "launch-failed",
    source: str = "hpc-launch",
    refused: HpcLaunchError | None = None,
) -> None:
    """End a run of which not every job could be submitted. Raises nothing: the fault behind it is what is told.

    The record comes first: if this process is ended, too, or nobody answers, the next look at the run does the rest.

    Args:
        system: where it was submitted.
        place: the run directory.
        record: with the ids that are known; the one on the disk may lack some of them.
        why: one sentence, for the run's owner.
        outcome: how the run ended.
        source: who said so.
        refused: with which the batch system refused a job.
    """
    now = datetime.now(timezone.utc)
    end = _ending(outcome, why, source, refused.hint if refused else "")

    def taken_back(current: Record) -> Record:
        known = {job.name: job for job in record.jobs if job.job_id}
        jobs = tuple(known.get(job.name, job) for job in current.jobs)
        words = refused.sentence if refused else current.refused
        return replace(current, jobs=jobs, refused=words, taken_back=now, outcome=current.outcome or end)

    with suppress(OSError, HpcLaunchError):
        update_record(place, taken_back)
    security.remove(place / "tls")
    with suppress(HpcLaunchError):
        if record.job_ids:
            system.cancel(record.job_ids)


def look_for(system: BatchSystem, record: Record, job: RecordedJob) -> str | None:
    """The id of a job that may have been submitted although no answer came; None if it cannot be told."""
    try:
        ids = system.find(job.job_name, record.created.timestamp() - CLOCKS_DIFFER)
    except NoAnswer:
        return None
    return ids[0] if len(ids) == 1 else None


def _ending(outcome: Literal["launch-failed", "cancelled"], why: str, source: str, hint: str = "") -> Ending:
    now = datetime.now(timezone.utc)
    return Ending(outcome=outcome, exit_code=1, reason=why, source=source, decided=now, hint=hint)
