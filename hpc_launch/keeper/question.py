"""What the batch system has to be asked, and what its answers say of single elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import Memory
from hpc_launch.keeper.silence import is_suspect
from hpc_launch.keeper.values import Look, Submission, Told

MOST_ALONE = 200
"""So many elements of arrays are asked for by their own ids in one look; the others wait for the next."""

_WAITS = {JobStatus.QUEUED.value, JobStatus.HELD.value}
_LIVES = {status.value for status in JobStatus if not status.over}


def in_question(look: Look, elements: Mapping[int, Element], memory: Memory, intervals: Intervals) -> list[Element]:
    """Elements of which the batch system has to say how they stand; nothing while all that run have workers."""
    found = []
    for each in elements.values():
        asks = each.phase in (Phase.WAITING, Phase.LEAVING) or is_suspect(each, look, memory, intervals)
        if asks and each.submission.job_id is not None:
            found.append(each)
    return found


def to_find(look: Look, elements: Mapping[int, Element]) -> list[Submission]:
    """Submissions of which no id is known, though there may be a job, or is one."""
    unknown = {each.submission.number: each.submission for each in elements.values() if each.phase is Phase.ASKED}
    late = {look_up.number: look_up for number in look.began if (look_up := _late(elements.get(number)))}
    return list({**unknown, **late}.values())


def _late(element: Element | None) -> Submission | None:
    return element.submission if element and element.submission.job_id is None else None


def told_of_job(report: JobReport, asked: float) -> Told:
    """What a report on a plain job, or on one element, says."""
    if report.status is JobStatus.SUSPENDED:
        return Told(JobStatus.RUNNING, asked, suspended=True)
    return Told(report.status, asked)


def told_of_array(
    submission: Submission, report: JobReport, elements: Mapping[int, Element], asked: float
) -> dict[int, Told] | None:
    """What a report on a whole array says of each of its elements; None: not which of them stands how.

    It counts them. That so many are over as have said so themselves tells that it is these.
    """
    if report.status.over:
        return {number: Told(report.status, asked) for number in submission.numbers}
    if not report.elements:
        return {} if report.status is JobStatus.UNKNOWN else None
    if sum(report.elements.get(word, 0) for word in _WAITS) == submission.size:
        return {number: Told(JobStatus.QUEUED, asked) for number in submission.numbers}
    out = [elements[number] for number in submission.numbers if elements[number].phase in (Phase.LEAVING, Phase.ENDED)]
    over = sum(count for word, count in report.elements.items() if word not in _LIVES)
    if over != len(out) or JobStatus.UNKNOWN.value in report.elements:
        return None
    return {each.number: Told(JobStatus.GONE, asked) for each in out}


def rest_is_over(
    submission: Submission, report: JobReport, elements: Mapping[int, Element], told: Mapping[int, Told], asked: float
) -> dict[int, Told]:
    """Elements of an array that were asked for, and of which nothing was heard, if all that live are accounted for.

    Not every batch system denies a single element, or tells how it ended, as long as others of its array live.
    """
    if not report.elements or JobStatus.UNKNOWN.value in report.elements:
        return {}
    silent = {number for number in submission.numbers if number in told and told[number].status is JobStatus.UNKNOWN}
    over = {number for number in submission.numbers if number in told and told[number].status.over}
    others = [elements[number] for number in submission.numbers if number not in silent | over]
    lives = sum(count for word, count in report.elements.items() if word in _LIVES)
    if sum(each.alive for each in others) != lives:
        return {}
    return {number: Told(JobStatus.GONE, asked) for number in silent}


def alone(elements: Iterable[Element]) -> list[Element]:
    """Of elements that have to be asked for by their own ids, so many as one look may; first those that run."""
    return sorted(elements, key=lambda each: (not each.runs, each.phase is Phase.WAITING, each.number))[:MOST_ALONE]
