"""What to do about a run's end, or to know of it: one sentence, from what its processes have printed and counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hpc_launch.models.record import Record
from hpc_launch.runs.evidence import Progress
from hpc_launch.runs.last_lines import last_bytes, last_lines
from hpc_launch.runs.outcome import Standing
from hpc_launch.runs.parts import Part

MOST_FILES = 50
"""Logs of workers that are looked at."""
MOST_BYTES = 2**17
"""Of the end of each of them."""
OVER_THE_LIMIT = re.compile(rb"exceeded \d+% memory budget")
"""What Dask's nanny says of a worker that it starts again for its memory (distributed/worker_memory.py)."""
KILLED = re.compile(rb"was killed by signal 9\b")
"""What it says of one that somebody else has killed, as the kernel does (distributed/nanny.py)."""
OWN_WORKERS = "Unexpected keyword arguments"
"""What Dask's Client says of words for new workers when it knows of a scheduler already (distributed/client.py)."""
WORKERS_OF_ITS_OWN = (
    "workers that the workload itself has started died while they ran its tasks, as they do for want of memory:"
    " raise workload.memory"
)
HOW_TO_CONNECT = (
    'make the client with `Client()` without words, or `Client(scheduler_file=os.environ["HPC_LAUNCH_SCHEDULER_FILE"])`'
)


def hint(directory: Path, record: Record, standing: Standing, progress: Progress | None) -> str:
    """The sentence; empty where there is nothing to say. Never raises."""
    if standing.outcome == "preempted":
        return "its job was killed for another one, as its queue or QOS allows: submit it again, or set another `queue`"
    if record.plan.stands or standing.outcome in ("launch-failed", "lost"):
        return ""
    printed = "\n".join(last_lines(directory, Part.workload)) if standing.outcome == "failed" else ""
    if not any(job.group for job in (*record.jobs, *record.on_demand)):
        return _without_workers(standing, printed)
    if progress is None and standing.outcome != "out-of-memory":
        return ""
    progress = progress or Progress()
    if standing.outcome == "succeeded" and progress.last and progress.tasks_given == 0:
        return _idle(progress)
    if OWN_WORKERS in printed and "Client" in printed:
        return f"the run has workers already, and its client may not ask for others: {HOW_TO_CONNECT}"
    return _memory(directory, record, standing, progress, "KilledWorker" in printed)


def _without_workers(standing: Standing, printed: str) -> str:
    if standing.outcome == "out-of-memory" and standing.source != "job":  # the job says it itself
        return "the workload went beyond the memory of its job: raise workload.memory"
    return WORKERS_OF_ITS_OWN if "KilledWorker" in printed else ""


def _idle(progress: Progress) -> str:
    if progress.clients == 0:
        what = "its workers did nothing: the workload never connected to them"
        return f"{what} (LocalCluster and `Client(n_workers=…)` start others): {HOW_TO_CONNECT}"
    return (
        "no task ran on its workers, though a client was connected: what is computed with another scheduler"
        ' (`scheduler="threads"`) or before the client is made runs in the workload itself'
    )


def _memory(directory: Path, record: Record, standing: Standing, progress: Progress, killed_worker: bool) -> str:
    """Of workers that have died, or of a job that was killed, whose memory is to be raised."""
    by_kernel = standing.outcome == "out-of-memory" and standing.source != "job"  # the job says itself what was killed
    if not (progress.workers_died or killed_worker or by_kernel):
        return ""
    texts = [last_bytes(file, MOST_BYTES) for file in _logs_of_workers(directory)]
    times = f" ({progress.workers_died} died)" if progress.workers_died else ""
    more = f"raise {_key(record)}"
    if any(OVER_THE_LIMIT.search(text) for text in texts):
        return f"workers went beyond their memory limit, and Dask started them again{times}: {more}"
    if any(KILLED.search(text) for text in texts):
        return (
            f"workers were killed{times}, as the kernel does when they, or programs that tasks start, need more: {more}"
        )
    if by_kernel:
        return f"a process went beyond the memory of its job: {more}, or workload.memory or scheduler.memory"
    if killed_worker:
        return f"workers died while they ran its tasks{times}: see hpc-launch logs {record.id} --of workers"
    return ""


def _logs_of_workers(directory: Path) -> Sequence[Path]:
    try:
        return sorted((directory / "logs").glob(Part.workers.files))[:MOST_FILES]
    except OSError:
        return ()


def _key(record: Record) -> str:
    """By which workers get more memory."""
    groups = {job.group for job in (*record.jobs, *record.on_demand) if job.group}
    return "workers.memory" if groups <= {"workers"} else "`memory` of their group in workers.groups"
