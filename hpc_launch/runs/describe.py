"""How a run reads: as data for programs, as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from hpc_launch import standing
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.models.record import Record, RecordedJob
from hpc_launch.runs.demand import Unsatisfiable
from hpc_launch.runs.evidence import Progress
from hpc_launch.runs.last_lines import last_lines
from hpc_launch.runs.parts import Part
from hpc_launch.runs.pool_status import there_of
from hpc_launch.runs.services import PATHS, Page
from hpc_launch.runs.settle import View
from hpc_launch.runs.shown_jobs import shown
from hpc_launch.units import format_memory, format_walltime

DONE = ("memory", "released", "erred")
"""Dask's states of a task that needs no more work; those that are forgotten are not counted any more."""


def as_json(view: View) -> dict[str, Any]:
    """What `--json` prints of a run."""
    record, standing, evidence = view.record, view.standing, view.evidence
    progress = evidence.progress or Progress()
    return {
        "schema": 1,
        "run": record.id,
        "name": record.name,
        "directory": str(view.directory),
        "site": record.site,
        "batch_system": record.batch_system,
        "layout": record.layout,
        "stands": record.plan.stands,
        "state": standing.state,
        "outcome": standing.outcome,
        "exit_code": standing.exit_code,
        "reason": standing.reason or None,
        "hint": standing.hint or None,
        "last_lines": last_words(view),
        "why": standing.why or None,
        "attempt": standing.attempt,
        "jobs": [_job(job, view.reports) for job in record.jobs],
        "workers": {
            "connected": 0 if standing.over else progress.workers,
            "wanted": wanted(view),
            "minimum": record.plan.minimum,
            "threads": 0 if standing.over else progress.threads,
            "died": progress.workers_died,
        },
        "pools": pools(view),
        "unsatisfiable": [] if standing.over else [each.as_json() for each in evidence.unsatisfiable],
        "unfit": dict(evidence.unfit),
        "tasks": dict(progress.tasks),
        "memory_bytes": progress.memory_bytes,
        "spilled_bytes": progress.spilled_bytes,
        **{name: page.as_json() if (page := pages(view).get(name)) else None for name in PATHS},
        "times": times(view),
    }


def last_words(view: View) -> list[str] | None:
    """The last lines that the workload of a run has printed which failed; None: it did not, or has none."""
    failed = view.standing.outcome in ("failed", "out-of-memory", "timeout") and not view.record.plan.stands
    return last_lines(view.directory, Part.workload) if failed else None


def pools(view: View) -> dict[str, dict[str, Any]]:
    """Group of workers → how its worker jobs stand."""
    return {name: pool.as_json() for name, pool in view.evidence.pools.items()}


def pages(view: View) -> Mapping[str, Page]:
    """Those that the run serves now, or says why not."""
    return {} if view.standing.over else view.evidence.pages


def _job(job: RecordedJob, reports: Mapping[str, JobReport]) -> dict[str, Any]:
    report = reports.get(job.name)
    return {
        "name": job.name,
        "id": job.job_id,
        "state": report.status.value if report else None,
        "raw": report.raw or None if report else None,
        "nodes": report.nodes or None if report else None,
        "elements": dict(report.elements) or None if report else None,
    }


def times(view: View) -> dict[str, str | None]:
    """When it passed which point, in UTC, as ISO 8601."""
    record, evidence = view.record, view.evidence
    return {
        "created": _iso(record.created),
        "submitted": _iso(record.main.submitted),
        "started": _iso(_moment(evidence.started)),
        "workload": _iso(_moment(evidence.workload)),
        "ended": _iso(_moment(evidence.ended)),
    }


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds") if moment else None


def headline(view: View) -> str:
    """State, and how or why, in a few words."""
    standing = view.standing
    if standing.outcome == "failed":
        return ": ".join(filter(None, (f"failed with exit code {standing.exit_code}", standing.reason)))
    more = standing.reason or standing.why
    return f"{standing.state}: {more}" if more else standing.state


def stands(record: Record) -> str:
    """How long a standing cluster does."""
    return standing.end(record.plan.idle_timeout_seconds, f"hpc-launch close {record.id}")


def silence(view: View, part: Part) -> str:
    """Why a part has no output: it has not come yet, or never will."""
    if view.record.plan.stands and part is Part.workload:
        of_scheduler = f"hpc-launch logs {view.record.id} --of scheduler"
        return f"a standing cluster has no workload; what its scheduler printed: {of_scheduler}"
    if not view.record.plan.has_workers and part not in (Part.workload, Part.job):
        return f"{view.record.id} has no {part.value}: it is a job that holds its workload alone (`workers: none`)"
    if view.standing.over:
        return f"no output of the {part.value}; {view.record.id} is over: {headline(view)}"
    return f"no output of the {part.value} yet; {view.record.id} is {headline(view)}"


