"""What a batch system says of jobs, in one vocabulary for all of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

CLOCKS_DIFFER = 300.0
"""Seconds that our clock and the batch system's may be apart."""


def in_words(reason: str, meanings: Sequence[tuple[str, str]]) -> str:
    """A batch system's own reason behind what it means, by the first pattern in it; alone where none is."""
    meaning = next((meaning for words, meaning in meanings if re.search(words, reason, re.I)), None)
    return f"{meaning} ({reason})" if meaning else reason


class JobStatus(str, Enum):
    """The state of a job. In the order of a summary of several: the first one counts."""

    RUNNING = "running"
    ENDING = "ending"
    SUSPENDED = "suspended"  # it keeps its place, and goes on later
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


_NOT_OVER = {
    *(JobStatus.RUNNING, JobStatus.ENDING, JobStatus.SUSPENDED),
    *(JobStatus.QUEUED, JobStatus.HELD, JobStatus.UNKNOWN),
}
_ORDER = list(JobStatus)


@dataclass(frozen=True)
class JobReport:
    """What a batch system says of one job, or of an array as a whole."""

    status: JobStatus
    raw: str = ""
    """Its own word for that; for `unknown` all that it said."""
    why: str = ""
    """One sentence: why the job waits, or is suspended. Nothing if it is neither, or if nobody said."""
    exit_code: int | None = None
    """The job's own, 128 + n if signal n killed it; None as long as there is none, or if nobody said."""
    nodes: str = ""
    """The nodes it runs on, as the batch system writes them."""
    elements: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Of an array: value of a status → how many elements have it; none are 0. Empty for a plain job or one element.

    Together fewer than the array has: the batch system has forgotten the others, and was not told how many there are.
    """


@dataclass(frozen=True)
class Told:
    """What one command told of some jobs."""

    reports: Mapping[str, JobReport]
    """By id; elements of an array under their own ids."""
    doubt: str = ""
    """Why nothing can be concluded of any job that is not among them; nothing: the answer was sound."""
    denied: frozenset[str] = frozenset()
    """Ids of which it said itself that it knows no such job, or none any more: these alone can be gone.

    One that is neither here nor among the reports was left out: an incomplete answer, which says nothing of that job.
    """


def summary(reports: Sequence[JobReport]) -> JobReport | None:
    """The report of an array: the one that counts among those of its elements, and how many there are of each kind."""
    if not reports:
        return None
    first = min(reports, key=lambda report: _ORDER.index(report.status))
    return replace(first, elements=dict(Counter(report.status.value for report in reports)))


def elements_of(job: str, known: Mapping[str, JobReport]) -> list[JobReport]:
    """What is known of the elements of an array (`20_1`, `20[1].server`, `20[1]`, `20.1`); a single one has none."""
    number, bracket, rest = job.partition("[")
    if bracket and not rest.startswith("]"):
        return []
    element = re.compile(re.escape(number) + r"[_.\[]+\d")
    return [report for other, report in known.items() if element.match(other)]


def unsettled(job: str, known: Mapping[str, JobReport], size: int | None) -> bool:
    """Whether more has to be asked: nothing is known, or of an array only elements that are over, but perhaps not all.

    The elements of an array are forgotten one by one, first those that ended first. As long as one lives that
    does not matter; then the good end of the others says nothing of them.
    """
    if job in known:
        return False
    elements = elements_of(job, known)
    return all(report.status.over for report in elements) and not 0 < (size or 0) <= len(elements)


def left_out(job: str, told: Told, size: int | None) -> bool:
    """Whether an answer was silent about a job: nothing of it, or too little of its elements, and no denial either."""
    if job in told.denied or not unsettled(job, told.reports, size):
        return False
    return bool(size) or not elements_of(job, told.reports)


def report_of(job: str, told: Told, size: int | None) -> JobReport:
    """What was told of a job, or of all the elements of an array together.

    Args:
        job: its id.
        told: all that is to be had.
        size: how many elements the array has; None if it is not one, or if nobody knows.
    """
    if job in told.reports:
        return told.reports[job]
    rest = JobReport(JobStatus.UNKNOWN, raw=told.doubt) if told.doubt else JobReport(JobStatus.GONE)
    elements = elements_of(job, told.reports)
    absent = max(0, (size or 0) - len(elements))
    if told.doubt and unsettled(job, told.reports, size):
        absent = max(absent, 1)
    return (summary([*elements, *[rest] * absent]) or rest) if elements or size else rest
