"""A pool of worker jobs that exists nowhere: a batch system, elements and a scheduler, all as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hpc_launch.batch.report import JobStatus
from hpc_launch.keeper.actions import CallOff, Decision, End, Retire, Submit
from hpc_launch.keeper.decide import decide
from hpc_launch.keeper.elements import Phase
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import Memory, after_submission
from hpc_launch.keeper.values import Demand, Group, Look, Run, Submission, Told, Wish

LOOK = 5.0
"""Seconds between two looks."""


def group(name: str = "workers", **changes: object) -> Group:
    plain = Group(name, f"{name}.sh", count=4, per_node=2)
    return replace(plain, **changes)  # type: ignore[arg-type]


@dataclass
class Pool:
    """What really is, and what the keeper has seen of it."""

    run: Run
    now: float = 1_000_000.0
    wish: Wish = field(default_factory=Wish)
    memory: Memory = field(default_factory=Memory)
    intervals: Intervals = field(default_factory=Intervals)
    submissions: dict[int, Submission] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    began: dict[int, float] = field(default_factory=dict)
    connected: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    gone: dict[int, float] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    suspended: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    """Elements whose data have no room elsewhere."""
    retiring: set[int] = field(default_factory=set)
    wanted: dict[str, int] = field(default_factory=dict)
    rejoins: dict[int, int] = field(default_factory=dict)
    finished: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    """Workers that nobody can place."""
    longest: float = 0.0
    run_ends: float | None = None
    refuses: bool = False
    silent: bool = False
    """Whether the batch system's answers fail."""
    told: dict[int, Told] = field(default_factory=dict)
    submitted_at: list[float] = field(default_factory=list)
    done: list[object] = field(default_factory=list)
    """All that the keeper did."""

    # What happens without the keeper

    def start(self, number: int) -> None:
        self.waiting.remove(number)
        self.began[number] = self.now

    def connect(self, number: int) -> None:
        self.connected.add(number)

    def end(self, number: int, says_so: bool = True) -> None:
        """An element ends; `says_so` false: its node went down with it."""
        self.waiting.discard(number)
        if says_so and number in self.began:
            self.gone[number] = self.now
            del self.began[number]
        for some in (self.connected, self.busy, self.retiring, self.suspended):
            some.discard(number)
        self.over.add(number)

    def requeue(self, number: int) -> None:
        self.end(number)
        self.over.remove(number)
        self.waiting.add(number)

    # What the keeper sees and does

    def look(self) -> Look:
        leaving = self.retiring & self.connected
        draining = {number: "moving data" if number in self.held else "waiting for tasks" for number in leaving}
        shown = frozenset(self.connected - self.retiring)
        demand = Demand(
            connected=shown,
            wanted=dict(self.wanted),
            spare=tuple(sorted(shown - self.busy)),
            held=frozenset(self.held),
            draining=draining,
            rejoins={number: times for number, times in self.rejoins.items() if number in shown},
            finished=dict(self.finished),
            unknown=self.unknown,
            longest=self.longest,
        )
        submissions = tuple(self.submissions.values())
        return Look(
            self.now, submissions, self.wish, demand, dict(self.began), dict(self.gone), dict(self.told), self.run_ends
        )

    def ask(self) -> None:
        """What the batch system says of all that it ever had: it knows how each stands, or says nothing."""
        for number in [number for each in self.submissions.values() if each.job_id for number in each.numbers]:
            if self.silent:
                status = JobStatus.UNKNOWN
            elif number in self.waiting:
                status = JobStatus.QUEUED
            else:
                status = JobStatus.GONE if number in self.over else JobStatus.RUNNING
            self.told[number] = Told(status, self.now, number in self.suspended)

    def step(self) -> Decision:
        """One look of the keeper, and what it does."""
        decision = decide(self.run, self.look(), self.memory, self.intervals)
        self.memory = decision.memory
        for action in decision.actions:
            self.done.append(action)
            if isinstance(action, Submit):
                self.submit(action)
            elif isinstance(action, CallOff):
                self.call_off(action)
            elif isinstance(action, End):
                for number in action.elements:
                    self.end(number)
            elif isinstance(action, Retire):
                self.retiring = set(action.elements)
        self.now += LOOK
        return decision

    def submit(self, action: Submit) -> None:
        number = len(self.submissions) + 1
        first = sum(each.size for each in self.submissions.values())
        refused = "no" if self.refuses else None
        job_id = None if self.refuses else f"{100 + number}"
        submission = Submission(
            number, action.group, first, action.size, action.workers, f"run-{number}", None, job_id, refused, self.now
        )
        self.submissions[number] = submission
        if not self.refuses:
            self.waiting |= set(submission.numbers)
        self.submitted_at.append(self.now)
        self.memory = after_submission(self.memory, action.group, action.size, refused, self.now, self.intervals)

    def call_off(self, action: CallOff) -> None:
        for number in action.elements:
            each = self.submission_of(number)
            self.submissions[each.number] = replace(each, called_off=each.called_off | {number})
            if not self.silent:
                self.end(number)

    # For tests

    def submission_of(self, number: int) -> Submission:
        return next(each for each in self.submissions.values() if number in each.numbers)

    def group_of(self, number: int) -> str:
        return self.submission_of(number).group

    def workers(self, number: int) -> int:
        each = self.submission_of(number)
        return each.workers_of(number, self.run.groups[each.group].per_node)

    def there(self) -> int:
        """Workers that are to stay."""
        return sum(self.workers(number) for number in (self.waiting | self.began.keys()) - self.retiring - self.over)

    def elements(self) -> set[int]:
        return (self.waiting | self.began.keys()) - self.over

    def settle(self, looks: int = 60) -> Decision:
        """Everything goes well from now on: what waits starts, what starts connects, what retires ends."""
        self.silent = self.refuses = False
        self.suspended.clear()
        for _ in range(looks):
            self.ask()
            decision = self.step()
            for number in list(self.waiting):
                self.start(number)
            for number in self.began.keys() - self.connected - self.over:
                self.connect(number)
            for number in list(self.retiring & self.connected - self.busy):
                self.end(number)
        return decision


def pool(*groups: Group, **changes: object) -> Pool:
    made = {each.name: each for each in groups or (group(),)}
    return Pool(Run("run", "local", made), **changes)  # type: ignore[arg-type]


def phases(decision: Decision) -> dict[int, Phase]:
    return {number: each.phase for number, each in decision.elements.items()}
