"""The keeper's life: look, decide, act, tell; again and again until the run is over."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc_launch import batch
from hpc_launch.batch.report import JobStatus
from hpc_launch.keeper import disk, intervals, reading, status
from hpc_launch.keeper.actions import Decision
from hpc_launch.keeper.decide import decide
from hpc_launch.keeper.elements import Phase
from hpc_launch.keeper.from_job import NotFromJob, Trial
from hpc_launch.keeper.hands import Hands, Over
from hpc_launch.keeper.ids import ask
from hpc_launch.keeper.lease import Lease
from hpc_launch.keeper.ledger import Ledger
from hpc_launch.keeper.memory import LONG_AGO, Memory
from hpc_launch.keeper.question import in_question, to_find
from hpc_launch.keeper.reading import UNREADABLE
from hpc_launch.keeper.steps import reached
from hpc_launch.keeper.values import Told
from hpc_launch.keeper.watch import Watch

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem


NEVER, SOON = float("inf"), 0.5
LIVELY = 6
"""Looks without a change after which the next ones come as seldom as if nothing were on its way."""


class Keeper:
    """One process's keeping of one run, for as long as it holds the lease."""

    def __init__(self, directory: Path, lease: Lease, every: intervals.Intervals, from_job: bool = False) -> None:
        self.directory, self.lease, self.every = directory, lease, every
        self.run = reading.run_from(disk.load(directory / "pool" / "groups.json"))
        self.system: BatchSystem = batch.get(self.run.batch_system, self.run.commands, self.run.submit_stdin)
        self.watch = Watch(directory, self.run, Ledger(directory / "pool", self.run), every.stale)
        self.trial = Trial(self.run, from_job)
        self.hands = Hands(self.watch, self.system, lease, every, self.trial)
        self.memory = self._remembered()
        self.told: dict[int, Told] = {}
        self.status: dict[str, Any] = {}
        self.seen: tuple[object, ...] = ()
        self.changing, self.starting, self.again = True, False, NEVER
        self.changed = self.asked = self.renewed = LONG_AGO

    def turn(self) -> None:
        """One look, and what follows from it. Raises Over, Lost, or OSError where it could not act."""
        due = time.monotonic() >= self.renewed + self.every.renew
        if due:
            self.lease.renew()
            self.renewed = time.monotonic()
        if due and not self.changing and time.time() < self.again:
            return  # while nothing changes the other files wait for the next turn
        if self.changing or self._glance() or self.starting:
            self._read()
        if not self.watch.attempt:
            self.changing = False
            return  # workers that start before their scheduler would be for nothing
        if self.watch.wish.serial < (self.memory.serial or 0):
            raise OSError("the wish cannot be seen just now (control/scale.json): nothing is done without it")
        decision = decide(self.run, self.watch.look(self.told), self.memory, self.every)
        reached("decided")
        try:
            self.memory = self.hands.carry_out(decision)
            self._tell(decision)
            self._ask(decision)
        except NotFromJob as fault:
            self._tell(decision, paused=str(fault))
            raise
        self._note_change(decision)

    def seconds_to_wait(self) -> float:
        usual = self.every.look if self.changing else self.every.quiet
        return min(usual, max(SOON, self.again - time.time()))

    def wake(self) -> None:
        """Somebody knows that something has changed: look at everything at the next turn."""
        self.changing = True

    def _glance(self) -> bool:
        """Look at the wish, and at what the scheduler says; gives whether there is news."""
        return any([self.watch.sees_wish(), self.watch.sees_demand()])

    def _read(self) -> None:
        """Look at everything."""
        if self.watch.is_over():
            raise Over("the run is over")
        self.watch.read()

    def _ask(self, decision: Decision) -> None:
        """Ask the batch system, now and then, about what is missing, or waits."""
        look = self.watch.look(self.told)
        some = in_question(look, decision.elements, self.memory, self.every)
        unknown = to_find(look, decision.elements)
        if time.monotonic() < self.asked + self.every.ask or not (some or unknown):
            return
        for submission in unknown:
            self.hands.find(submission)
        if some:
            told = ask(self.system, some, decision.elements)
            self.told |= told
            heard = any(each.status is not JobStatus.UNKNOWN for each in told.values())
            self.trial.note("status", None if heard else "the batch system told nothing of them")
        self.asked = time.monotonic()

    def _note_change(self, decision: Decision) -> None:
        """What has waited for a while may do so for hours: then there is no need to look often."""
        said = {number: (told.status, told.suspended) for number, told in self.told.items()}
        wanted = [remembered.wanted for remembered in self.memory.groups.values()]
        seen = (self.status, said, wanted, len(self.watch.ledger.submissions))
        if decision.actions or seen != self.seen:
            self.seen, self.changed = seen, time.monotonic()
        self.again = decision.again or NEVER
        self.starting = any(each.phase is Phase.STARTING for each in decision.elements.values())
        self.changing = decision.changing and time.monotonic() < self.changed + LIVELY * self.every.look

    def _tell(self, decision: Decision, paused: str | None = None) -> None:
        """Write how the groups stand, if that has changed, and why none of them gets more."""
        now = status.document(replace(decision, memory=self.memory), self.watch.demand, self.lease.owner)
        if paused is not None:
            now["groups"] = {name: {**each, "paused": paused} for name, each in now["groups"].items()}
        if now != self.status:
            self.lease.check()
            disk.replace(self.directory / "pool" / "status.json", {"time": time.time(), **now})
            self.status = now
            reached("told")

    def _remembered(self) -> Memory:
        """What another keeper before this one has left."""
        memory = Memory()
        with suppress(*UNREADABLE):
            memory = status.remembered(disk.load(self.directory / "pool" / "status.json"), memory)
        with suppress(*UNREADABLE):
            retiring = reading.retirements_from(disk.load(self.directory / "pool" / "retire.json"))
            memory = replace(memory, retiring=retiring, leaving=frozenset(retiring))
        return memory
