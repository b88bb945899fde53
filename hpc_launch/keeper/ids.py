"""By which ids the batch system is told of elements, and asked about them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hpc_launch.keeper import question
from hpc_launch.keeper.elements import Element
from hpc_launch.keeper.values import Told

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


def id_of(system: BatchSystem, element: Element) -> str:
    """The id of a worker job, or of one element of an array."""
    submission = element.submission
    assert submission.job_id is not None
    if submission.array is None:
        return submission.job_id
    return system.element_id(submission.job_id, system.dialect.first_index + element.number - submission.first)


def ids_of_all(system: BatchSystem, numbers: Iterable[int], elements: Mapping[int, Element]) -> list[str]:
    """The ids of these elements; an array's own where nothing else of it is left."""
    chosen, ids = set(numbers), []
    for submission in {elements[number].submission.number: elements[number].submission for number in chosen}.values():
        left = [elements[number] for number in submission.numbers if elements[number].alive]
        if all(each.number in chosen for each in left) and submission.job_id:
            ids.append(submission.job_id)
        else:
            ids += [id_of(system, each) for each in left if each.number in chosen]
    return ids


def ask(system: BatchSystem, some: Iterable[Element], elements: Mapping[int, Element]) -> dict[int, Told]:
    """What the batch system says of these: of arrays as a whole, and of single elements where that is not enough."""
    asked, told, alone = time.time(), dict[int, Told](), []
    questioned = {each.submission.number: each.submission for each in some}.values()
    sizes = {str(each.job_id): each.size for each in questioned if each.array}
    reports = system.states([str(each.job_id) for each in questioned], sizes)
    for submission in questioned:
        report = reports[str(submission.job_id)]
        if submission.array is None:
            told[submission.first] = question.told_of_job(report, asked)
            continue
        known = question.told_of_array(submission, report, elements, asked)
        told |= known or {}
        left = [each for each in some if each.submission is submission and each.number not in told]
        alone += [each for each in left if known is None or each.runs]
    by_id = {id_of(system, each): each.number for each in question.alone(alone)}
    for job, report in (system.states(list(by_id)) if by_id else {}).items():
        told[by_id[job]] = question.told_of_job(report, asked)
    for submission in questioned if by_id else ():
        if submission.array:
            told |= question.rest_is_over(submission, reports[str(submission.job_id)], elements, told, asked)
    return told
