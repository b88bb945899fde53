"""Submitting: the intent is on disk before the batch system is asked; a crash leaves no job unknown."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hpc_launch import __version__, security
from hpc_launch.batch import processes
from hpc_launch.batch.faults import NoAnswer, NotStarted, Refused
from hpc_launch.errors import BatchSystemError, HpcLaunchError, Problem, UsageError
from hpc_launch.keeper.reading import UNREADABLE
from hpc_launch.models.record import SCHEMA, Record, RecordedJob, Request
from hpc_launch.prepare import after
from hpc_launch.runs import directory as run_directory
from hpc_launch.runs import evidence, index, ownership, space
from hpc_launch.runs.creation import ELSEWHERE, create
from hpc_launch.runs.directory import update_record
from hpc_launch.runs.files import write_files
from hpc_launch.runs.first_wish import write_first_wish
from hpc_launch.runs.interruption import ToldToEnd, signals_raise, signals_wait
from hpc_launch.runs.job_ids import batch_system, record_job_id, with_id
from hpc_launch.runs.submissions import note_job_id, write_pool
from hpc_launch.runs.taking_back import look_for, record_refusal, take_back

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem
    from hpc_launch.context import Context
    from hpc_launch.models.job import Job
    from hpc_launch.prepare import Rendered


def submit(rendered: Rendered, context: Context, run_dir: Path | None = None) -> tuple[Path, Record]:
    """Make the run directory and submit the jobs of the plan; gives the run directory and its record.

    Whatever keeps one of the jobs from being submitted, Ctrl-C, TERM and HUP too, takes back those before it.

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
    space.require(place, rendered.files)
    with signals_raise():
        create(place)
        _prepare(place, rendered, record, context)
        record = _submit_all(place, record)
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
        submitter=processes.this_one(),
        profile=str(context.directory / rendered.profile),
        plan=Request(
            has_workers=plan.has_workers,
            workers_wanted=plan.workers_wanted,
            minimum=plan.minimum,
            security=plan.security,
            stands=plan.stands,
            idle_timeout_seconds=plan.scheduler.idle_timeout_seconds,
        ),
        jobs=(),
        commands=commands,
        submit_stdin=rendered.submit_stdin,
    )
    system, name = batch_system(record), f"{plan.name}-{token}"
    jobs, on_demand = (tuple(_recorded(system, job, name) for job in some) for some in (plan.jobs, plan.on_demand))
    return replace(record, jobs=jobs, on_demand=on_demand)


def _recorded(system: BatchSystem, job: Job, run: str) -> RecordedJob:
    """A job of the plan, in a run of which the main job has this name."""
    name, log = job.named(run), job.log_on_line
    command = tuple(system.submit_command(job.file, name, job.array, after(job), log))
    first = job.first_element if job.role == "workers" else None
    return RecordedJob(**job.asked(), job_name=name, command=command, after=job.after, log=log, first_element=first)


def _prepare(place: Path, rendered: Rendered, record: Record, context: Context) -> None:
    """Put all files into the run directory, and the run into the index; what keeps this from its end removes it all."""
    try:
        write_files(place, rendered.files)
        for name in ("logs", "state"):
            (place / name).mkdir()
        if rendered.plan.has_workers and rendered.plan.security == "tls":
            security.create(place / "tls")
        write_pool(place, rendered, record)
        write_first_wish(place, rendered.plan, context)
        run_directory.write_record(place, record)
        index.add(context, record.id, place)
    except BaseException as fault:  # also Ctrl-C
        shutil.rmtree(place, ignore_errors=True)  # all that is in it we have just made
        if not isinstance(fault, OSError):
            raise
        raise cannot_write(fault, place, context) from fault


def cannot_write(fault: OSError, place: Path, context: Context) -> UsageError:
    """What is said of a run that cannot be kept: in its directory, or in the index."""
    hint = ELSEWHERE
    if fault.filename and Path(fault.filename).is_relative_to(context.state):
        hint = f"runs are listed in {context.state}: set XDG_STATE_HOME to name another place"
    return UsageError(Problem(f"cannot write {fault.filename or place}: {fault.strerror or fault}", hint=hint))


