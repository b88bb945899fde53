"""The user's profile: what to run. Every key, its default and its meaning stand here, once."""

from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, model_validator

from hpc_launch.models.base import Model, OrNone, OrSwitch, PassedOn, key
from hpc_launch.models.fields import (
    Amount,
    Argument,
    Auto,
    Bytes,
    Directive,
    EnvironmentName,
    EnvironmentValue,
    Expression,
    GroupName,
    Import,
    Module,
    Moment,
    Name,
    NodePath,
    PathText,
    ResourceName,
    Seconds,
    SecondsOrAuto,
    ShellLines,
    Switch,
    Text,
    Threshold,
    Whole,
    Word,
)
from hpc_launch.models.layout_name import LayoutName
from hpc_launch.units import GIB

AUTO = "auto"
"""As a queue: the first one that fits."""
NONE: Final = "none"
"""In place of a workload: a standing cluster. In place of workers: a job without a Dask cluster of ours."""
Count = Annotated[Whole, Field(ge=1, le=1_000_000)]
Perhaps = Annotated[Whole, Field(ge=0, le=1_000_000)]
"""The same, or none."""
Port = Annotated[Whole, Field(ge=1024, le=65535)]
Cores = Annotated[Whole, Field(ge=0, le=100_000)]


class Mail(Model):
    to: Word | None = key(None, "address; none: no mail")
    on: list[Literal["begin", "end", "fail"]] = key(["end", "fail"], "what to write about")


class Adapt(Model):
    minimum: Perhaps = key(0, "workers, at least")
    maximum: Count | None = key(None, "workers, at most; left out: count")
    interval: Seconds | None = key(None, "between two looks at the tasks; left out: 5s")
    wait_count: Count | None = key(None, "so many looks must want fewer before it shrinks; left out: 3")
    target_duration: Seconds | None = key(None, "in which all tasks are to be done; left out: 30s")


class Thresholds(Model):
    """Of a worker's memory limit; None: the user's own settings of Dask, or Dask's."""

    target: Threshold | None = key(None, "results beyond it are spilled; false: none")
    spill: Threshold | None = key(None, "of the whole process: then results are spilled, too; false: none")
    pause: Threshold | None = key(None, "the worker begins no more tasks; false: it never stops")
    terminate: Threshold | None = key(None, "its nanny starts it anew; false: never")

    @property
    def given(self) -> dict[str, Fraction | Literal[False]]:
        """Those that are said, in the order in which they are reached."""
        return {name: value for name, value in self if value is not None}


class WorkerKeys(Model):
    """What can be said of all workers, and of those of one group."""

    count: Perhaps = key(description="worker processes, exactly; the last node or element may hold fewer")
    cores: Count | None = key(None, "asked for, for each worker; left out: one for each thread")
    threads: Count = key(1, "threads of each worker")
    memory: Bytes | None = key(None, "limit of each worker; left out: its cores' share of a node")
    per_node: Count | None = key(None, "workers on a node; left out: as many as fit")
    walltime: Seconds | None = key(None, "job-array: of the worker jobs; default: the run's")
    queue: Word | None = key(None, "job-array: of the worker jobs; default: the run's")
    qos: Word | None = key(None, "job-array: of the worker jobs; default: the run's")
    constraint: Expression | None = key(None, "job-array: of the worker jobs; default: the run's")
    directives: list[Directive] | None = key(None, "job-array: of the worker jobs; default: the run's")
    resources: dict[ResourceName, Amount] = key({}, "Dask resources of each worker")
    local_directory: NodePath = key("auto", "auto: the site's node-local scratch")
    interface: Word = key("auto", "network interface; auto: the site's fast network")
    spill: Switch | Auto = key("auto", "spill to disk; auto: only where that is a local disk")
    thresholds: Thresholds = key(Thresholds, "Dask's memory policy")
    lifetime: SecondsOrAuto | None = key("auto", "workers end after it; auto: in job-array before the walltime")
    gpus: Annotated[Whole, Field(ge=0)] = key(0, "of each worker")
    options: list[Text] = key([], "words passed on to `dask worker`")
    imports: list[Import] = key([], "modules that are imported once for all workers of a node")
    adapt: Adapt | None = key(None, "job-array: as many workers as the tasks need, within bounds")
    at_once: Count | None = key(None, "job-array: so many worker jobs submitted at one time, at most")

    @property
    def cores_of_each(self) -> int:
        """Asked for, for each worker."""
        return self.cores or self.threads

    @property
    def cores_key(self) -> Literal["cores", "threads"]:
        """The key that decides how many these are."""
        return "cores" if self.cores else "threads"

    @model_validator(mode="after")
    def _count_is_within_bounds(self) -> "WorkerKeys":
        if self.adapt is not None and not getattr(self, "groups", None):
            maximum = self.count if self.adapt.maximum is None else self.adapt.maximum
            if not maximum:
                raise ValueError("count 0 has to grow: say how far, by adapt.maximum")
            if not self.adapt.minimum <= self.count <= maximum:
                raise ValueError(
                    f"count {self.count} is not within the bounds of adapt, {self.adapt.minimum} to {maximum}:"
                    " it is the number to begin with"
                )
        return self


