"""How a run ended is the same for `wait`, `status` and the exit codes, with and without accounting, now and later."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, job_of, processes_of, slurm
from tests.local.runs import Run, until

pytestmark = pytest.mark.shares_jobs

EAT = "data = []\nwhile True: data.append(bytearray(50_000_000))"
"""A workload that takes all memory there is; the job has about a gigabyte."""

ENDS = {
    "fails-with-7": ("failed", 7),
    "is-killed": ("failed", 137),
    "exceeds-its-memory": ("out-of-memory", 1),
    "runs-out-of-walltime": ("timeout", 1),
    "is-cancelled-while-queued": ("cancelled", 1),
    "is-cancelled-while-running": ("cancelled", 1),
    "is-cancelled-by-scancel-while-queued": ("cancelled", 1),
    "is-cancelled-by-scancel-while-running": ("cancelled", 1),
    "succeeds": ("succeeded", 0),
}


@pytest.fixture(scope="module")
def runs(cluster: Cluster, accounting: bool) -> Iterator[dict[str, Run]]:
    """One run for each way to end, all at the same time: most of it is waiting."""
    there = There.at(cluster)
    sleep = ["sleep", "300"]
    queued = {"reservation": None, "queue": "long", "workers": {"count": 1, "memory": "300 MB", "threads": 8}}
    made = {
        "fails-with-7": there.submit("exit 7"),
        "is-killed": there.submit("kill -KILL $$"),
        "exceeds-its-memory": there.submit(there.script(EAT)),
        "runs-out-of-walltime": there.submit("trap '' TERM; sleep 300", walltime="00:01:00"),
        "is-cancelled-while-running": there.submit(sleep),
        "is-cancelled-by-scancel-while-running": there.submit(sleep),
        "succeeds": there.submit(["true"]),
    }
    full = slurm(cluster, "sbatch", "--parsable", "--exclusive", "--nodes=3", "--wrap=sleep 300").strip()
    made["is-cancelled-while-queued"] = there.submit(sleep, **queued)
    made["is-cancelled-by-scancel-while-queued"] = there.submit(sleep, **queued)
    for name, run in made.items():
        if name.endswith("while-queued"):
            assert run.status()["state"] == "queued"
        elif name.endswith("while-running"):
            run.until_running()
    for name, run in made.items():
        if "cancelled-while" in name:
            assert there.command("cancel", run.id).returncode == 0, name
        elif "cancelled-by-scancel" in name:
            slurm(cluster, "scancel", job_of(run))
    slurm(cluster, "scancel", full)
    yield made
    cluster.forget_jobs()


@pytest.mark.parametrize("name", ENDS)
def test_wait_status_and_exit_codes_agree(runs: dict[str, Run], name: str) -> None:
    outcome, code = ENDS[name]
    run = runs[name]
    assert run.wait() == code
    status = run.status()
    assert (status["state"], status["outcome"], status["exit_code"]) == (outcome, outcome, code), status
    directory = run.directory
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    assert not (directory / "tls").exists()


def test_nothing_changes_when_slurm_has_forgotten_the_jobs(cluster: Cluster, runs: dict[str, Run]) -> None:
    cluster.forget_jobs()
    for name, (outcome, code) in ENDS.items():
        status = runs[name].status()
        assert (status["outcome"], status["exit_code"]) == (outcome, code), name
        assert runs[name].wait() == code, name


@pytest.mark.parametrize("name", ["fails-with-7", "exceeds-its-memory", "runs-out-of-walltime", "succeeds"])
def test_the_outcome_is_known_without_slurm_ever_having_been_asked(
    cluster: Cluster, runs: dict[str, Run], name: str
) -> None:
    """As for somebody who comes back after weeks: the record knows of no end, and Slurm of no job."""
    run = runs[name]
    record = json.loads((run.directory / "run.json").read_text())
    (run.directory / "run.json").write_text(json.dumps({**record, "outcome": None}))
    assert (run.status()["outcome"], run.wait()) == ENDS[name]
