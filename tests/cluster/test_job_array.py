"""The layout job-array on real batch systems: workers that come, wait, die, or cannot be called off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, job_of, log_lines, processes_of
from tests.local.runs import Run, until

ARRAY = {"layout": "job-array"}
ONE_ON_EACH = {"count": 2, "per_node": 1, "threads": 2, "memory": "300 MB"}
"""Two elements of two cores."""
WHOLE_NODES = {"count": 2, "per_node": 1, "threads": 8, "memory": "300 MB"}
"""Two elements that start on nodes which nobody else uses."""
BUSY = (
    "import time; from dask.distributed import Client, wait\n"
    "c = Client(); c.wait_for_workers(2); futures = c.map(time.sleep, range(600, 604))\n"
    "print('busy', flush=True); wait(futures)"
)


@dataclass(frozen=True)
class Queue:
    """What the tests need of a batch system."""

    site: str
    listing: list[str]

    def jobs(self, there: There) -> str:
        return there.cluster.run(self.listing).stdout


SLURM = Queue("testcluster", ["squeue", "--noheader", "--user=hpcuser"])
GRIDENGINE = Queue("gridcluster", ["qstat", "-u", "hpcuser"])


@pytest.fixture(params=[SLURM, GRIDENGINE], ids=["slurm", "gridengine"])
def queue(request: pytest.FixtureRequest) -> Queue:
    found: Queue = request.param
    return found


@pytest.fixture
def there(cluster: Cluster) -> Iterator[There]:
    user = There.at(cluster)
    yield user
    cluster.run(["qdel", "-u", "hpcuser"], check=False)
    until(lambda: GRIDENGINE.jobs(user) == "", "every job to leave Grid Engine")


def at(there: There, queue: Queue) -> There:
    return replace(there, site=queue.site)


def own_site(there: There, *keys: str) -> There:
    """A site of the user's own: the test cluster but for these keys."""
    text = "\n".join(["schema: 1", "name: own", "extends: testcluster", *keys])
    there.write("own.yaml", text + "\n")
    return replace(there, site="./own.yaml")


def occupied(there: There, cores: int) -> None:
    """So many cores of each node are somebody else's for five minutes."""
    node = ["sbatch", "--parsable", "--nodes=1", "--mem=100M", f"--cpus-per-task={cores}", "--wrap=sleep 300"]
    for host in there.cluster.compute_hosts:
        there.cluster.run([*node[:-1], f"--nodelist={host}", node[-1]])
    running = ["squeue", "--noheader", "--states=RUNNING", "--user=hpcuser"]
    until(lambda: len(there.cluster.run(running).stdout.splitlines()) == 3, "the nodes to be occupied")


def queued(there: There, run: Run) -> list[str]:
    """What Slurm still has of the run, element by element."""
    listing = ["squeue", "--noheader", "--array", "--user=hpcuser", "--format=%j"]
    return [name for name in there.cluster.run(listing).stdout.split() if run.id[-6:] in name]


def nothing_is_left(there: There, run: Run, queue: Queue = SLURM) -> None:
    directory = run.directory
    ids = [job["id"] for job in run.status()["jobs"]]
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    until(lambda: not re.search(rf"^ *({'|'.join(ids)})\b", queue.jobs(there), re.M), "its jobs to leave the queue")
    places = [line.split()[-1] for line in log_lines(run, "workers") if "Local Directory:" in line]
    scratch = [there.cluster.scratch(host) for host in there.cluster.compute_hosts]
    paths = [disk / Path(place).relative_to("/scratch") for place in places for disk in scratch]
    assert [path for path in paths if path.exists()] == []


@pytest.mark.parametrize(("example", "queue"), [("subprocess-slots", SLURM), ("monte-carlo-pi", GRIDENGINE)])
def test_both_examples_run_to_the_end_and_leave_nothing(there: There, queue: Queue, example: str) -> None:
    profile = str(there.home / "examples" / example / "profile.yaml")
    words = ["--site", queue.site, "--set", "layout=job-array", "--set", "workers.count=4"]
    done = there.command(
        "submit", profile, *words, "--set", "workers.per_node=2", "--set", "workers.minimum=4", "--wait"
    )
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    nothing_is_left(there, run, queue)
    lines = log_lines(run, "workers")
    assert len({line.split()[-1] for line in lines if "Worker name:" in line}) == 4
    places = [re.findall(r"tls://10\.77\.2\.(\d+)", line)[0] for line in lines if "Start worker at:" in line]
    assert len(places) == 4, "every address is one of ib0"
    assert not (run.directory / "tls").exists()


def test_an_orderly_cancel_leaves_nothing(there: There, queue: Queue) -> None:
    run = at(there, queue).submit(there.script(BUSY), workers=ONE_ON_EACH, **ARRAY)
    run.until_printed("busy")
    assert there.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    nothing_is_left(there, run, queue)


def test_a_workload_that_ends_with_7_while_workers_still_queue_calls_them_off(there: There, queue: Queue) -> None:
    """Of three whole nodes the scheduler's job has taken a part of one. (No worker is just coming up at the end.)"""
    three = {**WHOLE_NODES, "count": 3, "minimum": 2}
    run = at(there, queue).submit("exit 7", workers=three, **ARRAY)
    run.ended_as("failed", 7)
    nothing_is_left(there, run, queue)
    assert len({line.split()[-1] for line in log_lines(run, "workers") if "Worker name:" in line}) == 2


def test_workers_that_never_start_are_a_failed_launch_after_the_time_out(there: There) -> None:
    occupied(there, 1)
    run = there.submit("echo never", workers={**WHOLE_NODES, "timeout": "8s"}, **ARRAY)
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert reason == "fewer than 1 workers were connected after 8 s"
    assert queued(there, run) == []
    nothing_is_left(there, run)


