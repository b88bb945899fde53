"""A job of the plan: one call of the submit command, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["all", "scheduler", "workers"]
"""What a job is for: scheduler, workload and workers; the first two alone; workers alone."""


def names_of(queues: str | None) -> tuple[str, ...]:
    """The queues of a text in which they stand with commas between; None: this machine, which has none."""
    return tuple(queues.split(",")) if queues else ()


@dataclass(frozen=True)
class Share:
    """What processes that are alike take of each node of a job."""

    of: Literal["workers", "scheduler", "workload", "JupyterLab"]
    number: int
    cores: int
    """Of each of them."""
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
    """Or several, any of which will do, with commas between; None: this machine."""
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
    def queues(self) -> tuple[str, ...]:
        """To any of which it may go."""
        return names_of(self.queue)

    @property
    def log_on_line(self) -> str | None:
        """What the submit command is told of its log: nothing where the script says it."""
        return self.log if self.role == "workers" else None

    def asked(self) -> dict[str, Any]:
        """What is told and recorded of it: what is submitted, and what each element asks for."""
        keys = ("name", "role", "group", "file", "array")
        numbers = ("nodes", "cores_per_node", "memory_bytes_per_node", "walltime_seconds")
        return {key: getattr(self, key) for key in (*keys, *numbers)}