def facts(view: View) -> list[tuple[str, str]]:
    """What a person wants to know of a run: name and value of each."""
    record, progress = view.record, view.evidence.progress
    found = [("state", headline(view)), ("site", f"{record.site} ({record.batch_system}, {record.layout})")]
    if record.plan.stands and not view.standing.over:
        found.append(("stands", stands(record)))
    if (view.standing.attempt or 1) > 1:
        found.append(("attempt", str(view.standing.attempt)))
    found += _jobs(view)
    if not view.standing.over and view.evidence.attempt:
        found += [("workers", workers(view))] if record.plan.has_workers else []
        found += [(f"pool {name}", pool.sentence()) for name, pool in view.evidence.pools.items()]
        found += [("unfit", f"{node}: {cause}") for node, cause in view.evidence.unfit.items()]
    if progress and progress.tasks and not view.standing.over:
        found.append(("tasks", tasks(progress)))
        found += [("never run", each.sentence()) for each in view.evidence.unsatisfiable]
    if progress and not view.standing.over:
        spilled = f", {format_memory(progress.spilled_bytes)} spilled" if progress.spilled_bytes else ""
        found.append(("memory", format_memory(progress.memory_bytes) + spilled))
    found += [(name, page.sentence()) for name, page in pages(view).items()]
    names = {"workload": "stands since"} if record.plan.stands else {}
    found += [(names.get(name, name), _local(when)) for name, when in times(view).items() if when]
    found.append(("directory", str(view.directory)))
    if view.standing.hint:
        found.append(("hint", view.standing.hint))
    found += [("" if number else "it printed", line) for number, line in enumerate(last_words(view) or ())]
    return found


def _jobs(view: View) -> list[tuple[str, str]]:
    jobs, left_out = shown(view)
    further = ("further jobs", f"{left_out} worker jobs; all of them: hpc-launch status {view.record.id} --json")
    return [*(_job_fact(job, view) for job in jobs), *([further] if left_out else [])]


def _job_fact(job: RecordedJob, view: View) -> tuple[str, str]:
    report = view.reports.get(job.name)
    unnamed = "no id" if view.standing.over else "no id yet"
    said = f", {_said(report)}" if report else ", ended" if view.evidence.has_ended(job) else ""
    nodes = f" on {report.nodes}" if report and report.nodes and not report.elements else ""
    label = job.name if job.name == "job" else f"job {job.name}"
    return label, f"{job.job_id or unnamed}{said}{nodes}"


def _said(report: JobReport) -> str:
    """The batch system's word for a job; of an array, how many of its elements are in which of our states."""
    if report.elements:
        return ", ".join(f"{number} {state}" for state, number in report.elements.items())
    if report.status is JobStatus.UNKNOWN:
        return "unknown"
    return report.raw or ("no longer in the queue" if report.status is JobStatus.GONE else report.status.value)


def never_run(tasks: Unsatisfiable) -> str:
    """What whoever waits for a run is told of tasks that wait for ever, and what would help."""
    return f"never run: {tasks.sentence()}; workers.resources in the profile gives workers what tasks ask for"


def workers(view: View) -> str:
    """How many are connected, and are to be."""
    progress = view.evidence.progress or Progress()
    died = f", {progress.workers_died} died so far" if progress.workers_died else ""
    return there_of(progress.workers, wanted(view)) + died


def wanted(view: View) -> int:
    """How many workers: what was planned, or what the run's keeper goes by since."""
    pools = view.evidence.pools.values()
    return sum(pool.target for pool in pools) if pools else view.record.plan.workers_wanted


def tasks(progress: Progress) -> str:
    """`120 of 400 done, 2 erred`."""
    done, erred = sum(progress.tasks.get(state, 0) for state in DONE), progress.tasks.get("erred", 0)
    return f"{done} of {sum(progress.tasks.values())} done" + (f", {erred} erred" if erred else "")


def line(view: View, now: datetime | None = None) -> str:
    """All that moves, in one line."""
    parts = [headline(view)]
    report = view.reports.get(view.record.main.name)
    if not view.standing.over and view.standing.state in ("starting", "running", "ending"):
        parts += [f"on {report.nodes}"] if report and report.nodes else []
        has_workers = view.record.plan.has_workers and view.standing.state == "running"
        parts += [f"workers {workers(view)}"] if has_workers else []
        if progress := view.evidence.progress:
            parts += [f"tasks {tasks(progress)}"] if progress.tasks and view.standing.state == "running" else []
            parts += [f"memory {format_memory(progress.memory_bytes)}"] if progress.memory_bytes else []
    if now:
        parts.append(format_walltime(max(0, int((now - view.record.created).total_seconds()))))
    return " · ".join(parts)


def _local(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
