"""Submitting: the intent is on disk before the batch system is asked; a crash leaves no job unknown."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch import __version__, security
from hpc_launch.batch.faults import NoAnswer, NotStarted, Refused
from hpc_launch.errors import BatchSystemError, HpcLaunchError, Problem, UsageError
from hpc_launch.models.record import SCHEMA, Ending, Record, RecordedJob, Request
from hpc_launch.prepare import after
from hpc_launch.runs import directory as run_directory
from hpc_launch.runs import evidence, index
from hpc_launch.runs.creation import create
from hpc_launch.runs.directory import update_record
from hpc_launch.runs.files import write_files
from hpc_launch.runs.status import adopt, batch_system

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem
    from hpc_launch.context import Context
    from hpc_launch.prepare import Rendered


def submit(rendered: Rendered, context: Context, run_dir: Path | None = None) -> tuple[Path, Record]:
    """Make the run directory and submit the jobs of the plan; gives the run directory and its record.

    Args:
        rendered: what to submit.
        context: where and who we are.
        run_dir: this very directory instead of a new one in the site's place for runs.

    Raises:
        UsageError: the run directory cannot be made.
        BatchSystemError: refused (its directory is kept), or not answered (it may be queued).
    """
    now = datetime.now(timezone.utc)
    token = secrets.token_hex(3)
    run_id = f"{rendered.plan.name}-{now.astimezone():%Y%m%d-%H%M%S}-{token}"
    place = context.directory / run_dir if run_dir else Path(rendered.runs_directory) / run_id
    record = _intent(rendered, context, run_id, token, now)
    create(place)
    try:
        _prepare(place, rendered, record)
        index.add(context, run_id, place)
    except OSError as fault:
        shutil.rmtree(place, ignore_errors=True)  # all that is in it we have just made
        hint = f"runs are listed in {context.state}: set XDG_STATE_HOME to name another place"
        cause = f"cannot write {fault.filename or place}: {fault.strerror or fault}"
        raise UsageError(Problem(cause, hint=hint)) from fault
    system = batch_system(record)
    for job in record.jobs:
        try:
            record = _submit_job(system, place, record, job)
        except BaseException:  # also Ctrl-C
            _take_back(system, place, record)
            raise
    with suppress(HpcLaunchError):  # it is submitted: what is left to do, `status` does, too
        if record.cancel_requested:  # somebody gave up while the batch system took its time
            system.cancel(record.job_ids)
        elif len(record.jobs) > 1 and evidence.read(place).told:  # over before the last of its jobs was submitted
            system.withdraw(record.worker_ids)
    return place, record


def _intent(rendered: Rendered, context: Context, run_id: str, token: str, now: datetime) -> Record:
    plan = rendered.plan
    commands = {purpose: list(words) for purpose, words in rendered.commands.items() if words}
    record = Record(
        schema=SCHEMA,
        id=run_id,
        name=plan.name,
        site=plan.site,
        batch_system=plan.batch_system,
        layout=plan.layout,
        created=now,
        version=__version__,
        user=context.user,
        host=context.hostname,
        profile=str(context.directory / rendered.profile),
        plan=Request(workers_wanted=plan.workers_wanted, minimum=plan.minimum, security=plan.security),
        jobs=(),
        commands=commands,
        submit_stdin=rendered.submit_stdin,
    )
    system = batch_system(record)
    jobs = []
    for job in plan.jobs:
        job_name = job.named(f"{plan.name}-{token}")
        command = tuple(system.submit_command(job.file, job_name, job.array, after(job)))
        jobs.append(RecordedJob(**job.asked(), job_name=job_name, command=command, after=job.after))
    return record.model_copy(update={"jobs": tuple(jobs)})


def _prepare(place: Path, rendered: Rendered, record: Record) -> None:
    write_files(place, rendered.files)
    for name in ("logs", "state"):
        (place / name).mkdir()
    if rendered.plan.security == "tls":
        security.create(place / "tls")
    run_directory.write_record(place, record)


def _submit_job(system: BatchSystem, place: Path, record: Record, job: RecordedJob) -> Record:
    before = {other.name: other.job_id for other in record.jobs}
    try:
        job_id = system.submit(place, job.file, job.job_name, job.array, before[job.after] if job.after else None)
    except (Refused, NotStarted) as fault:
        _refused(place, system.name, str(fault))
        raise _told(fault, "the run was not submitted", f"Its directory is kept: {place}") from fault
    except NoAnswer as fault:
        job_id = _look_for(system, record, job) or _give_up(place, record, job, fault)
    return adopt(place, record, job.name, job_id)


def _take_back(system: BatchSystem, place: Path, record: Record) -> None:
    """A run that lacks one of its jobs is none: end those that were submitted before."""
    if not record.job_ids:
        return
    now = datetime.now(timezone.utc)
    with suppress(OSError, HpcLaunchError):  # the wish is kept, for a job that shows up later
        update_record(place, lambda record: record.model_copy(update={"cancel_requested": now}))
    with suppress(HpcLaunchError):  # the fault that brought us here is what is told
        system.cancel(record.job_ids)


def _refused(place: Path, source: str, words: str) -> None:
    now = datetime.now(timezone.utc)
    end = Ending(outcome="launch-failed", exit_code=1, reason=words, source=source, decided=now)
    with suppress(OSError):
        update_record(place, lambda record: record.model_copy(update={"refused": words, "outcome": end}))
    security.remove(place / "tls")


def _look_for(system: BatchSystem, record: Record, job: RecordedJob) -> str | None:
    """The id of a job that may have been submitted although no answer came; None if it cannot be told."""
    from hpc_launch.runs.status import CLOCKS_DIFFER

    try:
        ids = system.find(job.job_name, record.created.timestamp() - CLOCKS_DIFFER)
    except NoAnswer:
        return None
    return ids[0] if len(ids) == 1 else None


def _give_up(place: Path, record: Record, job: RecordedJob, fault: NoAnswer) -> str:
    if job.role != "workers":
        message = f"whether {record.id} is queued cannot be told"
        hint = f"`hpc-launch status {record.id}` looks again. Its directory: {place}"
    else:
        message = f"whether {job.job_name} is queued cannot be told, so {record.id} was taken back"
        hint = f"`hpc-launch cancel {record.id}` looks again for what is left of it. Its directory: {place}"
    raise _told(fault, message, hint) from fault


def _told(fault: HpcLaunchError, message: str, hint: str) -> BatchSystemError:
    """Our own sentence, what the batch system said, the next step."""
    said = "\n".join(problem.message for problem in fault.problems)
    return BatchSystemError(Problem(f"{message}: {said}", hint=hint))
