"""Runs that an earlier version has submitted, looked at, waited for and ended with this one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, processes_of
from tests.earlier.runs import SITES, unpacked
from tests.local.runs import Run, until

TWO = {"count": 2, "per_node": 1, "memory": "300 MB"}
UNTIL_TOLD = "import os, sys, time\nwhile not os.path.exists('go'): time.sleep(0.2)\nprint('went'); sys.exit(7)"


@dataclass(frozen=True)
class Queue:
    """How the ordinary user fills a batch system, sees what is in it, and takes jobs out."""

    site: str
    fill: list[str]
    listing: list[str]
    remove: str

    def jobs(self, there: There) -> str:
        return there.cluster.run(self.listing).stdout


SLURM = Queue(
    "testcluster",
    ["sbatch", "--parsable", "--nodes=3", "--ntasks-per-node=8", "--mem=100M", "--wrap=sleep 300"],
    ["squeue", "--noheader", "--user=hpcuser"],
    "scancel",
)
GRIDENGINE = Queue(
    "gridcluster",
    ["qsub", "-terse", "-b", "y", "-pe", "mpi", "24", "-o", "/dev/null", "-j", "y", "sleep", "300"],
    ["qstat", "-u", "hpcuser"],
    "qdel",
)


@pytest.fixture
def there(cluster: Cluster, queue: Queue) -> Iterator[There]:
    """The sites are as they were then: a later one may say what the earlier version does not know."""
    user = There.at(cluster)
    user.write(f"{queue.site}.yaml", (SITES / f"{queue.site}.yaml").read_text())
    unpacked(user.project / "earlier")
    yield replace(user, site=f"./{queue.site}.yaml")
    cluster.run([queue.remove, "-u", "hpcuser"], check=False)
    until(lambda: queue.jobs(user) == "", "every job to leave the queue")


ONE_WAY = pytest.mark.parametrize(("queue", "layout"), [(SLURM, "single-job"), (GRIDENGINE, "job-array")])
THE_OTHER_WAY = pytest.mark.parametrize(("queue", "layout"), [(SLURM, "job-array"), (GRIDENGINE, "single-job")])
"""Each batch system and each layout: what differs with one of them does not with the other."""


def before(there: There, layout: str, command: list[str]) -> Run:
    """A run that the earlier version has submitted."""
    version = there.project / "earlier"
    profile = there.profile(command, layout=layout, workers=TWO)
    done = there.command("submit", profile, env={"PYTHONPATH": str(version)})
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    theirs = version / "hpc_launch" / "jobside" / "attempt.sh"
    assert (run.directory / "jobside" / "attempt.sh").read_bytes() == theirs.read_bytes()
    return run


def nothing_is_left(there: There, queue: Queue, directory: Path) -> None:
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    until(lambda: queue.jobs(there) == "", "its jobs to leave the queue")
    assert not (directory / "tls").exists()


@ONE_WAY
def test_queued_ones_are_shown_cancelled_and_waited_for(there: There, queue: Queue, layout: str) -> None:
    full = there.cluster.run(queue.fill, cwd=there.project).stdout.strip()
    until(lambda: re.search(r" [rR] ", queue.jobs(there)), "the job that fills the cluster to run")
    ended, waited = before(there, layout, ["sleep", "300"]), before(there, layout, there.script(UNTIL_TOLD))
    assert {run["state"] for run in json.loads(there.command("list", "--json").stdout)["runs"][:2]} == {"queued"}
    done = there.command("cancel", ended.id)
    assert done.returncode == 0, done.stderr
    ended.ended_as("cancelled", 1)
    assert waited.status()["state"] == "queued"
    there.cluster.run([queue.remove, full])
    until(lambda: waited.status()["state"] != "queued", "the job to start")
    waited.until_running()
    assert waited.status()["workers"]["connected"] >= 1
    there.write("go", "")
    waited.ended_as("failed", 7)
    assert waited.log() == "went\n"
    nothing_is_left(there, queue, waited.directory)


@THE_OTHER_WAY
def test_running_ones_are_cancelled(there: There, queue: Queue, layout: str) -> None:
    run = before(there, layout, ["sleep", "300"])
    run.until_running()
    done = there.command("cancel", run.id)
    assert done.returncode == 0, done.stderr
    status = run.ended_as("cancelled", 1)
    assert status["reason"].startswith("the job was told to end")
    nothing_is_left(there, queue, run.directory)


@THE_OTHER_WAY
def test_ones_that_ended_while_nobody_looked_are_shown(there: There, queue: Queue, layout: str) -> None:
    run = before(there, layout, ["echo", "done"])
    until(lambda: queue.jobs(there) == "", "the run to end")
    status = run.ended_as("succeeded", 0)
    assert status["layout"] == layout and run.log() == "done\n"
    nothing_is_left(there, queue, run.directory)