def _submit_all(place: Path, record: Record) -> Record:
    """Submit one job after the other; gives the record with all ids."""
    system = batch_system(record)
    for job in record.jobs:
        try:
            record = _submit_job(system, place, record, job)
        except HpcLaunchError:
            raise
        except BaseException as fault:
            with signals_wait():
                _interrupted(system, place, record, job, fault)
            raise
        if record.cancel_requested or record.taken_back:  # by somebody who looked while the batch system took its time
            break
    with suppress(HpcLaunchError):  # what is left to do, `status` does, too
        if record.cancel_requested or record.taken_back:
            system.cancel(record.job_ids)
        elif len(record.jobs) > 1 and evidence.read(place).told:  # over before the last of its jobs was submitted
            system.withdraw(record.worker_ids)
    if record.taken_back and record.outcome:
        raise BatchSystemError(Problem(f"{record.id} was taken back: {record.outcome.reason}", hint=_kept_in(place)))
    return record


def _submit_job(system: BatchSystem, place: Path, record: Record, job: RecordedJob) -> Record:
    """Submit one job; gives the record with its id. If it cannot be, those before it are called off."""
    before = {other.name: other.job_id for other in record.jobs}
    try:
        first = before[job.after] if job.after else None
        job_id = system.submit(place, job.file, job.job_name, job.array, first, job.log)
    except (Refused, NotStarted) as fault:
        if record.job_ids:
            take_back(system, place, record, fault.sentence, source=system.name, refused=fault)
        else:
            record_refusal(place, system.name, fault)
        raise _told(fault, "the run was not submitted", _kept_in(place)) from fault
    except NoAnswer as fault:
        job_id = look_for(system, record, job) or _give_up(system, place, record, job, fault)
    if job.role == "workers":
        with suppress(*UNREADABLE):  # whoever needs it finds the job by its name
            note_job_id(place, record, job, job_id)
    return _keep_id(system, place, record, job, job_id)


def _keep_id(system: BatchSystem, place: Path, record: Record, job: RecordedJob, job_id: str) -> Record:
    """The record with the job's id, which the other jobs of the run must find on the disk, where there are any."""
    if len(record.jobs) == 1:
        return record_job_id(place, record, job.name, job_id)
    try:
        return update_record(place, lambda current: with_id(current, job.name, job_id))
    except (OSError, HpcLaunchError) as fault:
        why = f"cannot write {place / ownership.RECORD}: {getattr(fault, 'strerror', None) or fault}"
        take_back(system, place, with_id(record, job.name, job_id), why)
        raise BatchSystemError(Problem(f"{record.id} was taken back: {why}", hint=_kept_in(place))) from fault


def _give_up(system: BatchSystem, place: Path, record: Record, job: RecordedJob, fault: NoAnswer) -> str:
    if job.role != "workers":
        message = f"whether {record.id} is queued cannot be told"
        hint = f"`hpc-launch status {record.id}` looks again. Its directory: {place}"
    else:
        take_back(system, place, record, f"whether {job.job_name} is queued cannot be told: {fault.sentence}")
        message = f"whether {job.job_name} is queued cannot be told, so {record.id} was taken back"
        hint = f"`hpc-launch cancel {record.id}` looks again for what is left of it. Its directory: {place}"
    raise _told(fault, message, hint) from fault


def _interrupted(system: BatchSystem, place: Path, record: Record, job: RecordedJob, fault: BaseException) -> None:
    """Take back all of the run, also the job that was just being submitted, if the batch system took it."""
    told = isinstance(fault, KeyboardInterrupt | ToldToEnd)
    how = f"was told to end ({str(fault) or 'Ctrl-C'})" if told else f"failed ({' '.join(str(fault).split())})"
    why = f"hpc-launch submit {how} before all jobs of the run were submitted"
    outcome: Literal["cancelled", "launch-failed"] = "cancelled" if told else "launch-failed"
    take_back(system, place, record, why, outcome=outcome)
    if (job_id := look_for(system, record, job)) and job_id not in record.job_ids:
        take_back(system, place, with_id(record, job.name, job_id), why, outcome=outcome)


def _kept_in(place: Path) -> str:
    return f"Its directory is kept: {place}"


def _told(fault: BatchSystemError, message: str, hint: str) -> BatchSystemError:
    """Our own sentence, what the batch system said, the next steps."""
    said = "\n".join(problem.message for problem in fault.problems)
    certain = isinstance(fault, Refused | NotStarted)  # otherwise trying again would submit it twice
    hints = "\n".join(problem.hint for problem in fault.problems if problem.hint and certain)
    problem = Problem(f"{message}: {said}", hint=hints).also(hint)
    return NotStarted(problem) if isinstance(fault, NotStarted) else BatchSystemError(problem)
