"""How each element stands, from what files and batch system say. A batch system that does not know changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from hpc_launch.keeper.values import Look, Run, Submission


class Phase(Enum):
    ASKED = "asked"  # the batch system has not given an id yet
    WAITING = "waiting"
    STARTING = "starting"  # it runs, and no worker is connected
    CONNECTED = "connected"
    LEAVING = "leaving"  # it has ended by its own word; the batch system may have put it back into the queue
    ENDED = "ended"


@dataclass(frozen=True)
class Element:
    """One worker job, or one element of an array of them."""

    number: int
    group: str
    workers: int
    phase: Phase
    submission: Submission
    suspended: bool = False

    @property
    def alive(self) -> bool:
        return self.phase is not Phase.ENDED

    @property
    def called_off(self) -> bool:
        return self.number in self.submission.called_off

    @property
    def runs(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.CONNECTED)


def elements(run: Run, look: Look) -> Mapping[int, Element]:
    """All elements that were ever submitted, by their numbers."""
    return {each.number: each for submission in look.submissions for each in _of(run, look, submission)}


def _of(run: Run, look: Look, submission: Submission) -> Iterator[Element]:
    if (group := run.groups.get(submission.group)) is None:
        return
    for number in submission.numbers:
        told = look.told.get(number)
        phase = _phase(look, submission, number)
        workers = submission.workers_of(number, group.per_node)
        yield Element(number, group.name, workers, phase, submission, bool(told and told.suspended))


def _phase(look: Look, submission: Submission, number: int) -> Phase:
    if number in look.began:
        return _of_running(look, number)
    if number in look.gone:
        return _of_gone(look, number)
    if submission.refused is not None:
        return Phase.ENDED
    if submission.job_id is None:
        return Phase.ASKED
    told = look.told.get(number)
    if told and told.status.over:
        return Phase.ENDED
    return Phase.STARTING if told and told.runs else Phase.WAITING


def _of_running(look: Look, number: int) -> Phase:
    told = look.told.get(number)
    if told and told.status.over and told.asked > look.began[number]:
        return Phase.ENDED  # its node went down with it
    connected = look.demand and (number in look.demand.connected or number in look.demand.draining)
    return Phase.CONNECTED if connected else Phase.STARTING


def _of_gone(look: Look, number: int) -> Phase:
    """One that has ended may be put back into the queue, and keeps its number then."""
    told = look.told.get(number)
    if told and told.status.over:
        return Phase.ENDED
    if told is None or told.asked < look.gone[number] or not (told.waits or told.runs):
        return Phase.LEAVING
    return Phase.WAITING if told.waits else Phase.ENDED
