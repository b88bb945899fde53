"""What is known of runs just now: state files and batch system, looked at together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch import security
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Ending, Record
from hpc_launch.runs import evidence as state_files
from hpc_launch.runs import outcome
from hpc_launch.runs.directory import read_record, update_record
from hpc_launch.runs.evidence import Evidence
from hpc_launch.runs.outcome import Standing

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem

SETTLES_AFTER = timedelta(seconds=60)
"""So long a network file system may keep a file from us (NFS: acdirmax, nfs(5))."""
CLOCKS_DIFFER = 300.0
"""Seconds that our clock and the batch system's may be apart."""


@dataclass(frozen=True)
class View:
    """One look at a run."""

    directory: Path
    record: Record
    evidence: Evidence
    reports: Mapping[str, JobReport]
    """Name of a job in the record → what the batch system said; empty if it was not asked."""
    standing: Standing

    @property
    def final(self) -> bool:
        """Whether the run is over and nothing can come that would change how it ended."""
        return self.standing.over and self.standing.settled


def collect(directory: Path) -> View:
    """Look at one run; ask the batch system if that is needed.

    Raises:
        UsageError: the record cannot be read.
    """
    return collect_all([(directory, read_record(directory))])[0]


def collect_all(runs: Sequence[tuple[Path, Record]]) -> list[View]:
    """Look at several runs; each batch system is asked once for all of them, and once more for what they left."""
    return withdrawn([conclude(one) for one in ask([look(directory, record) for directory, record in runs])])


@dataclass(frozen=True)
class Look:
    """What was read and heard of one run, nothing concluded yet."""

    directory: Path
    record: Record
    evidence: Evidence
    reports: Mapping[str, JobReport] = field(default_factory=dict)


def look(directory: Path, record: Record) -> Look:
    """Read the state files."""
    return Look(directory, record, state_files.read(directory))


def ask(looks: Sequence[Look]) -> list[Look]:
    """Add what the batch systems say of each run's jobs, where they have a word in it. Never raises."""
    answered = list(looks)
    together: dict[str, list[int]] = {}
    for number, one in enumerate(looks):
        if outcome.needs_asking(one.evidence, one.record):
            together.setdefault(_reached_by(one.record), []).append(number)
    for numbers in together.values():
        for number, one in zip(numbers, _ask([looks[n] for n in numbers]), strict=True):
            answered[number] = one
    return answered


def _ask(looks: Sequence[Look]) -> list[Look]:
    """Ask one batch system for all these runs at once."""
    try:
        system = batch_system(looks[0].record)
    except HpcLaunchError as fault:
        unknown = JobReport(JobStatus.UNKNOWN, raw=str(fault))
        return [replace(one, reports={job.name: unknown for job in one.record.jobs}) for one in looks]
    looks = [_find_missing(system, one) for one in looks]
    # The first jobs of all runs first: by them it is decided how a run stands, should there be too much to ask.
    jobs = sorted((job for one in looks for job in one.record.jobs), key=lambda job: job.role == "workers")
    ids = [job.job_id for job in jobs if job.job_id]
    arrays = {job.job_id: job.array for one in looks for job in one.record.jobs if job.job_id and job.array}
    said = system.states(ids, arrays) if ids else {}
    return [
        replace(one, reports={**one.reports, **{j.name: said[j.job_id] for j in one.record.jobs if j.job_id}})
        for one in looks
    ]


def _find_missing(system: BatchSystem, one: Look) -> Look:
    """Look by their names for the jobs whose submission was never answered; keep the ids that are found."""
    for job in one.record.jobs:
        if job.job_id:
            continue
        found = _find(system, one.record, job.job_name)
        if isinstance(found, str):
            one = replace(one, record=adopt(one.directory, one.record, job.name, found))
        else:
            one = replace(one, reports={**one.reports, job.name: found})
    return one


def batch_system(record: Record) -> BatchSystem:
    """The batch system that the run was submitted to."""
    from hpc_launch import batch

    kind = type(batch.get(record.batch_system))
    known = {purpose: words for purpose, words in record.commands.items() if purpose in kind.programs}
    return kind(known, record.submit_stdin)  # a later version may have commands for purposes of its own


