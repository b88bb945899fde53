"""One task on 24 workers of three nodes, watched from the machine under the hosts, which sees all processes."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import NamedTuple

from benchmarks.comparison import wait_for_quiet
from tests.cluster.conftest import DIRECTORY, alone_on_this_machine
from tests.cluster.hosts import Cluster
from tests.local.runs import until

HERE = Path(__file__).resolve().parent
FILES = ("by_hand.sh", "profile.yaml", "one_task.py", "with_jobqueue.py")
USER = "hpcuser"
PATIENCE = 240
"""Seconds after which a job is given up."""


class Way(NamedTuple):
    """One way to have it done. Paths are relative to a directory of its own."""

    command: Sequence[str]
    """What a user types on the login host."""
    submitted_in: str = "."
    """Where the batch system is asked: what all processes of the jobs have in their environment tells it."""
    workload_log: str = "workload.log"


OURS = "hpc-launch"
WAYS = {
    OURS: Way(("hpc-launch", "submit", "profile.yaml", "--wait", "--run-dir", "run"), "run", "run/logs/workload.log"),
    "dask-jobqueue": Way(("sh", "-c", "exec python with_jobqueue.py >workload.log")),
    "dask-jobqueue, TLS": Way(("sh", "-c", "exec python with_jobqueue.py --tls >workload.log")),
    "by hand": Way(("sbatch", "by_hand.sh")),
}


class Times(NamedTuple):
    """Seconds from the moment in which the user's command was started."""

    done: float
    """Until the workload had the result of its task."""
    gone: float
    """Until the command had ended, no process of the jobs was left on any host, and no job was in the queue."""


@contextmanager
def test_cluster(environment: Path) -> Iterator[Cluster]:
    """The test cluster with the commands of an environment, for us alone: the tests take the same lock."""
    with alone_on_this_machine(patience=inf):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the cluster would stay
        cluster = Cluster(DIRECTORY, environment)
        try:
            cluster.up()
            yield cluster
        finally:
            cluster.down()


def one_task(cluster: Cluster, way: Way, directory: Path, moment: float) -> Times:
    """Start a command on an idle cluster at a moment of a second (0 to 1), and watch it until nothing is left of it."""
    until(lambda: not cluster.job_ids(), "the cluster to be idle", pause=0.2, patience=PATIENCE)
    wait_for_quiet()
    directory.mkdir()
    for name in FILES:
        shutil.copy(HERE / name, directory)
    shutil.chown(directory, USER, USER)
    time.sleep((moment - time.time()) % 1)
    start = time.time()
    command = cluster.start(way.command, cwd=directory)
    try:
        workload = f"the workload of {directory}"
        done = until(lambda: time_done(directory / way.workload_log), workload, pause=0.1, patience=PATIENCE)
        until(lambda: is_over(command, directory / way.submitted_in), "its end", pause=0.05, patience=PATIENCE)
        until(lambda: not cluster.job_ids(), "its end in the queue", pause=0.05, patience=PATIENCE)
        gone = time.time()
    except TimeoutError:
        for log in sorted(directory.rglob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')}", file=sys.stderr)
        raise
    finally:
        cluster.signal(command, signal.SIGKILL)
        told = "".join(command.communicate())
    if command.returncode:
        raise RuntimeError(f"{way.command} ended with {command.returncode}:\n{told}")
    return Times(done - start, gone - start)


def time_done(workload_log: Path) -> float | None:
    """What one_task.py has said, in seconds since the epoch; None before."""
    text = workload_log.read_text() if workload_log.exists() else ""
    said = re.search(r"^done ([0-9.]+)\n", text, re.MULTILINE)
    return float(said[1]) if said else None


def is_over(command: subprocess.Popen[str], submitted_in: Path) -> bool:
    """Whether a command has ended, and no process is left of what was submitted there."""
    return command.poll() is not None and not processes_submitted_in(submitted_in)


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
