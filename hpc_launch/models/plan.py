"""The plan: a profile resolved against a site, every number known, nothing rendered yet.

A value of plain dataclasses: nobody appends to it. Templates get it as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from hpc_launch.config.origin import KeyPath

WORKERS: Final = "workers"
"""The group of all workers, where the profile has no groups: none of these has this name."""
Role = Literal["all", "scheduler", "workers"]
"""What a job is for: scheduler, workload and workers; the first two alone; workers alone."""


@dataclass(frozen=True)
class Bounds:
    """Of a group that has as many workers as the tasks need; None: as the keeper and the scheduler do it unasked."""

    minimum: int
    maximum: int
    interval: int | None
    wait_count: int | None
    target_duration: int | None


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
    resources: Mapping[str, float]
    interface: str | None
    local_directory: str
    spill: bool | Literal["auto"]
    """auto: each node looks what kind of file system its local directory is."""
    lifetime_seconds: int | None
    lifetime_stagger_seconds: int | None
    """By so much, at most, each worker's lifetime differs; None: it counts from the worker's start, for all alike."""
    death_timeout_seconds: int
    options: tuple[str, ...]
    adapt: Bounds | None = None
    """None: their number is fixed."""
    at_once: int | None = None
    """Elements that are submitted at one time, at most; None: any number."""

    @property
    def first_nodes(self) -> int:
        """Those that are submitted at first."""
        return self.nodes if self.at_once is None else min(self.nodes, self.at_once)

    @property
    def most_at_once(self) -> int:
        """Workers that may be there at one time."""
        most = max(self.count, self.adapt.maximum if self.adapt else 0)
        return most if self.at_once is None else min(most, self.at_once * self.per_node)

    @property
    def needs_keeper(self) -> bool:
        """Whether its worker jobs are not all submitted at first, or not all that there will be."""
        return self.adapt is not None or self.first_nodes < self.nodes


def script_of(stem: str, group: str) -> str:
    """The file of a group's own that is called so: `workers.sh`, or `workers-GROUP.sh`."""
    return f"{stem}.sh" if group == WORKERS else f"{stem}-{group}.sh"


def ends_before(walltime: int | None, run: int | None) -> bool:
    """Whether a worker job's walltime ends while its run may go on, which then needs another one in its place."""
    return walltime is not None and (run is None or walltime < run)


@dataclass(frozen=True)
class Share:
    """What processes that are alike take of each node of a job."""

    of: Literal["workers", "scheduler", "workload", "JupyterLab"]
    number: int
    cores: int
    """Of each of them; the threads of a worker."""
    memory_bytes: int
    gpus: int = 0

    @property
    def named(self) -> str:
        """In a sentence."""
        return self.of if self.of == "JupyterLab" else f"the {self.of}"


@dataclass(frozen=True)
class Job:
    """One call of the batch system's submit command: a job, or an array of jobs that are alike."""

    name: str
    """Within the run: `job`, `scheduler`; of worker jobs their group, from the second job on with a number: `fat-2`."""
    role: Role
    group: str | None
    """Of its workers; None: it has none."""
    file: str
    """The script; one for all submissions of a group."""
    template: str
    """Of templates/layouts/LAYOUT/."""
    after: str | None
    """The job that must have started before this one may."""
    log: str
    """What the batch system writes of it, relative to the run directory, without its suffix and an element's index."""
    nodes: int
    """Of each element."""
    ranks_per_node: int
    """MPI processes; 1 where a launcher starts one process on each node."""
    holds: tuple[Share, ...]
    """What each node, but perhaps the last one, has room for; cores and memory per node follow from it."""
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
    resources: tuple[str, ...]
    """Named resources of the site that this job asks for, such as GPUs of each node, in the batch system's words."""
    directives: tuple[str, ...]
    """Further ones: the site's, the queue's, the user's."""
    array: int | None
    """Number of its elements; None: a plain job."""
    first_element: int
    """The first element's number among all of the run; 0 unless the array is one of several."""
    constraint: str | None = None
    """On its nodes; None: any."""

    def named(self, run: str) -> str:
        """What the batch system is to call it, in a run of which the main job has this name."""
        return f"{run}-{self.name}" if self.role == "workers" else run

    @property
    def log_on_line(self) -> str | None:
        """What the submit command is told of its log: nothing where the script says it."""
        return self.log if self.role == "workers" else None

    def asked(self) -> dict[str, Any]:
        """What is told and recorded of it: what is submitted, and what each element asks for."""
        keys = ("name", "role", "group", "file", "array")
        numbers = ("nodes", "cores_per_node", "memory_bytes_per_node", "walltime_seconds")
        return {key: getattr(self, key) for key in (*keys, *numbers)}


@dataclass(frozen=True)
class SchedulerPlan:
    cores: int
    interface: str | None
    dashboard: Literal["loopback", "node", "none"]
    """Where the pages are served: on the first node for itself alone, for other hosts too, or nowhere."""
    idle_timeout_seconds: int | None
    """After which a standing cluster ends; None: the run has a workload."""


@dataclass(frozen=True)
class ContainerPlan:
    runtime: str
    image: str
    binds: tuple[str, ...]


@dataclass(frozen=True)
class EnvironmentPlan:
    modules: tuple[str, ...]
    conda: str | None
    venv: str | None
    python: str | None
    """The interpreter to use where neither conda nor venv is given."""
    container: ContainerPlan | None
    variables: Mapping[str, str]
    setup: str
    site_setup: str


@dataclass(frozen=True)
class WorkloadPlan:
    command: tuple[str, ...] | str | None
    """None: a standing cluster."""
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
    options: tuple[str, ...]


@dataclass(frozen=True)
class AccessPlan:
    """How people reach the machine by ssh."""

    login: str | None = None
    jump: tuple[str, ...] = ()
    """Hosts on the way to it, the outermost first."""
    ssh_to_nodes: bool = True


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
    access: AccessPlan = AccessPlan()
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
            limits.append(([name for name in self.groups if kinds[name].queue == queue], most))
        limits += [([name], group.at_once) for name, group in self.groups.items()]
        return [(names, most) for names, most in limits if most is not None]

    @property
    def stands(self) -> bool:
        """Whether it is a standing cluster, which has no workload."""
        return self.workload.command is None

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


@dataclass(frozen=True)
class Reason:
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
