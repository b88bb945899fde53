"""Which jobs of a run a person is shown: of many worker jobs those that matter most."""

from __future__ import annotations

from collections.abc import Sequence

from hpc_launch.batch.report import JobStatus
from hpc_launch.models.record import RecordedJob
from hpc_launch.runs.settle import View

MOST_WORKER_JOBS = 10


def shown(view: View) -> tuple[Sequence[RecordedJob], int]:
    """The main job, then worker jobs: that failed, that have not told their end, others; and how many are left out.

    While a run goes on, those that its keeper has submitted and that have ended are not counted: `pools` counts them.
    """
    jobs, over = view.record.jobs, view.standing.over
    candidates = [job for job in view.record.worker_jobs if over or job.command or not view.evidence.has_ended(job)]
    chosen = sorted(candidates, key=lambda job: _weight(job, view))[:MOST_WORKER_JOBS]
    return [*(job for job in jobs if job.role != "workers"), *chosen], len(candidates) - len(chosen)


def _weight(job: RecordedJob, view: View) -> int:
    report = view.reports.get(job.name)
    if report and report.status.over and report.status not in (JobStatus.COMPLETED, JobStatus.GONE):
        return 0
    return 2 if view.evidence.has_ended(job) else 1
