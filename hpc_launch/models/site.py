"""The site profile: what a machine is. Every key, its default and its meaning stand here, once."""

from fractions import Fraction
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from hpc_launch.models.base import Model, OrName, key
from hpc_launch.models.fields import (
    Bytes,
    Date,
    Directive,
    EnvironmentName,
    HostName,
    Name,
    PathText,
    Ports,
    Positive,
    QueueName,
    RegularExpression,
    Seconds,
    Share,
    ShellLines,
    Switch,
    Text,
    Whole,
    Word,
)
from hpc_launch.models.layout_name import OWN, LayoutName

Purpose = Literal["status", "cancel", "submit"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
Known = Switch | Literal["unknown"]
"""Whether something is so; what is unknown is tried once."""


class Maintainer(Model):
    name: Text = key(description="person or group")
    contact: Text = key(description="how to reach them")


class Detect(Model):
    hostname: RegularExpression | None = key(None, "regular expression, matches whole")
    environment: dict[EnvironmentName, Text] = key({}, "variables that have these values")
    cluster: Text | None = key(None, "the batch system's own name for the cluster")


class Launcher(Model):
    name: Name = key(description="a template of templates/launchers")
    options: list[Text] = key([], "further words on its command line")


class Launchers(Model):
    node: Annotated[Launcher, OrName()] | None = key(None, "one process per node")
    mpi: Annotated[Launcher, OrName()] | None = key(None, "MPI ranks")

    def of(self, kind: Literal["node", "mpi"]) -> Launcher | None:
        """The one that is named for this."""
        return self.node if kind == "node" else self.mpi


class Commands(Model):
    submit: list[Text] = key([], "words in place of the submit command")
    status: list[Text] = key([], "words in place of the status command")
    cancel: list[Text] = key([], "words in place of the cancel command")


class ParallelEnvironment(Model):
    name: Word = key(description="as the site calls it")
    slots: Positive | None = key(None, "fixed number of slots on each host")


class ParallelEnvironments(Model):
    node: Annotated[ParallelEnvironment, OrName()] | None = key(None, "one host")
    nodes: Annotated[ParallelEnvironment, OrName()] | None = key(None, "several hosts")

    def of(self, nodes: int) -> ParallelEnvironment | None:
        """The one for a job of so many nodes."""
        return self.nodes if nodes > 1 else self.node


class FromCompute(Model):
    status: Known | None = key(None, "whether jobs may ask the batch system")
    cancel: Known | None = key(None, "whether jobs may cancel jobs, and let held ones go")
    submit: Known | None = key(None, "whether jobs may submit jobs")


class Policy(Model):
    required: list[Text] = key([], "profile keys a user must set")
    forbidden: list[Text] = key([], "profile keys a user must not set")


class Network(Model):
    interface: Word | None = key(None, "the fast network's interface on compute nodes")
    ports: Ports | None = key(None, "where a firewall asks for it")


class Access(Model):
    login: HostName | None = key(None, "login host, as people's own machines know it")
    jump: list[HostName] = key([], "hosts on the way to it, the outermost first")
    ssh_to_nodes: Switch = key(True, "whether users may ssh to nodes on which they have a job")


class Storage(Model):
    runs: PathText = key("$HOME/.hpc-launch/runs", "where run directories are made; shared")
    local: PathText = key("$TMPDIR", "node-local scratch")
    local_kind: Literal["disk", "memory", "shared"] | None = key(
        None, "only a disk may spill; unknown: each node looks"
    )


class Memory(Model):
    directive: Literal["per-node", "per-cpu", "per-slot", "per-gpu", "omit"] = key(
        "per-node", "how memory is asked for"
    )
    headroom: Share = key(Fraction(1, 20), "share of a node that the workers leave to everything else")
    resource: Word | None = key(None, "Grid Engine: the resource's name")
    unit: Word | None = key(None, "LSF: the site's unit")


class Submitted(Model):
    jobs: Positive | None = key(None, "queued and running")


class Running(Model):
    cores: Positive | None = key(None, "of all jobs together")
    memory: Bytes | None = key(None, "of all jobs together")
    jobs: Positive | None = key(None, "each element of an array is one")


class Limits(Model):
    array: Positive | None = key(None, "elements of one array")
    submitted: Submitted = key(Submitted, "more is refused")
    running: Running = key(Running, "more than this never runs at once")


class Qos(Model):
    walltime: Seconds | None = key(None, "replaces the queue's, in either direction")
    cores: Positive | None = key(None, "of one user at once")
    jobs: Positive | None = key(None, "of one user at once")


class SiteEnvironment(Model):
    setup: ShellLines = key("", "what makes `module` and the like work in a bare shell")


class NodeSize(Model):
    cores: Positive | None = key(None, "as the batch system counts them")
    memory: Bytes | None = key(None, "what a job may ask for")


class Least(Model):
    cores: Positive | None = key(None, "of all nodes of the job together")
    memory: Bytes | None = key(None, "of all nodes of the job together")
    nodes: Positive | None = key(None, "of the job")


class Queue(Model):
    nodes: Positive | None = key(None, "how many there are")
    cores: Positive | None = key(None, "of one node, as the batch system counts them")
    memory: Bytes | None = key(None, "of one node, what a job may ask for")
    gpus: Annotated[Whole, Field(ge=0)] | None = key(None, "of one node")
    largest: NodeSize = key(NodeSize, "of unlike nodes: a job may ask for so much; workers are laid out for `cores`")
    exclusive: Switch = key(False, "jobs get whole nodes, and are charged for all their cores")
    walltime: Seconds | None = key(None, "the longest")
    default_walltime: Seconds | None = key(None, "when none is asked for")
    max_nodes: Positive | None = key(None, "of one job")
    max_cores: Positive | None = key(None, "of one job")
    max_memory: Bytes | None = key(None, "of one job")
    least: Least = key(Least, "of one job: a smaller one is refused")
    max_jobs: Positive | None = key(None, "running jobs of one user")
    max_submitted: Positive | None = key(None, "queued and running jobs of one user")
    max_user_nodes: Positive | None = key(None, "of all running jobs of one user")
    max_user_cores: Positive | None = key(None, "of all running jobs of one user")
    max_user_memory: Bytes | None = key(None, "of all running jobs of one user")
    qos: Word | None = key(None, "the quality of service that this queue needs")
    interface: Word | None = key(None, "the fast network's interface where it differs from the site's")
    preemptible: Switch = key(False, "jobs may be killed for others: never taken unasked")
    directives: list[Directive] = key([], "always added in this queue")


class Site(Model):
    schema_: Literal[1] = key(1, "version of this format", alias="schema")
    name: Name = key(description="need not equal the file's name")
    title: Text = key("", "one line")
    status: Literal["active", "retired"] = key("active", "a retired site is rendered for, and takes no jobs")
    successor: Text | None = key(None, "which site to take instead")
    maintainers: list[Maintainer] = key([], "who looks after this file")
    reviewed: Date | None = key(None, "when it was last compared with the machine")
    sources: list[Text] = key([], "where the facts were read")
    notes: list[Text] = key([], "what is unknown or contradicted")
    message: ShellLines | None = key(None, "shown on every submit")
    extends: Text | None = key(None, "name of a site profile whose keys this one inherits")
    detect: Detect = key(Detect, "where this site is taken when none is named")
    batch_system: Name = key(description="slurm, pbs, sge (Grid Engine), lsf, local, or a plug-in's")
    launchers: Launchers = key(Launchers, "what starts processes on the nodes of a job")
    commands: Commands = key(Commands, "where a site wraps those of its batch system")
    submit_from_compute: Switch = key(True, "whether jobs may speak to the batch system")
    from_compute: FromCompute = key(FromCompute, "which of it they may; left out: as submit_from_compute says")
    submit_stdin: Switch | None = key(
        None, "whether the script goes to the submit command's input; unknown: as is usual"
    )
    arrays: Switch = key(True, "whether there are job arrays")
    requeue: Switch = key(False, "whether jobs may be put back into the queue")
    account: Literal["required", "optional", "none"] = key("optional", "whether jobs name an account or project")
    parallel_environments: ParallelEnvironments = key(ParallelEnvironments, "Grid Engine's")
    layouts: list[LayoutName] = key([*OWN], "those that the machine's rules allow")
    ruled_out: dict[LayoutName, Text] = key({}, "layout that they do not allow, and which rule it is")
    policy: Policy = key(Policy, "profile keys that users must, or must not, set")
    access: Access = key(Access, "how people reach it by ssh")
    network: Network = key(Network, "between compute nodes")
    storage: Storage = key(Storage, "where runs and workers write")
    memory: Memory = key(Memory, "how it is asked for")
    limits: Limits = key(Limits, "of one user")
    qos: dict[Word, Qos] = key({}, "limits that belong to a quality of service")
    defaults: dict[str, Any] = key({}, "profile keys, as a layer below the user's")
    environment: SiteEnvironment = key(SiteEnvironment, "of every job")
    containers: Word | None = key(None, "what runs them: apptainer, singularity, podman-hpc, shifter, or a plug-in's")
    directives: list[Directive] = key([], "always added")
    rejects: list[Text] = key([], "directives that this site refuses")
    request: Word | None = key(None, "PBS: how cores and memory are asked for")
    takes: list[Text] = key([], "what not every batch system of its kind takes, and this one does")
    resources: dict[Word, Text] = key({}, "named resource → directive, with {n}")
    queues: dict[QueueName, Queue] = key(description="by name; in this order `queue: auto` tries them")
    retired_queues: dict[Word, Text] = key({}, "queue that is no more, and what to take instead")
    custom: dict[str, Any] = key({}, "schema-free zone")

    @property
    def jobs_may_keep(self) -> bool:
        """Whether a run's job may bring its workers to the wanted number, as far as it is known."""
        return all(self.jobs_may(purpose) is not False for purpose in PURPOSES)

    def jobs_may(self, purpose: Purpose) -> bool | None:
        """Whether jobs may do this on the batch system; None: nobody knows."""
        given: bool | str | None = getattr(self.from_compute, purpose)
        if given is None:
            return self.submit_from_compute
        return given if isinstance(given, bool) else None
