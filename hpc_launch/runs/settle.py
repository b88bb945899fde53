"""How a run stands, decided from a look at it; what is certain is written into its record, and its key removed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hpc_launch import security
from hpc_launch.batch.report import JobReport
from hpc_launch.errors import HpcLaunchError
from hpc_launch.models.record import Ending, Record
from hpc_launch.runs import outcome
from hpc_launch.runs.directory import update_record
from hpc_launch.runs.evidence import Evidence
from hpc_launch.runs.hints import hint
from hpc_launch.runs.look import Look
from hpc_launch.runs.outcome import Standing

SETTLES_AFTER = timedelta(seconds=60)
"""So long a network file system may keep a file from us (NFS: acdirmax, nfs(5))."""


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


def settle(one: Look) -> View:
    """Decide how the run stands, and keep in the record what is certain."""
    now = datetime.now(timezone.utc)
    directory, record = one.directory, one.record
    standing = outcome.decide(one.evidence, one.reports, record, now, one.submitting)
    if standing.over and not standing.settled and record.missing_since and not standing.doubt:
        standing = replace(standing, settled=now - record.missing_since >= SETTLES_AFTER)
    if standing.over and standing.settled and not standing.hint:
        standing = replace(standing, hint=hint(directory, record, standing, one.evidence.progress))
    died = one.evidence.progress.workers_died if one.evidence.progress else None
    if _with_outcome(record, standing, now, died) != record:
        with suppress(OSError, HpcLaunchError):  # a full disk is no reason not to answer
            record = update_record(directory, lambda current: _with_outcome(current, standing, now, died))
    if standing.over and standing.settled and standing.understood:
        security.remove(directory / "tls")  # the job does it too, if it gets to it
        security.remove_tokens(directory)
    return View(directory, record, one.evidence, one.reports, standing)


def _with_outcome(record: Record, standing: Standing, now: datetime, died: int | None) -> Record:
    if not standing.understood:
        return record
    if not standing.over:
        return replace(record, missing_since=None)
    if standing.doubt:
        return record
    if not standing.settled:
        return replace(record, missing_since=record.missing_since or now)
    if record.outcome and record.outcome.attempt == standing.attempt:
        return replace(record, outcome=replace(record.outcome, hint=record.outcome.hint or standing.hint))
    taken_back = (record.taken_back or now) if standing.taken_back else record.taken_back
    return replace(record, missing_since=None, outcome=_ending(standing, now, died), taken_back=taken_back)


def _ending(standing: Standing, now: datetime, died: int | None) -> Ending:
    assert standing.outcome is not None and standing.exit_code is not None  # it is over
    return Ending(
        outcome=standing.outcome,
        exit_code=standing.exit_code,
        reason=standing.reason,
        source=standing.source,
        decided=now,
        attempt=standing.attempt,
        hint=standing.hint,
        workers_died=died,
    )