class Workers(WorkerKeys):
    minimum: Perhaps | None = key(None, "the workload starts when so many are connected")
    spread: Literal["even", "packed"] = key(
        "even", "single-job, mpi: alike on all nodes that are needed; packed: nodes are filled one after the other"
    )
    timeout: Seconds | None = key(None, "…or the run fails; single-job, mpi: 10m when left out")
    groups: dict[GroupName, WorkerKeys] = key({}, "job-array: workers of several kinds, in place of count")

    model_config = ConfigDict(json_schema_extra={"in_place_of_required": "groups"})

    @model_validator(mode="before")
    @classmethod
    def _count_all_groups(cls, data: Any) -> Any:
        groups = data.get("groups") if isinstance(data, dict) else None
        if not isinstance(groups, dict) or not groups or "count" in data:
            return data
        counts = [group.get("count") for group in groups.values() if isinstance(group, dict)]
        return {**data, "count": sum(count for count in counts if type(count) is int and count > 0) or 1}

    @model_validator(mode="after")
    def _can_begin(self) -> "Workers":
        if self.minimum is not None and self.minimum > self.count:
            raise ValueError(f"minimum {self.minimum} is more than count {self.count}: it could never be reached")
        return self

    @model_validator(mode="after")
    def _one_group_adapts(self) -> "Workers":
        adaptive = [name for name, group in self.groups.items() if group.adapt is not None]
        if len(adaptive) > 1:
            raise ValueError(f"{' and '.join(adaptive)} both have adapt: one group at most adapts to the tasks")
        return self

    def of_group(self, name: str) -> "Workers":
        """The keys of a group: its own, otherwise those of all workers."""
        group = self.groups[name]
        own = {key: getattr(group, key) for key in (*group.model_fields_set, *OF_EACH_GROUP)}
        resources = {**self.resources, **group.resources}
        thresholds = self.thresholds.model_copy(update=group.thresholds.given)
        merged = {"resources": resources, "thresholds": thresholds, "groups": {}}
        return self.model_copy(update={**own, **merged})


OF_EACH_GROUP = ("count", "adapt", "at_once")
"""Keys that a group does not take over from all workers."""


class NoWorkers(Workers):
    """`none` in place of the mapping."""

    count: Perhaps = 0


class Scheduler(Model):
    cores: Cores | None = key(None, "cores asked for beside the workers'; left out: 0, in job-array 1")
    memory: Bytes = key(2 * GIB, "memory asked for beside the workers'")
    interface: Word = key("auto", "network interface; auto: the site's fast network")
    port: Port | None = key(None, "on which it listens; left out: any free one, of the site's where it has some")
    dashboard: Switch | Literal["loopback", "node"] = key(
        True, "serve the dashboard; true: loopback, for the first node itself; node: for other hosts too, unencrypted"
    )
    idle_timeout: Seconds | None = key(None, "a standing cluster ends when idle for so long; left out: 1h")


