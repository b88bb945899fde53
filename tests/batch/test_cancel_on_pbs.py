"""Runs with real Dask that are told to end as PBS does it: TERM to every process at once, KILL some seconds later."""

from __future__ import annotations

import subprocess

import pytest

from tests.batch.on_pbs import OnPbs
from tests.local.runs import Run, until

BUSY = (
    "import time; from dask.distributed import Client, wait\n"
    "client = Client(); futures = client.map(time.sleep, range(600, 604)); print('busy', flush=True); wait(futures)"
)
TWO = {"count": 2, "memory": "300 MB"}


STUBBORN = "trap '' TERM; (trap '' TERM; sleep 300) & echo busy; sleep 300"
"""A workload that does not hear TERM, and has a child that does not either."""


def told_to_end(pbs: OnPbs, run: Run, how: str) -> None:
    ids = [job["id"] for job in run.status()["jobs"]]
    if how == "hpc-launch cancel":
        done = pbs.command("cancel", run.id)
        assert done.returncode == 0 and "ended everything in order" in done.stderr, done.stderr
    else:  # by the user, of the first job or of all of them
        subprocess.run([pbs.jobs.parent / "bin/qdel", *ids[: 1 if how == "qdel" else None]], check=True, timeout=60)


def killed(pbs: OnPbs) -> str:
    """What did not end by itself in time."""
    return "".join(file.read_text() for file in pbs.jobs.rglob("killed-*"))


@pytest.mark.parametrize(
    ("layout", "how"),
    [
        ("single-job", "qdel"),
        pytest.param("single-job", "hpc-launch cancel", marks=pytest.mark.long),  # as below
        ("job-array", "hpc-launch cancel"),
        pytest.param("job-array", "qdel of all", marks=pytest.mark.long),
        ("mpi", "hpc-launch cancel"),
    ],
)
def test_a_run_that_is_deleted_ends_in_order(pbs: OnPbs, layout: str, how: str) -> None:
    one_each = {"per_node": 1} if layout == "job-array" else {}
    run = pbs.submit(pbs.script(BUSY), layout=layout, workers={**TWO, **one_each})
    run.until_printed("busy")
    told_to_end(pbs, run, how)
    status = run.ended_as("cancelled", 1)
    assert "told to end (TERM)" in status["reason"] and status["times"]["ended"]
    until(lambda: not [job for job in pbs.jobs.glob("[0-9]*") if not (job / "over").exists()], "every job to end")
    assert killed(pbs) == ""
    assert [str(path) for path in pbs.jobs.rglob("worker-*") if path.is_dir()] == []
    assert not (run.directory / "tls").exists()


def test_a_workload_that_does_not_listen_is_killed_early_enough_for_the_rest(pbs: OnPbs) -> None:
    run = pbs.submit(STUBBORN, workers=TWO)
    run.until_printed("busy")
    told_to_end(pbs, run, "hpc-launch cancel")
    assert run.ended_as("cancelled", 1)["times"]["ended"]
    assert killed(pbs) == "" and [path for path in pbs.jobs.rglob("worker-*") if path.is_dir()] == []
