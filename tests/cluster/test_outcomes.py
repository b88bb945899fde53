"""How a run ended is the same for `wait`, `status` and the exit codes, with and without accounting, now and later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

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


WITH_ACCOUNTING = ("fails-with-7", "exceeds-its-memory", "is-cancelled-by-scancel-while-queued", "succeeds")
"""The others are told by the job itself, or by what hpc-launch did: they go without saying by then."""


@pytest.fixture(scope="module")
def runs(cluster: Cluster, accounting: bool) -> Iterator[dict[str, Run]]:
    """One run for each way to end, all at the same time: most of it is waiting."""
    there = There.at(cluster)
    names = WITH_ACCOUNTING if accounting else tuple(ENDS)
    commands: dict[str, list[str] | str] = {
        "fails-with-7": "exit 7",
        "is-killed": "kill -KILL $$",
        "exceeds-its-memory": there.script(EAT),
        "runs-out-of-walltime": "trap '' TERM; sleep 300",
        "succeeds": ["true"],
    }
    queued = {"queue": "long", "workers": {"count": 1, "memory": "300 MB", "threads": 8}}
    walltime = {"runs-out-of-walltime": "00:01:00"}
    made, full = {}, ""
    for name in sorted(names, key=lambda name: name.endswith("while-queued")):
        is_queued = name.endswith("while-queued")
        if is_queued and not full:
            full = slurm(cluster, "sbatch", "--parsable", "--exclusive", "--nodes=3", "--wrap=sleep 300").strip()
        more = queued if is_queued else {"walltime": walltime.get(name, "00:05:00")}
        made[name] = there.submit(commands.get(name, ["sleep", "300"]), **more)
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


def no_process_of(directory: Path) -> bool:
    return processes_of(directory) == []


def test_wait_status_and_exit_codes_agree(runs: dict[str, Run]) -> None:
    for name, run in runs.items():
        outcome, code = ENDS[name]
        assert run.wait() == code, name
        status = run.status()
        assert (status["state"], status["outcome"], status["exit_code"]) == (outcome, outcome, code), (name, status)
        assert (outcome == "out-of-memory") == ("raise workload.memory" in (status["reason"] or "")), (name, status)
        directory = run.directory
        until(partial(no_process_of, directory), "every process of the run to end")
        assert not (directory / "tls").exists(), name


def test_nothing_changes_when_slurm_has_forgotten_the_jobs(cluster: Cluster, runs: dict[str, Run]) -> None:
    cluster.forget_jobs()
    for name, run in runs.items():
        status = run.status()
        assert (status["outcome"], status["exit_code"]) == ENDS[name], name
        assert run.wait() == ENDS[name][1], name


def test_the_outcome_is_known_without_slurm_ever_having_been_asked(cluster: Cluster, runs: dict[str, Run]) -> None:
    """As for somebody who comes back after weeks: the record knows of no end, and Slurm of no job."""
    for name in ("fails-with-7", "exceeds-its-memory", "runs-out-of-walltime", "succeeds"):
        if run := runs.get(name):
            record = json.loads((run.directory / "run.json").read_text())
            (run.directory / "run.json").write_text(json.dumps({**record, "outcome": None}))
            assert (run.status()["outcome"], run.wait()) == ENDS[name]
