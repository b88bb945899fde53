"""What a batch system says of jobs, in one vocabulary for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class JobStatus(str, Enum):
    """The state of a job. In the order of a summary of several: the first one counts."""

    RUNNING = "running"
    ENDING = "ending"
    QUEUED = "queued"
    HELD = "held"
    UNKNOWN = "unknown"  # it cannot be told just now
    NODE_FAILURE = "node-failure"
    OUT_OF_MEMORY = "out-of-memory"
    TIMEOUT = "timeout"
    PREEMPTED = "preempted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"  # the batch system answers, and knows nothing of this job (any more)
    COMPLETED = "completed"

    def __str__(self) -> str:
        return self.value

    @property
    def over(self) -> bool:
        """Whether the job certainly does not run any more, and will not."""
        return self not in _NOT_OVER


_NOT_OVER = {JobStatus.RUNNING, JobStatus.ENDING, JobStatus.QUEUED, JobStatus.HELD, JobStatus.UNKNOWN}
_ORDER = list(JobStatus)


@dataclass(frozen=True)
class JobReport:
    """What a batch system says of one job."""

    status: JobStatus
    raw: str = ""
    """Its own word for that; for `unknown` all that it said."""
    why: str = ""
    """One sentence: why the job waits. Nothing if it does not, or if nobody said."""
    exit_code: int | None = None
    """The job's own, 128 + n if signal n killed it; None as long as there is none, or if nobody said."""
    nodes: str = ""
    """The nodes it runs on, as the batch system writes them."""


@dataclass(frozen=True)
class Told:
    """What one command told of some jobs."""

    reports: Mapping[str, JobReport]
    """By id; elements of an array under their own ids."""
    doubt: str = ""
    """Why a job that is not among them may be there all the same; nothing: it certainly is not."""


def summary(reports: Sequence[JobReport]) -> JobReport | None:
    """The report that counts among those of an array's elements."""
    return min(reports, key=lambda report: _ORDER.index(report.status), default=None)


def reports_of(job: str, known: Mapping[str, JobReport]) -> list[JobReport]:
    """What is known of a job, or of the elements of an array (`20_1`, `20[1].server`, `20.1`)."""
    if job in known:
        return [known[job]]
    element = re.compile(re.escape(job.partition("[")[0]) + r"[_.\[]+\d")
    return [report for other, report in known.items() if element.match(other)]
