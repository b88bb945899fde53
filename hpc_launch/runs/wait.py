"""Watching a run until it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hpc_launch.batch.faults import NotStarted
from hpc_launch.errors import BatchSystemError, HpcLaunchError, Problem
from hpc_launch.models.record import Record
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.evidence import Evidence
from hpc_launch.runs.job_ids import batch_system
from hpc_launch.runs.leftover_jobs import cancel_leftover_jobs
from hpc_launch.runs.look import Look, ask, look
from hpc_launch.runs.outcome import needs_asking
from hpc_launch.runs.settle import SETTLES_AFTER, View, settle
from hpc_launch.runs.unanswered import cannot_be_asked_here


@dataclass(frozen=True)
class Pace:
    """How often to look, in seconds. State files cost nothing; a batch system is shared by thousands."""

    look: float = 0.5
    at_the_end: float = 0.1
    """The same while the job ends, which takes a second; for so many of these looks at most, should it take longer."""
    looks_at_the_end: int = 50
    ask: float = 5.0
    ask_at_most: float = 30.0
    """It is asked less and less often as long as nothing happens."""
    alive: float = 90.0
    """The scheduler writes once a minute at least: as long as it does, the job runs, nobody needs to be asked."""
    unanswered: int = 10
    """So many times in a row without an answer are enough."""
    absent: int = 3
    """The same where its command is not on this host, or has no configuration here."""


@dataclass
class _Watch:
    """What is remembered between two looks. Times are monotonic."""

    pace: Pace
    last: Look | None = None
    asked: float = float("-inf")
    pause: float = 0.0
    progressed: float = float("-inf")
    unanswered: int = 0
    unsettled_since: float | None = None
    looks_at_the_end: int = 0

    def look(self, directory: Path, now: float) -> View:
        """Look once, and ask the batch system if it is time to."""
        one = look(directory, read_record(directory))
        news = self.last is None or _milestones(one.evidence) != _milestones(self.last.evidence)
        if self.last and one.evidence.progress != self.last.evidence.progress:
            self.progressed = now
        if self._is_due(one, news, now):
            self.pause = self.pace.ask if news else min(self.pause * 1.5, self.pace.ask_at_most)
            self.asked = now
            one = ask([one])[0]
            view = settle(one)
            self.unanswered = self.unanswered + 1 if view.standing.state == "unknown" else 0
        else:
            known = self.last.reports if self.last and needs_asking(one.evidence, one.record) else {}
            one = replace(one, reports=known)
            view = settle(one)
        self.last = one
        return cancel_leftover_jobs([view])[0]

    def until_next_look(self, view: View) -> float:
        """Seconds."""
        if view.evidence.ending is None or self.looks_at_the_end == self.pace.looks_at_the_end:
            return self.pace.look
        self.looks_at_the_end += 1
        return min(self.pace.at_the_end, self.pace.look)

    def _is_due(self, one: Look, news: bool, now: float) -> bool:
        if not needs_asking(one.evidence, one.record):
            return False
        alive = now - self.progressed < self.pace.alive and one.evidence.ending is None
        return news or (now - self.asked >= self.pause and not alive)

    def is_over(self, view: View, now: float) -> bool:
        """Whether nothing more is to come; also where the record, which keeps the time, cannot be written."""
        if not view.standing.over:
            self.unsettled_since = None
            return False
        self.unsettled_since = self.unsettled_since or now
        return view.final or now - self.unsettled_since >= SETTLES_AFTER.total_seconds() + self.pace.ask


def follow(directory: Path, pace: Pace | None = None) -> Iterator[View]:
    """Look again and again; the last view is that of the run's end.

    Args:
        directory: the run directory.
        pace: how often; if not given, as suits the batch system.

    Raises:
        BatchSystemError: the batch system did not answer many times in a row.
        UsageError: the record cannot be read (any more).
    """
    pace = pace or _suitable(read_record(directory))
    watch = _Watch(pace)
    while True:
        view = watch.look(directory, time.monotonic())
        yield view
        if watch.is_over(view, time.monotonic()):
            return
        if watch.unanswered >= min(pace.absent, pace.unanswered):
            _give_up(view, watch.unanswered, pace)
        time.sleep(watch.until_next_look(view))


def _give_up(view: View, times: int, pace: Pace) -> None:
    """Raise what ends the waiting, if it is no use to ask again."""
    absent = cannot_be_asked_here(view)
    if not absent and times < pace.unanswered:
        return
    hint = f"The run is left alone. Come back with: hpc-launch wait {view.record.id}"
    problem = Problem(f"{times} times in a row without an answer: {view.standing.why}", hint=hint)
    raise NotStarted(problem) if absent else BatchSystemError(problem)


def _suitable(record: Record) -> Pace:
    with suppress(HpcLaunchError):  # an unknown batch system is told of in the view
        if "status" not in batch_system(record).commands:
            return Pace(ask=2.0, ask_at_most=2.0, alive=2.0)  # nobody is bothered by the question
    return Pace()


def _milestones(evidence: Evidence) -> tuple[object, ...]:
    """What of the evidence, when it changes, makes what the batch system said before out of date."""
    when = (evidence.started, evidence.workload, evidence.ending, evidence.ended)
    return (evidence.attempt, *when, evidence.told)
