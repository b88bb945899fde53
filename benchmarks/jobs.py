"""One job of 24 workers on three nodes, watched from outside: from the machine under the hosts, which sees them all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks.comparison import wait_for_quiet
from benchmarks.one_task import WORKERS
from tests.cluster.hosts import Cluster

HERE = Path(__file__).resolve().parent
USER = "hpcuser"
PATIENCE = 240
"""Seconds after which a job is given up."""

Found = TypeVar("Found")


class Way(NamedTuple):
    """One way to run one_task.py on 24 workers. Paths are relative to a directory of its own."""

    submit: Sequence[str]
    submitted_in: str
    """Where the batch system is asked: what all processes of the job have in their environment tells it."""
    job_log: str
    scheduler_log: str
    workload_log: str


WAYS = {
    "by hand": Way(("sbatch", "by_hand.sh"), ".", "job.log", "job.log", "workload.log"),
    "hpc-launch": Way(
        ("hpc-launch", "submit", "profile.yaml", "--run-dir", "run"),
        "run",
        "run/logs/job.log",
        "run/logs/scheduler.log",
        "run/logs/workload.log",
    ),
}


class Times(NamedTuple):
    """Seconds."""

    connected: float
    """From the job's start until the scheduler knew all workers."""
    done: float
    """From the job's start until the workload had the result of its task."""
    gone: float
    """From then until no process of the job was left on any host."""


def one_job(cluster: Cluster, way: Way, directory: Path) -> Times:
    """Submit a job to an idle cluster and watch it from outside until nothing is left of it."""
    until(lambda: not cluster.job_ids(), "the cluster to be idle")
    wait_for_quiet()
    directory.mkdir()
    for name in ("by_hand.sh", "profile.yaml", "one_task.py"):
        shutil.copy(HERE / name, directory)
    shutil.chown(directory, USER, USER)
    cluster.run(way.submit, cwd=directory)
    try:
        done = until(lambda: time_done(directory / way.workload_log), f"the workload of {directory}")
        gone = time_gone(cluster, directory / way.submitted_in)
    except TimeoutError:
        for log in sorted(directory.rglob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')}", file=sys.stderr)
        raise
    # Slurm makes this file just before the first line of the script: the same moment for both.
    start = birth(directory / way.job_log)
    connected = time_connected(directory / way.scheduler_log)
    if not start < connected < done:
        raise AssertionError(f"{directory}: started {start}, connected {connected}, done {done}: not in this order")
    return Times(connected=connected - start, done=done - start, gone=gone - done)


def until(condition: Callable[[], Found | None], what: str, pause: float = 0.2) -> Found:
    """Wait for something to become true; raises TimeoutError."""
    give_up = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"waited {PATIENCE} s in vain for {what}")
        time.sleep(pause)
    return found


def time_connected(scheduler_log: Path) -> float:
    """When the scheduler registered the last worker, in seconds since the epoch, to the millisecond of Dask's log."""
    line = r"^(\S+ \S+) - distributed\.scheduler - INFO - Register worker "
    times = sorted(re.findall(line, scheduler_log.read_text(), re.MULTILINE))
    if len(times) != WORKERS:
        raise AssertionError(f"{scheduler_log}: {len(times)} workers were registered, not {WORKERS}")
    return datetime.strptime(times[-1], "%Y-%m-%d %H:%M:%S,%f").timestamp()


def time_done(workload_log: Path) -> float | None:
    """What one_task.py has said, in seconds since the epoch; None before."""
    text = workload_log.read_text() if workload_log.exists() else ""
    said = re.search(r"^done ([0-9.]+)\n", text, re.MULTILINE)
    return float(said[1]) if said else None


def time_gone(cluster: Cluster, submitted_in: Path) -> float:
    """When the last process of a job was seen, in seconds since the epoch; waits until Slurm has forgotten it too."""
    last_seen = time.time()
    give_up = last_seen + PATIENCE
    while (found := processes_submitted_in(submitted_in)) or cluster.job_ids():
        if found:
            last_seen = time.time()
        if time.time() > give_up:
            raise TimeoutError(f"waited {PATIENCE} s in vain for the end of the job submitted in {submitted_in}")
        time.sleep(0.05)
    return last_seen


def birth(path: Path) -> float:
    """When a file was made, in seconds since the epoch: what Python's own stat does not tell on Linux."""
    told = subprocess.run(["stat", "--format=%.9W", path], capture_output=True, text=True, check=True).stdout
    if (seconds := float(told)) <= 0:
        raise OSError(f"the file system of {path} does not keep when a file was made")
    return seconds


def processes_submitted_in(directory: Path) -> list[int]:
    """The processes on any host of jobs that were submitted in a directory; the machine under the hosts sees all."""
    mark = f"SLURM_SUBMIT_DIR={directory.resolve()}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended
            continue
    return found