class Jupyter(Model):
    cores: Cores = key(1, "cores asked for beside the workers'")
    memory: Bytes = key(4 * GIB, "what it and its kernels may gather; asked for, not a limit")


class Services(Model):
    jupyter: Annotated[Jupyter | None, OrSwitch()] = key(None, "JupyterLab beside the scheduler; true: as it comes")


class Container(Model):
    image: PathText = key(description="image file or address")
    binds: list[PathText] = key([], "further directories to bind in: SOURCE, SOURCE:TARGET, SOURCE:TARGET:ro")


class Environment(Model):
    purge: Switch = key(False, "module purge, before all else")
    module_path: list[PathText] = key([], "module use, before modules are loaded")
    modules: list[Module] = key([], "environment modules to load, in order")
    conda: PathText | None = key(None, "conda environment, name or path")
    venv: PathText | None = key(None, "virtual environment, its directory")
    python: PathText | None = key(None, "interpreter; none of the three: see docs/contracts.md")
    container: Container | None = key(None, "container to run in")
    variables: dict[EnvironmentName, EnvironmentValue] = key(
        {}, "environment variables; $NAME is expanded on the node, in this order, $$ is a dollar"
    )
    setup: ShellLines = key("", "shell lines, as they are")

    @model_validator(mode="after")
    def _one_python(self) -> "Environment":
        given = [key for key in ("conda", "venv", "python") if getattr(self, key) is not None]
        if self.container is not None and (self.conda or self.venv):
            raise ValueError(f"{given[0]}: in a container its own Python is used; `python:` names another one in there")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} name two Python environments: keep one")
        return self


class Workload(Model):
    command: Annotated[list[Argument], Field(min_length=1)] | ShellLines = key(
        description="a list: run as it is; a string: a bash command line"
    )
    directory: PathText = key(".", "where it runs; relative to the profile")
    cores: Cores = key(0, "cores asked for beside the workers'")
    memory: Bytes = key(2 * GIB, "what the workload process itself may gather")


class Profile(Model):
    schema_: Literal[1] = key(1, "version of this format", alias="schema")
    site: Text | None = key(None, "name or path of a site profile; left out: detected")
    name: Name | None = key(None, "of the run; default: the profile's file name")
    layout: LayoutName = key("single-job", "how the cluster is laid over jobs")
    account: Annotated[Word | None, PassedOn()] = key(None, "account or project that pays")
    queue: Word | None = key(None, "left out: the site's default; auto: the first that fits")
    qos: Word | None = key(None, "quality of service")
    constraint: Annotated[Expression | None, PassedOn()] = key(None, "node features")
    reservation: Annotated[Word | None, PassedOn()] = key(None, "reservation to run in")
    begin: Annotated[Moment | None, PassedOn()] = key(None, "not before this time, as the machine's clocks have it")
    mail: Mail = key(Mail, "messages of the batch system")
    walltime: Seconds | None = key(None, "of the run; left out: the site's or the queue's default")
    directives: list[Directive] = key([], "further directives, one each")
    workers: Annotated[Workers, OrNone(NoWorkers)] = key(description="the workers; none: no Dask cluster of ours")
    scheduler: Scheduler = key(Scheduler, "the Dask scheduler")
    services: Services = key(Services, "what else runs beside the scheduler")
    environment: Environment = key(Environment, "what to load")
    workload: Workload | Literal["none"] = key(
        description="what to run on the cluster; none: it stands until it is closed"
    )
    security: Literal["tls", "none"] = key("tls", "none: anyone who reaches the ports can run code as you")

    @property
    def stands(self) -> bool:
        """Whether there is no workload: the cluster stays until it is closed."""
        return self.workload == NONE

    @property
    def has_workers(self) -> bool:
        """Whether there is a Dask cluster of ours; otherwise the run is a job that holds the workload alone."""
        return not isinstance(self.workers, NoWorkers)

    @classmethod
    def passed_on(cls) -> list[str]:
        """The keys of which nothing but a directive is made."""
        marked = cls.model_fields.items()
        return [name for name, field in marked if any(isinstance(mark, PassedOn) for mark in field.metadata)]
