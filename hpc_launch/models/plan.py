"""The plan: a profile resolved against a site, every number known, nothing rendered yet.

Plain dataclasses: a plan is made by us alone, so there is nothing in it to validate; templates get it as plain data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class WorkerGroup:
    """Workers that are alike."""

    count: int
    per_node: int
    nodes: int
    """Or elements of a job array, of one node each."""
    on_last_node: int
    """The last node, or element, holds what is left."""
    threads: int
    memory_bytes: int
    gpus: int
    """Of each worker."""
    resources: dict[str, float]
    interface: str | None
    local_directory: str
    spill: bool | Literal["auto"]
    """auto: each node looks what kind of file system its local directory is."""
    lifetime_seconds: int | None
    lifetime_stagger_seconds: int | None
    """By so much, at most, each worker's lifetime differs; None: it counts from the worker's start, for all alike."""
    death_timeout_seconds: int
    options: list[str]


@dataclass(frozen=True)
class Job:
    """One call of the batch system's submit command: a job, or an array of jobs that are alike."""

    name: str
    """Within the run: `job`, `scheduler`, `workers`, `workers-2` …"""
    file: str
    template: str
    """Of templates/layouts/LAYOUT/."""
    after: str | None
    """The job that must have started before this one may."""
    log: str
    """What the batch system writes of it, relative to the run directory, without its suffix."""
    nodes: int
    """Of each element."""
    ranks_per_node: int
    """MPI processes; 1 where a launcher starts one process on each node."""
    cores_per_node: int
    charged_cores_per_node: int
    """More than these where the queue gives whole nodes."""
    slots_per_node: int
    """What a parallel environment gives of each host: its fixed number, otherwise the cores."""
    memory_bytes_per_node: int
    gpus_per_node: int
    walltime_seconds: int | None
    end_early_seconds: int
    """So long before the walltime the job ends by itself, to leave a record."""
    queue: str | None
    qos: str | None
    mail_to: str | None
    requeue: bool
    resources: list[str]
    """Named resources of the site that this job asks for, such as GPUs of each node, in the batch system's words."""
    directives: list[str]
    """Further ones: the site's, the queue's, the user's."""
    array: int | None
    """Number of its elements; None: a plain job."""
    first_element: int
    """The first element's number among all of the run; 0 unless the array is one of several."""


@dataclass(frozen=True)
class SchedulerPlan:
    cores: int
    interface: str | None
    dashboard: bool
    idle_timeout_seconds: int | None


@dataclass(frozen=True)
class ContainerPlan:
    runtime: str
    image: str
    binds: list[str]


@dataclass(frozen=True)
class EnvironmentPlan:
    modules: list[str]
    conda: str | None
    venv: str | None
    python: str | None
    """The interpreter to use where neither conda nor venv is given."""
    container: ContainerPlan | None
    variables: dict[str, str]
    setup: str
    site_setup: str


@dataclass(frozen=True)
class WorkloadPlan:
    command: list[str] | str
    directory: str
    """Absolute, or starting with a variable that is expanded on the node."""


@dataclass(frozen=True)
class ParallelEnvironmentPlan:
    name: str
    slots: int | None
    """On each host, where their number is fixed."""


@dataclass(frozen=True)
class LauncherPlan:
    kind: Literal["node", "mpi"]
    """One process per node, or MPI ranks."""
    name: str | None
    """Its template; None: the batch system's usual one."""
    options: list[str]


@dataclass(frozen=True)
class Plan:
    """What will be asked of the batch system and started in its jobs."""

    name: str
    site: str
    batch_system: str
    layout: str
    launcher: LauncherPlan | None
    """None: the layout's jobs are of one node each."""
    submit_from_compute: bool
    cancel_command: list[str]
    """The site's words in place of the batch system's."""
    account: str | None
    constraint: str | None
    reservation: str | None
    mail_on: list[str]
    memory_directive: str
    memory_resource: str | None
    """By which the batch system is asked for memory, where a site chooses its name."""
    memory_unit: str | None
    """Of a bare number, where a site chooses it."""
    parallel_environments: dict[str, ParallelEnvironmentPlan | None]
    """For jobs on one `node` and on several `nodes`, where the batch system has such a thing."""
    rejects: list[str]
    jobs: tuple[Job, ...]
    """The first one holds the scheduler and runs the workload."""
    workers: WorkerGroup
    minimum: int
    timeout_seconds: int | None
    """Until `minimum` workers are connected; None: as long as it takes."""
    scheduler: SchedulerPlan
    environment: EnvironmentPlan
    workload: WorkloadPlan
    security: str
    notes: list[str] = field(default_factory=list)
    """What the user should know: a key that this site has no use for."""

    def has_workers(self, job: Job) -> bool:
        """Whether this job holds workers: every one but a first one that the others follow."""
        return job.after is not None or len(self.jobs) == 1

    def as_data(self) -> dict[str, Any]:
        """Dictionaries, lists, text and numbers, for templates and for JSON."""
        return asdict(self)
