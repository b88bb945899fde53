"""The plan: a profile resolved against a site, every number known, nothing rendered yet.

A value of plain dataclasses: nobody appends to it. Templates get it as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from hpc_launch.config.origin import KeyPath
from hpc_launch.models.job import Job, Role
from hpc_launch.models.plan_parts import (
    AccessPlan,
    EnvironmentPlan,
    LauncherPlan,
    ParallelEnvironmentPlan,
    SchedulerPlan,
    WorkloadPlan,
)
from hpc_launch.models.worker_group import WorkerGroup


@dataclass(frozen=True)
class Plan:
    """What will be asked of the batch system and started in its jobs."""

    name: str
    site: str
    batch_system: str
    layout: str
    launcher: LauncherPlan | None
    """None: the layout's jobs are of one node each."""
    from_compute: Mapping[str, bool | None]
    """Whether jobs may do this (`status`, `cancel`, `submit`) on the batch system; None: nobody knows."""
    cancel_command: tuple[str, ...]
    """The site's words in place of the batch system's."""
    passed_on: Mapping[str, str | None]
    """Key of the profile → a word for a directive; None: not given. Templates find them among the plan's own."""
    mail_on: tuple[str, ...]
    memory_directive: str
    memory_resource: str | None
    """By which the batch system is asked for memory, where a site chooses its name."""
    memory_unit: str | None
    """Of a bare number, where a site chooses it."""
    parallel_environments: Mapping[str, ParallelEnvironmentPlan | None]
    """For jobs on one `node` and on several `nodes`, where the batch system has such a thing."""
    rejects: tuple[str, ...]
    jobs: tuple[Job, ...]
    """In the order in which they are submitted."""
    groups: Mapping[str, WorkerGroup]
    """Name → workers of one kind."""
    minimum: int
    timeout_seconds: int | None
    """Until `minimum` workers are connected; None: as long as it takes."""
    scheduler: SchedulerPlan
    environment: EnvironmentPlan
    workload: WorkloadPlan
    security: str
    request: str | None = None
    """How cores and memory are asked for, where there is a choice; None: in the usual way."""
    takes: tuple[str, ...] = ()
    """What not every batch system of its kind takes, and this one does (`Dialect.optional`)."""
    intervals: str = ""
    """How often what changes is looked at, where that was set short (HPC_LAUNCH_INTERVALS); empty: as usual."""
    array_limit: int | None = None
    """Elements that one call of the submit command may have, 1 where there are no arrays; None: any number."""
    most_elements: int | None = None
    """Elements of all groups that may be submitted at one time beside the scheduler's job; None: any number."""
    most_in_queues: Mapping[str, int] = field(default_factory=dict)
    """The same of the elements in a queue."""
    on_demand: tuple[Job, ...] = ()
    """Of each group that begins without workers a worker job: its script is there, nothing of it is submitted yet."""
    jupyter: bool = False
    """Whether JupyterLab runs beside the scheduler."""
    ports: str | None = None
    """`FIRST-LAST`: the ports on which the site lets connections through; None: all."""
    access: AccessPlan = field(default_factory=AccessPlan)
    at_once: int | None = None
    """Worker jobs that run at one time on this machine, which has no batch system; None: it has one."""

    @property
    def jobs_may_keep(self) -> bool:
        """Whether the run's keeper may be a process of its scheduler's job."""
        return False not in self.from_compute.values()

    @property
    def main(self) -> Job:
        """The job that holds the scheduler and runs the workload."""
        return next(job for job in self.jobs if job.role != "workers")

    @property
    def kinds_of_jobs(self) -> list[Job]:
        """One job of each kind: arrays of one group are alike, but perhaps for their size."""
        kinds: dict[tuple[Role, str | None], Job] = {}
        for job in (*self.jobs, *self.on_demand):
            kinds.setdefault((job.role, job.group), job)
        return list(kinds.values())

    @property
    def element_limits(self) -> list[tuple[list[str], int]]:
        """Groups, and how many elements of these may be submitted at one time, all together."""
        kinds = {job.group: job for job in self.kinds_of_jobs}
        limits = [([*self.groups], self.most_elements)]
        for queue, most in self.most_in_queues.items():
            limits.append(([name for name in self.groups if queue in kinds[name].queues], most))
        limits += [([name], group.at_once) for name, group in self.groups.items()]
        return [(names, most) for names, most in limits if most is not None]

    @property
    def stands(self) -> bool:
        """Whether it is a standing cluster, which has no workload."""
        return self.workload.command is None

    @property
    def has_workers(self) -> bool:
        """Whether there is a Dask cluster of ours; otherwise its one job holds the workload alone."""
        return bool(self.groups)

    @property
    def ports_beside_workers(self) -> int:
        """On the scheduler's node: its own, that of its pages on loopback, of those for other hosts, JupyterLab's."""
        return 2 + (self.scheduler.dashboard == "node") + self.jupyter

    @property
    def workers_wanted(self) -> int:
        """Of all groups."""
        return sum(group.count for group in self.groups.values())

    def group_of(self, job: Job) -> WorkerGroup:
        """The workers of a job that has some."""
        assert job.group is not None
        return self.groups[job.group]

    def as_data(self) -> dict[str, Any]:
        """Dictionaries, lists, text and numbers, for templates and for JSON."""
        return asdict(self)


class Reason(NamedTuple):
    """A value that the profile leaves open, and why it is what it is."""

    value: Any
    """As it could be written in a profile."""
    why: str


Reasons = Mapping[KeyPath, Reason]
"""By the keys of the profile."""


@dataclass(frozen=True)
class Planned:
    """What planning gives."""

    plan: Plan
    notes: tuple[str, ...]
    """What the user should know: a key that this site has no use for."""
    reasons: Reasons
