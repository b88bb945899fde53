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
from hpc_launch.batch import processes
from hpc_launch.batch.faults import NoAnswer
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
    submitting: bool | None = None
    """Whether further jobs of the run may still be submitted; None: all of them were, or nobody looked."""


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
    if one.record.missing:  # looked at first: what is submitted until then is found
        one = replace(one, submitting=_may_submit(one.directory, one.record))
    for job in one.record.missing:
        found = _find(system, one.record, job.job_name)
        if isinstance(found, str):
            one = replace(one, record=adopt(one.directory, one.record, job.name, found))
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
    standing = outcome.decide(one.evidence, one.reports, record, now, one.submitting)
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

    The first job does it too, where the site lets it and if it gets to it. What fails is tried at the next look. Of a
    run that was taken back its first job is called off, too. A job of which no id is known is looked for by its name,
    as long as one may come up: a submission that was given up may yet have been heard.
    """
    together: dict[str, list[int]] = {}
    for number, view in enumerate(views):
        record = view.record
        begun = view.final and view.standing.understood and not record.withdrawn
        if begun and (_has_others(record) or record.taken_back):
            together.setdefault(_reached_by(record), []).append(number)
    result = list(views)
    for numbers in together.values():
        with suppress(HpcLaunchError):
            system = batch_system(views[numbers[0]].record)
            for n in numbers:
                result[n] = replace(views[n], record=_adopt_all(system, views[n].directory, views[n].record))
            if others := [job for n in numbers for job in _left_over(result[n].record)]:
                system.withdraw(others)
            for n in numbers:
                if not (result[n].record.missing and outcome.is_young(result[n].record, datetime.now(timezone.utc))):
                    result[n] = replace(result[n], record=_noted(result[n].directory, result[n].record))
    return result


def _has_others(record: Record) -> bool:
    """Whether something was submitted, and jobs beside the first one were, or may have been."""
    return len(record.jobs) > 1 and bool(record.job_ids)


def _left_over(record: Record) -> list[str]:
    """The jobs of a run that is over which may live."""
    return record.job_ids if record.taken_back else record.worker_ids


def _adopt_all(system: BatchSystem, directory: Path, record: Record) -> Record:
    """Look by their names for the jobs of which no id is known. Raises NoAnswer."""
    for job in record.missing:
        found = _find(system, record, job.job_name)
        if isinstance(found, str):
            record = adopt(directory, record, job.name, found)
        elif found.status is JobStatus.UNKNOWN:
            raise NoAnswer(found.raw)
    return record


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
    given_up = {"taken_back": record.taken_back or now} if standing.taken_back else {}
    return record.model_copy(update={"missing_since": None, "outcome": Ending.model_validate(end), **given_up})


def adopt(directory: Path, record: Record, name: str, job_id: str) -> Record:
    """Keep the id of a job; gives the record with it, also if it could not be written, or not be read again."""
    try:
        return update_record(directory, lambda current: with_id(current, name, job_id))
    except (OSError, HpcLaunchError):  # the job is there: whoever submitted it has to hear its id
        return with_id(record, name, job_id)


def with_id(record: Record, name: str, job_id: str) -> Record:
    """The record in which this job has this id."""
    now = datetime.now(timezone.utc)
    jobs = tuple(
        job.model_copy(update={"job_id": job_id, "submitted": job.submitted or now}) if job.name == name else job
        for job in record.jobs
    )
    return record.model_copy(update={"jobs": jobs})