def test_a_scheduler_that_never_starts_keeps_its_workers_back(there: There) -> None:
    occupied(there, 8)
    run = there.submit("echo never", workers=ONE_ON_EACH, **ARRAY)
    status = run.status()
    assert status["state"] == "queued" and status["why"]
    assert [(job["state"], job["elements"]) for job in status["jobs"]] == [("queued", None), ("queued", {"queued": 2})]
    assert there.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    assert queued(there, run) == []


def test_a_plain_scancel_of_a_scheduler_that_waits_takes_its_workers_along(there: There) -> None:
    """Slurm lets the workers start then: their dependency is met."""
    occupied(there, 8)
    run = there.submit("echo never", workers=ONE_ON_EACH, **ARRAY)
    there.cluster.run(["scancel", job_of(run)])
    run.ended_as("cancelled", 1)
    until(lambda: queued(there, run) == [], "its workers to be called off")


def test_one_element_that_dies_does_not_end_the_run(there: There) -> None:
    run = there.submit(
        there.script(
            "import os, time; from dask.distributed import Client\n"
            "c = Client(); c.wait_for_workers(2); print('two', flush=True)\n"
            "while c.scheduler_info(n_workers=-1)['workers'].__len__() > 1: time.sleep(0.2)\n"
            "print(c.submit(sum, [1, 2]).result(), flush=True)"
        ),
        workers=ONE_ON_EACH,
        **ARRAY,
    )
    run.until_printed("two")
    there.cluster.run(["scancel", f"{run.status()['jobs'][1]['id']}_0"])
    run.ended_as("succeeded", 0)
    assert run.log() == "two\n3\n"
    nothing_is_left(there, run)


IMPATIENT = """#!/bin/bash
# Submits as usual, but jobs that look for their workers early, and end their workload soon when they have lost them.
case $* in *scheduler.sh)
  grep -q 'seconds_to_notice=30' jobside/watch.sh && grep -q 'ask_at=30' jobside/array.sh || exit 1
  sed -i 's/seconds_to_notice=30/seconds_to_notice=3/' jobside/watch.sh
  sed -i 's/ask_at=30/ask_at=5/; s/SECONDS + 60/SECONDS + 5/' jobside/array.sh ;;
esac
exec sbatch "$@"
"""


def test_an_array_that_dies_as_a_whole_ends_the_run(there: There) -> None:
    there.write("impatient", IMPATIENT)
    (there.project / "impatient").chmod(0o755)
    user = own_site(there, f"commands: {{submit: [{there.project}/impatient]}}")
    run = user.submit(there.script(BUSY), workers=ONE_ON_EACH, **ARRAY)
    run.until_printed("busy")
    there.cluster.run(["scancel", run.status()["jobs"][1]["id"]])
    status = run.ended_as("failed", 128 + 15)
    assert status["reason"].startswith("all worker jobs have ended, see logs/workers-")
    assert queued(there, run) == []
    assert processes_of(run.directory) == []  # their directories stay: Slurm has killed them


def test_where_jobs_may_not_speak_to_slurm_waiting_workers_end_when_they_start(there: There) -> None:
    user = own_site(there, "submit_from_compute: false")
    three = {**WHOLE_NODES, "count": 3}
    run = user.submit("echo computed", workers=three, **ARRAY)
    directory = run.directory
    until(lambda: (directory / "state/1/outcome").exists(), "the run to be over")  # nobody asks hpc-launch
    until(lambda: queued(there, run) == [], "the third element to start and end")
    told = [path.read_text() for path in sorted(directory.glob("logs/workers-job-*.log"))]
    assert "the run is over: succeeded 0" in told[2]
    run.ended_as("succeeded", 0)
    nothing_is_left(there, run)


def test_if_the_workers_are_refused_the_scheduler_is_taken_back(there: There) -> None:
    nowhere = "  nowhere: {nodes: 3, cores: 8, memory: 16000 MiB, walltime: 01:00:00}"
    user = own_site(there, "queues:", nowhere)
    profile = user.profile(["true"], workers={**ONE_ON_EACH, "queue": "nowhere"}, **ARRAY)
    done = there.command("submit", profile, "--json")
    assert done.returncode == 5
    assert "invalid partition" in json.loads(done.stdout)["error"]["problems"][0]["message"]
    run = Run(there, json.loads(there.command("list", "--json").stdout)["runs"][0]["run"])
    run.ended_as("launch-failed", 1)
    until(lambda: queued(there, run) == [], "the scheduler's job to leave the queue")


def test_a_thousand_workers_are_five_submissions_where_an_array_holds_300(there: There) -> None:
    occupied(there, 8)
    user = own_site(there, "limits: {array: 300}")
    run = user.submit("echo never", workers={"count": 1000, "per_node": 1, "memory": "300 MB"}, **ARRAY)
    status = run.status()
    assert [job["elements"] for job in status["jobs"]] == [None, *[{"queued": 300}] * 3, {"queued": 100}]
    assert len(queued(there, run)) == 1001
    assert there.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    until(lambda: queued(there, run) == [], "everything to leave the queue")


def test_plain_jobs_take_the_place_of_arrays(there: There) -> None:
    user = own_site(there, "arrays: false")
    run = user.submit("echo computed", workers={**ONE_ON_EACH, "minimum": 2}, **ARRAY)
    run.ended_as("succeeded", 0)
    assert [job["name"] for job in run.status()["jobs"]] == ["scheduler", "workers", "workers-2"]
    assert sorted(file.name for file in Path(run.directory, "pool").iterdir()) == ["1.json", "2.json", "groups.json"]
    nothing_is_left(there, run)
