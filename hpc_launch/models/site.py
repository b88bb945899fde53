"""The site profile: what a machine is. Every key, its default and its meaning stand here, once."""

import datetime
import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from hpc_launch.models.fields import (
    Bytes,
    Directive,
    EnvironmentName,
    Name,
    PathText,
    Seconds,
    Share,
    ShellLines,
    Switch,
    Text,
    Whole,
    Word,
)
from hpc_launch.models.schema import After, Before, Bound, Model, key

Positive = Annotated[Whole, Bound(ge=1)]
Layout = Literal["single-job", "job-array", "mpi"]


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def _date(value: Any) -> datetime.date:
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a date such as 2026-11-22, got {value!r}") from None


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class Maintainer(Model):
    name: Text
    contact: Text


class Detect(Model):
    hostname: Annotated[Text, After(_regex)] | None = key(None, "regular expression, matches whole")
    environment: dict[EnvironmentName, Text] = key({}, "variables that have these values")
    cluster: Text | None = key(None, "the batch system's own name for the cluster")


class Launcher(Model):
    name: Name = key(description="a template of templates/launchers")
    options: list[Text] = key([], "further words on its command line")


class Launchers(Model):
    node: Annotated[Launcher, Before(_named)] | None = key(None, "one process per node")
    mpi: Annotated[Launcher, Before(_named)] | None = key(None, "MPI ranks")


class Commands(Model):
    submit: list[Text] = key([], "words in place of the submit command")
    status: list[Text] = key([], "words in place of the status command")
    cancel: list[Text] = key([], "words in place of the cancel command")


class ParallelEnvironment(Model):
    name: Word
    slots: Positive | None = key(None, "fixed number of slots on each host")


class ParallelEnvironments(Model):
    node: Annotated[ParallelEnvironment, Before(_named)] | None = key(None, "one host")
    nodes: Annotated[ParallelEnvironment, Before(_named)] | None = key(None, "several hosts")


class Policy(Model):
    required: list[Text] = key([], "profile keys a user must set")
    forbidden: list[Text] = key([], "profile keys a user must not set")


class Network(Model):
    interface: Word | None = key(None, "the fast network's interface on compute nodes")
    ports: Annotated[Text, Bound(pattern=r"^\d+-\d+$")] | None = key(None, "where a firewall asks for it")


class Storage(Model):
    runs: PathText = key("$HOME/.hpc-launch/runs", "where run directories are made; shared")
    local: PathText = key("$TMPDIR", "node-local scratch")
    local_kind: Literal["disk", "memory", "shared"] | None = key(
        None, "only a disk may spill; unknown: each node looks"
    )


class Memory(Model):
    directive: Literal["per-node", "per-cpu", "per-slot", "omit"] = key("per-node", "how memory is asked for")
    headroom: Share = key(Fraction(1, 20), "share of a node that the workers leave to everything else")
    resource: Word | None = key(None, "Grid Engine: the resource's name")
    unit: Word | None = key(None, "LSF: the site's unit")


class Submitted(Model):
    jobs: Positive | None = None


class Running(Model):
    cores: Positive | None = None
    memory: Bytes | None = None
    jobs: Positive | None = None


class Limits(Model):
    array: Positive | None = key(None, "elements of one array")
    submitted: Submitted = key(Submitted, "more is refused")
    running: Running = key(Running, "more than this never runs at once")


class Qos(Model):
    walltime: Seconds | None = None
    cores: Positive | None = None
    jobs: Positive | None = None


class SiteEnvironment(Model):
    setup: ShellLines = key("", "what makes `module` and the like work in a bare shell")


class Queue(Model):
    nodes: Positive | None = key(None, "how many there are")
    cores: Positive | None = key(None, "of one node, as the batch system counts them")
    memory: Bytes | None = key(None, "of one node, what a job may ask for")
    walltime: Seconds | None = key(None, "the longest")
    default_walltime: Seconds | None = key(None, "when none is asked for")
    max_nodes: Positive | None = key(None, "of one job")
    max_jobs: Positive | None = key(None, "of one user")
    qos: Word | None = key(None, "the quality of service that this queue needs")
    interface: Word | None = key(None, "the fast network's interface where it differs from the site's")
    preemptible: Switch = key(False, "jobs may be killed for others")
    directives: list[Directive] = key([], "always added in this queue")


class Site(Model):
    schema_: Literal[1] = key(1, alias="schema")
    name: Name
    title: Text = ""
    status: Literal["active", "retired"] = "active"
    successor: Text | None = None
    maintainers: list[Maintainer] = key([])
    reviewed: Annotated[datetime.date, Before(_date)] | None = None
    sources: list[Text] = key([])
    notes: list[Text] = key([])
    message: Text | None = key(None, "shown on every submit")
    extends: Text | None = None
    detect: Detect = key(Detect)
    batch_system: Name
    launchers: Launchers = key(Launchers)
    commands: Commands = key(Commands)
    submit_from_compute: Switch = True
    submit_stdin: Switch | None = None
    arrays: Switch = True
    requeue: Switch = False
    account: Literal["required", "optional", "none"] = "optional"
    parallel_environments: ParallelEnvironments = key(ParallelEnvironments)
    layouts: list[Layout] = key(["single-job", "job-array", "mpi"])
    policy: Policy = key(Policy)
    network: Network = key(Network)
    storage: Storage = key(Storage)
    memory: Memory = key(Memory)
    limits: Limits = key(Limits)
    qos: dict[Word, Qos] = key({})
    defaults: dict[str, Any] = key({}, "profile keys, as a layer below the user's")
    environment: SiteEnvironment = key(SiteEnvironment)
    containers: Word | None = None
    directives: list[Directive] = key([], "always added")
    rejects: list[Text] = key([], "directives that this site refuses")
    resources: dict[Word, Text] = key({}, "named resource → directive, with {n}")
    queues: dict[Word, Queue]
    retired_queues: dict[Word, Text] = key({})
    custom: dict[str, Any] = key({}, "schema-free zone")
