"""A run's record, `run.json`: what was submitted where, and how it ended. Written by the launcher side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from hpc_launch.models.stored import Kept, read, written

SCHEMA: Final = 1
MAIN: Final = ("all", "scheduler")
"""The roles of the job that holds the scheduler and runs the workload."""

Outcome = Literal[
    "succeeded",
    "failed",
    "timeout",
    "out-of-memory",
    "cancelled",
    "node-failure",
    "preempted",
    "launch-failed",
    "lost",
]
"""How a run can end. `failed`: the workload's own exit code is not 0; `lost`: gone without a trace."""


@dataclass(frozen=True, kw_only=True)
class RecordedJob(Kept):
    """One call of the batch system's submit command, and what came back."""

    name: str
    """Within the run: `job`, `workers` …"""
    role: str
    """A `plan.Role`, or the word of a later version for another one."""
    group: str | None = None
    """Of its workers; None: it has none."""
    file: str
    """Relative to the run directory."""
    job_name: str
    """What the batch system knows it by, when its id was never read."""
    command: tuple[str, ...]
    """With `{job:NAME}` for the id of a job that was not submitted yet."""
    after: str | None = None
    """The job that must have started before this one may."""
    job_id: str | None = None
    submitted: datetime | None = None
    nodes: int
    cores_per_node: int
    memory_bytes_per_node: int
    walltime_seconds: int | None = None
    array: int | None = None
    """Number of its elements; None: a plain job."""
    log: str | None = None
    """What the submit command is told of its log; None: the script says it."""
    first_element: int | None = None
    """The number of its first element, of a worker job; None: of an earlier version's."""


@dataclass(frozen=True, kw_only=True)
class Request(Kept):
    """What the plan asked for, as far as a run is compared with it."""

    workers_wanted: int
    minimum: int
    security: str
    stands: bool = False
    """Whether it is a standing cluster, which has no workload."""
    idle_timeout_seconds: int | None = None
    """After which a standing cluster ends."""
    has_workers: bool = True
    """Whether there is a Dask cluster; otherwise its one job holds the workload alone."""


@dataclass(frozen=True, kw_only=True)
class Ending(Kept):
    """How the run ended, once that is certain: it stays so after the batch system has forgotten the job."""

    outcome: str
    """An `Outcome`, or the word of a later version for another one."""
    exit_code: int
    reason: str = ""
    source: str
    """Who said so: `job` (state/), the name of the batch system, or `hpc-launch`."""
    decided: datetime
    attempt: int | None = None
    hint: str = ""
    """What to do about it, or to know of it, in one sentence."""
    workers_died: int | None = None
    """Workers that were gone without a word; None: nobody counted them."""


@dataclass(frozen=True, kw_only=True)
class Record(Kept):
    """All that the launcher side knows of a run. Times are in UTC."""

    schema: Literal[1]
    id: str
    name: str
    site: str
    batch_system: str
    layout: str
    created: datetime
    version: str
    """Of hpc-launch."""
    user: str
    host: str
    submitter: str | None = None
    """The process that submits the run's jobs, as `batch.processes.identity` has it: once it is gone, no more come."""
    profile: str
    """Where the profile was read, as an absolute path; empty if that is not known."""
    plan: Request
    jobs: tuple[RecordedJob, ...]
    """In the order in which they are submitted."""
    on_demand: tuple[RecordedJob, ...] = ()
    """Of each group that began without workers what its worker jobs are like."""
    commands: Mapping[str, list[str]]
    """The site's own words for submit, status and cancel."""
    submit_stdin: bool | None = None
    """Whether the script went to the submit command's input; None: as is usual with the batch system."""
    cancel_requested: datetime | None = None
    refused: str | None = None
    """What the batch system said when it did not take one of the jobs."""
    taken_back: datetime | None = None
    """When the run was given up because not all of its jobs were submitted: what its first job tells of its own end
    counts only if the workload had begun, and that job is to be called off, too."""
    withdrawn: datetime | None = None
    """When, after the run's end, those of its jobs were called off that its first one may not have called off."""
    missing_since: datetime | None = None
    """When the run was first found gone without a trace; state files may still arrive."""
    outcome: Ending | None = None

    @property
    def main(self) -> RecordedJob:
        """The job that holds the scheduler and runs the workload."""
        return next(job for job in self.jobs if job.role in MAIN)

    @property
    def worker_ids(self) -> list[str]:
        """Of the jobs that hold workers alone, as far as they are known."""
        return [job.job_id for job in self.worker_jobs if job.job_id]

    @property
    def worker_jobs(self) -> list[RecordedJob]:
        """Those that hold workers alone."""
        return [job for job in self.jobs if job.role == "workers"]

    @property
    def job_ids(self) -> list[str]:
        """Those that are known, in the order of submission."""
        return [job.job_id for job in self.jobs if job.job_id]

    @property
    def missing(self) -> list[RecordedJob]:
        """Jobs of which no id is known: not submitted yet, never, or without an answer."""
        return [job for job in self.jobs if not job.job_id]


def record_of(data: object) -> Record:
    """The record that JSON holds; raises Unfit."""
    return read(Record, _with_roles(data))


def data_of(record: Record) -> dict[str, Any]:
    """As JSON has it, with what a later version has added."""
    data: dict[str, Any] = written(record)
    return data


def _with_roles(data: object) -> object:
    """What each job is for, in a record that does not tell: only worker jobs are `after` another."""
    if not isinstance(data, dict) or not isinstance(jobs := data.get("jobs"), list):
        return data
    main = {"role": "scheduler"} if len(jobs) > 1 else {"role": "all", "group": "workers"}
    of_workers = {"role": "workers", "group": "workers"}
    known = [
        {**(of_workers if job.get("after") else main), **job} if isinstance(job, dict) and "role" not in job else job
        for job in jobs
    ]
    return {**data, "jobs": known}
