"""What the keeper knows of a run: plain values, read from the files of the run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hpc_launch.batch.report import JobStatus


@dataclass(frozen=True)
class Fixed:
    """So many workers are wanted."""

    workers: int
    grace: float | None = None
    """Seconds that tasks get when an element is to leave; None: as long as they need."""


@dataclass(frozen=True)
class Adaptive:
    """As many workers are wanted as the tasks need, within these bounds."""

    minimum: int
    maximum: int
    interval: float = 5.0
    """Seconds between two looks at the demand that count."""
    wait_count: int = 3
    """So many looks in a row must want fewer before it shrinks."""


@dataclass(frozen=True)
class Group:
    """Workers that are alike, and the jobs that bring them."""

    name: str
    file: str
    """The script that is submitted."""
    count: int
    """Workers wanted at first."""
    per_node: int
    """Workers of one element."""
    adapt: Adaptive | None = None
    """What the profile says of adapting: it holds until there is a wish, and how often to look afterwards, too."""
    array_limit: int | None = None
    """Elements of one submission at most: 1 where there are no arrays; None: as many as one likes."""
    most_elements: int | None = None
    """So many may be submitted at one time."""
    walltime: float | None = None
    """Seconds of one worker job."""


@dataclass(frozen=True)
class SharedLimit:
    """So many elements of these groups together may be submitted at one time."""

    groups: frozenset[str]
    elements: int


@dataclass(frozen=True)
class Run:
    """What was fixed when the run was submitted: `pool/groups.json`."""

    name: str
    """The main job's name; those of worker jobs begin with it."""
    batch_system: str
    groups: Mapping[str, Group]
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    submit_stdin: bool | None = None
    walltime: float | None = None
    """Seconds of the scheduler's job."""
    untried: frozenset[str] = frozenset()
    """What jobs may, or may not, do on the batch system (`status`, `cancel`, `submit`): nobody knows."""
    limits: tuple[SharedLimit, ...] = ()


@dataclass(frozen=True)
class Submission:
    """One call of the submit command: `pool/NUMBER.json`. Its elements are numbered from `first`."""

    number: int
    group: str
    first: int
    size: int
    workers: int
    """Of all elements together: the last one may hold fewer than the others."""
    job_name: str
    array: int | None = None
    job_id: str | None = None
    """None: the batch system has not answered yet, or whoever asked it was killed."""
    refused: str | None = None
    """Why there is no such job."""
    asked: float = 0.0
    """When the batch system was about to be asked."""
    called_off: frozenset[int] = frozenset()
    """Elements that are not wanted any more, and were not running when that was decided."""

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.size)

    def workers_of(self, number: int, per_node: int) -> int:
        """How many workers an element has."""
        return self.workers - per_node * (self.size - 1) if number == self.numbers[-1] else per_node


@dataclass(frozen=True)
class Wish:
    """What somebody wants of each group: `control/scale.json`."""

    serial: int = 0
    time: float = 0.0
    """When it was made, in seconds since 1970."""
    targets: Mapping[str, Fixed | Adaptive] = field(default_factory=dict)


@dataclass(frozen=True)
class Demand:
    """What the scheduler says: `state/N/demand.json`."""

    connected: frozenset[int] = frozenset()
    """Elements of which a worker is connected."""
    workers: Mapping[str, int] = field(default_factory=dict)
    """Group → workers that are connected."""
    wanted: Mapping[str, int] = field(default_factory=dict)
    """Group → workers that its tasks need."""
    elsewhere: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Group → another that could run its tasks → workers of the other that they would need."""
    spare: tuple[int, ...] = ()
    """Elements without tasks whose data have room elsewhere, the dearest first."""
    held: frozenset[int] = frozenset()
    """Elements whose data have no room elsewhere."""
    draining: Mapping[int, str] = field(default_factory=dict)
    """Element on its way out → how far it is."""
    rejoins: Mapping[int, int] = field(default_factory=dict)
    """Element → how often a worker of it has come back since it last finished a task."""
    finished: Mapping[str, int] = field(default_factory=dict)
    """Group → tasks."""
    unknown: int = 0
    """Workers of which it cannot be told to which element they belong."""
    longest: float = 0.0
    """Seconds of the longest task."""


@dataclass(frozen=True)
class Told:
    """What the batch system said last of an element."""

    status: JobStatus
    asked: float
    """When it was asked."""
    suspended: bool = False

    @property
    def waits(self) -> bool:
        return self.status in (JobStatus.QUEUED, JobStatus.HELD)

    @property
    def runs(self) -> bool:
        return self.status in (JobStatus.RUNNING, JobStatus.ENDING)


@dataclass(frozen=True)
class Retirement:
    """Why an element is to leave, and how long its tasks may take."""

    surplus: bool
    """More are there than wanted; otherwise its walltime is near."""
    grace: float | None = None
    close_at: float | None = None
    """From when on it closes though its data have no room elsewhere, in seconds since 1970; None: never."""


@dataclass(frozen=True)
class Look:
    """All that is known at one moment. Times are seconds since 1970."""

    now: float
    submissions: tuple[Submission, ...] = ()
    wish: Wish = Wish()
    demand: Demand | None = None
    """None: the scheduler has said nothing yet, or not for long."""
    began: Mapping[int, float] = field(default_factory=dict)
    """Element that runs, as its own file says → when it began."""
    gone: Mapping[int, float] = field(default_factory=dict)
    """Element that has ended, as its own file says → when that was first seen."""
    told: Mapping[int, Told] = field(default_factory=dict)
    run_ends: float | None = None
    """When the walltime of the scheduler's job is over."""
