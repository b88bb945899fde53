"""`pool/`: what is said of the worker jobs of a run whose workers have jobs of their own (docs/contracts.md).

Written before the batch system is asked: a worker job finds its number there.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hpc_launch.errors import HpcLaunchError
from hpc_launch.keeper import disk
from hpc_launch.keeper.reading import SCHEMA, UNREADABLE, submission_document
from hpc_launch.keeper.values import Submission
from hpc_launch.runs.directory import update_record

if TYPE_CHECKING:
    from hpc_launch.checks.plan_on_site.growth import Ceiling
    from hpc_launch.models.job import Job
    from hpc_launch.models.plan import Plan
    from hpc_launch.models.record import Record, RecordedJob
    from hpc_launch.models.worker_group import Bounds, WorkerGroup
    from hpc_launch.prepare import Rendered

POOL: Final = "pool"


def write_pool(place: Path, rendered: Rendered, record: Record) -> None:
    """Write down what was planned, with the names of the jobs that are still to be submitted. May raise OSError."""
    plan = rendered.plan
    planned = [job for job in plan.jobs if job.role == "workers"]
    if not planned and not plan.on_demand:
        return
    (place / POOL).mkdir(mode=0o700)
    disk.replace(place / POOL / "groups.json", _groups(plan, record, rendered.ceilings))
    names = {job.name: job.job_name for job in record.jobs}
    missing = {name: group.count for name, group in plan.groups.items()}
    for number, job in enumerate(planned, 1):
        submission = _submission(plan, job, number, names[job.name], missing[str(job.group)])
        others = {"per_node": plan.group_of(job).per_node, "by": "submit", "submitted": None}
        disk.replace(_file(place, number), submission_document(submission, others))
        missing[submission.group] -= submission.workers


def note_job_id(place: Path, record: Record, job: RecordedJob, job_id: str) -> None:
    """Write down the id of a worker job that was submitted. May raise OSError."""
    number = 1 + [other.name for other in record.jobs if other.role == "workers"].index(job.name)
    file = _file(place, number)
    known = disk.load(file)
    disk.replace(file, {**known, "job_id": job_id, "submitted": round(time.time(), 3), "refused": None})


def take_in_submissions(place: Path, record: Record, over: bool) -> Record:
    """The record with the worker jobs that the run's keeper has submitted since, which is written to it, too.

    `over`: then also those of which no id is known: they are looked for by their names, and called off.
    """
    known = {job.job_name for job in record.jobs}
    settled = {_number_in(job.job_name) for job in record.worker_jobs if job.job_id}  # nothing more is told of these
    numbers = [number for number in _numbers(place) if number not in settled]
    found = [each for number in numbers if (each := read_document(_file(place, number)))]
    new = [each for each in found if each["job_name"] not in known and _is_there(each, over)]
    if not new:
        return record
    kinds = {job.group: job for job in reversed((*record.on_demand, *record.worker_jobs))}
    jobs = tuple(_recorded(each, kinds[each["group"]]) for each in new if each["group"] in kinds)

    def with_them(current: Record) -> Record:
        known = {job.job_name for job in current.jobs}
        return replace(current, jobs=(*current.jobs, *(job for job in jobs if job.job_name not in known)))

    try:
        return update_record(place, with_them)
    except (OSError, HpcLaunchError):  # a full disk: what is known is told all the same
        return with_them(record)


def _is_there(submission: dict[str, Any], over: bool) -> bool:
    return submission.get("by") == "keeper" and not submission.get("refused") and bool(submission.get("job_id") or over)


def _recorded(submission: dict[str, Any], kind: RecordedJob) -> RecordedJob:
    """A submission of a keeper, as the record has those of `submit`; the rest is as in the first one of its group."""
    number, when = submission["number"], submission.get("submitted")
    return replace(
        kind,
        name=f"{submission['group']}-{number}",
        job_name=submission["job_name"],
        job_id=submission.get("job_id"),
        submitted=datetime.fromtimestamp(when, timezone.utc) if when else None,
        array=submission["array"],
        first_element=submission["first"],
        log=f"logs/{kind.file.removesuffix('.sh')}-{number}-job",
        after=None,
        command=(),
    )


def _number_in(job_name: str) -> int:
    """Of which call of the submit command this is the name: it ends with its number, but that of the first."""
    last = job_name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 1


def _numbers(place: Path) -> list[int]:
    try:
        names = os.listdir(place / POOL)
    except OSError:
        return []
    return sorted(int(match[1]) for name in names if (match := re.fullmatch(r"([1-9][0-9]{0,6})\.json", name)))


def read_document(file: Path) -> dict[str, Any] | None:
    """What a file of `pool/` or `control/` says; None: it is not there, or not as this version knows it."""
    with suppress(*UNREADABLE):
        return dict(disk.load(file))
    return None


def _file(place: Path, number: int) -> Path:
    return place / POOL / f"{number}.json"


def _groups(plan: Plan, record: Record, ceilings: Mapping[str, Ceiling]) -> dict[str, Any]:
    kinds = {job.group: job for job in plan.kinds_of_jobs if job.role == "workers"}
    limits = plan.element_limits
    groups = {
        name: {
            "file": kinds[name].file,
            "count": group.count,
            "per_node": group.per_node,
            "threads": group.threads,
            "cores": group.cores_of_each,
            "memory_bytes": group.memory_bytes,
            "resources": dict(group.resources),
            "array_limit": plan.array_limit,
            "most_elements": min((most for names, most in limits if names == [name]), default=None),
            "ceiling": ceilings[name]._asdict() if name in ceilings else None,
            "walltime_seconds": kinds[name].walltime_seconds,
            **({"adapt": _without_none(group.adapt)} if group.adapt else {}),
        }
        for name, group in sorted(plan.groups.items(), key=_cost)
    }
    main = plan.main
    return {
        "schema": SCHEMA,
        "run": record.main.job_name,
        "batch_system": plan.batch_system,
        "commands": {purpose: list(words) for purpose, words in record.commands.items()},
        "submit_stdin": record.submit_stdin,
        "from_compute": dict(plan.from_compute),
        "minimum": plan.minimum,
        "walltime_seconds": main.walltime_seconds,
        "groups": groups,
        "limits": [{"groups": names, "elements": most} for names, most in limits if len(names) > 1],
    }


def _cost(named: tuple[str, WorkerGroup]) -> tuple[float, ...]:
    """Of a worker: tasks that several groups can run go to the cheapest."""
    _, group = named
    return group.gpus, group.memory_bytes, group.cores_of_each, len(group.resources)


def _without_none(bounds: Bounds) -> dict[str, int]:
    return {key: value for key, value in vars(bounds).items() if value is not None}


def _submission(plan: Plan, job: Job, number: int, job_name: str, missing: int) -> Submission:
    size = job.array or 1
    workers = min(size * plan.group_of(job).per_node, missing)
    return Submission(number, str(job.group), job.first_element, size, workers, job_name, job.array)
