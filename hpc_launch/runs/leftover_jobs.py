"""Jobs that a run which is over may have left in the batch system are called off, once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.report import JobStatus
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Record
from hpc_launch.runs import outcome
from hpc_launch.runs.directory import update_record
from hpc_launch.runs.job_ids import batch_system, find_by_name, reached_by, record_job_id
from hpc_launch.runs.settle import View

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


def cancel_leftover_jobs(views: Sequence[View]) -> list[View]:
    """Call off, once, what may be left of runs that are over: jobs beside a first one that is gone.

    The first job does it too, where the site lets it and if it gets to it. What fails is tried at the next look. Of a
    run that was taken back its first job is called off, too. A job of which no id is known is looked for by its name,
    as long as one may come up: a submission that was given up may yet have been heard.
    """
    together: dict[str, list[int]] = {}
    for number, view in enumerate(views):
        record = view.record
        if view.final and view.standing.understood and may_have_left_jobs(record):
            together.setdefault(reached_by(record), []).append(number)
    result = list(views)
    for numbers in together.values():
        with suppress(HpcLaunchError):
            system = batch_system(views[numbers[0]].record)
            for n in numbers:
                result[n] = replace(views[n], record=_record_ids_found(system, views[n].directory, views[n].record))
            if others := [job for n in numbers for job in _left_over(result[n].record)]:
                system.withdraw(others)
            for n in numbers:
                if not (result[n].record.missing and outcome.is_young(result[n].record, datetime.now(timezone.utc))):
                    result[n] = replace(result[n], record=_recorded_as_withdrawn(result[n].directory, result[n].record))
    return result


def may_have_left_jobs(record: Record) -> bool:
    """Whether jobs of a run that is over may live: those beside the first one, all of one that was taken back."""
    has_others = len(record.jobs) > 1 and bool(record.job_ids)
    return not record.withdrawn and (has_others or bool(record.taken_back))


def _left_over(record: Record) -> list[str]:
    """The jobs of a run that is over which may live."""
    return record.job_ids if record.taken_back else record.worker_ids


def _record_ids_found(system: BatchSystem, directory: Path, record: Record) -> Record:
    """Look by their names for the jobs of which no id is known. Raises NoAnswer."""
    for job in record.missing:
        found = find_by_name(system, record, job.job_name)
        if isinstance(found, str):
            record = record_job_id(directory, record, job.name, found)
        elif found.status is JobStatus.UNKNOWN:
            raise NoAnswer(found.raw)
    return record


def _recorded_as_withdrawn(directory: Path, record: Record) -> Record:
    now = datetime.now(timezone.utc)
    with suppress(OSError, HpcLaunchError):
        return update_record(directory, lambda current: replace(current, withdrawn=now))
    return record
