"""The plan: a profile resolved against a site, every number known, nothing rendered yet.

Plain dataclasses: a plan is made by us alone, so there is nothing in it to validate; templates get it as plain data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class WorkerGroup:
    """Workers that are alike."""

    name: str
    count: int
    per_node: int
    nodes: int
    on_last_node: int
    """The last node holds what is left."""
    threads: int
    memory_bytes: int
    resources: dict[str, float]
    interface: str | None
    local_directory: str
    spill: bool | Literal["auto"]
    """auto: each node looks what kind of file system its local directory is."""
    lifetime_seconds: int | None
    death_timeout_seconds: int
    options: list[str]


@dataclass(frozen=True)
class Job:
    """One call of the batch system's submit command."""

    name: str
    file: str
    nodes: int
    cores_per_node: int
    memory_bytes_per_node: int
    walltime_seconds: int | None
    end_early_seconds: int
    """So long before the walltime the job ends by itself, to leave a record."""
    queue: str | None
    array: int | None
    groups: tuple[WorkerGroup, ...]
    """The first node also holds the scheduler and the workload."""


@dataclass(frozen=True)
class SchedulerPlan:
    interface: str | None
    dashboard: bool
    idle_timeout_seconds: int | None


@dataclass(frozen=True)
class EnvironmentPlan:
    modules: list[str]
    conda: str | None
    venv: str | None
    python: str | None
    """The interpreter to use where neither conda nor venv is given."""
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
class Plan:
    """What will be asked of the batch system and started in its jobs."""

    name: str
    site: str
    batch_system: str
    layout: str
    launcher: str | None
    """The template that starts one process per node; None: the batch system's usual one."""
    launcher_options: list[str]
    account: str | None
    qos: str | None
    constraint: str | None
    reservation: str | None
    mail_to: str | None
    mail_on: list[str]
    requeue: bool
    memory_directive: str
    memory_resource: str | None
    """By which the batch system is asked for memory, where a site chooses its name."""
    memory_unit: str | None
    """Of a bare number, where a site chooses it."""
    parallel_environments: dict[str, ParallelEnvironmentPlan | None]
    """For jobs on one `node` and on several `nodes`, where the batch system has such a thing."""
    directives: list[str]
    """Further ones: the site's, the queue's, the user's."""
    rejects: list[str]
    jobs: tuple[Job, ...]
    minimum: int
    timeout_seconds: int
    scheduler: SchedulerPlan
    environment: EnvironmentPlan
    workload: WorkloadPlan
    security: str
    notes: list[str] = field(default_factory=list)
    """What the user should know: a key that this site has no use for."""

    @property
    def workers_wanted(self) -> int:
        return sum(group.count for job in self.jobs for group in job.groups)

    def as_data(self) -> dict[str, Any]:
        """Dictionaries, lists, text and numbers, for templates and for JSON."""
        return asdict(self)