def _find(system: BatchSystem, record: Record, job_name: str) -> str | JobReport:
    """The id of a job whose submission was never answered, or why there is none."""
    try:
        ids = system.find(job_name, record.created.timestamp() - CLOCKS_DIFFER)
    except HpcLaunchError as fault:
        return JobReport(JobStatus.UNKNOWN, raw=str(fault))
    if len(ids) > 1:
        return JobReport(JobStatus.UNKNOWN, raw=f"several jobs are named {job_name}: {', '.join(ids)}")
    return ids[0] if ids else JobReport(JobStatus.GONE)


def conclude(one: Look) -> View:
    """Decide how the run stands, and keep in the record what is certain."""
    now = datetime.now(timezone.utc)
    directory, record = one.directory, one.record
    standing = outcome.decide(one.evidence, one.reports, record, now)
    if standing.over and not standing.settled and record.missing_since and not standing.doubt:
        standing = replace(standing, settled=now - record.missing_since >= SETTLES_AFTER)
    if _kept(record, standing, now) != record:
        with suppress(OSError, HpcLaunchError):  # a full disk is no reason not to answer
            record = update_record(directory, lambda current: _kept(current, standing, now))
    if standing.over and standing.settled and standing.understood:
        security.remove(directory / "tls")  # the job does it too, if it gets to it
    return View(directory, record, one.evidence, one.reports, standing)


def withdrawn(views: Sequence[View]) -> list[View]:
    """The views; what may be left of runs that are over was called off, once: jobs beside a first one that is gone.

    The first job does it too, where the site lets it and if it gets to it. What fails is tried at the next look.
    """
    together: dict[str, list[int]] = {}
    for number, view in enumerate(views):
        if view.final and view.standing.understood and len(view.record.job_ids) > 1 and not view.record.withdrawn:
            together.setdefault(_reached_by(view.record), []).append(number)
    result = list(views)
    for numbers in together.values():
        with suppress(HpcLaunchError):
            others = [job.job_id for n in numbers for job in views[n].record.jobs if job.after and job.job_id]
            batch_system(views[numbers[0]].record).withdraw(others)
            for n in numbers:
                result[n] = replace(views[n], record=_noted(views[n].directory, views[n].record))
    return result


def _noted(directory: Path, record: Record) -> Record:
    now = datetime.now(timezone.utc)
    with suppress(OSError, HpcLaunchError):
        return update_record(directory, lambda current: current.model_copy(update={"withdrawn": now}))
    return record


def _reached_by(record: Record) -> str:
    """What runs have in common whose jobs one call can speak of."""
    return json.dumps([record.batch_system, record.commands], sort_keys=True)


def _kept(record: Record, standing: Standing, now: datetime) -> Record:
    if not standing.understood:
        return record
    if not standing.over:
        return record.model_copy(update={"missing_since": None})
    if standing.doubt:
        return record
    if not standing.settled:
        return record.model_copy(update={"missing_since": record.missing_since or now})
    if record.outcome and record.outcome.attempt == standing.attempt:
        return record
    end = {
        "outcome": standing.outcome,
        "exit_code": standing.exit_code,
        "reason": standing.reason,
        "source": standing.source,
        "decided": now,
        "attempt": standing.attempt,
    }
    return record.model_copy(update={"missing_since": None, "outcome": Ending.model_validate(end)})


def adopt(directory: Path, record: Record, name: str, job_id: str) -> Record:
    """Keep the id of a job; gives the record with it, also if it could not be written, or not be read again."""

    def with_id(record: Record) -> Record:
        now = datetime.now(timezone.utc)
        jobs = tuple(
            job.model_copy(update={"job_id": job_id, "submitted": job.submitted or now}) if job.name == name else job
            for job in record.jobs
        )
        return record.model_copy(update={"jobs": jobs})

    try:
        return update_record(directory, with_id)
    except (OSError, HpcLaunchError):  # the job is there: whoever submitted it has to hear its id
        return with_id(record)
