"""Half a run is never left, on real batch systems: `submit` is ended, or refused, between its two submissions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, processes_of
from tests.local.runs import Run, until

SYSTEMS = {
    "testcluster": ("sbatch", ["squeue", "--noheader", "--user=hpcuser"], "--partition=nowhere"),
    "gridcluster": ("qsub", ["qstat", "-u", "hpcuser"], "-q nowhere"),
}
WRAPPER = """#!/bin/bash
# Submits as usual, but for the second time; then as `later` says. Nobody waits for four minutes here.
[ ! -e {project}/quick ] ||
  sed -i 's/^submission_patience=.*/submission_patience=10/; s/^keeper_gets=60/keeper_gets=20/' jobside/array.sh
[ -e {project}/called ] || {{ touch {project}/called; exec {submit} "$@"; }}
[ ! -e {project}/called-again ] || {later}
touch {project}/called-again
until [ -e state/attempt ]; do sleep 0.2; done
{second}
"""


@pytest.fixture(params=list(SYSTEMS))
def there(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[There]:
    user = replace(There.at(cluster), site=request.param)
    yield user
    cluster.run(["qdel", "-u", "hpcuser"], check=False)
    until(lambda: cluster.run(SYSTEMS["gridcluster"][1]).stdout == "", "every job to leave Grid Engine")


def submit(there: There, second: str, command: str = "echo never", later: str | None = None) -> tuple[int, Run]:
    """Submit a scheduler's job and one array of two nodes; what `submit` ended with, and the run."""
    program = SYSTEMS[there.site][0]
    later = later or f'exec {program} "$@"'
    text = WRAPPER.format(project=there.project, submit=program, second=second, later=later)
    there.write("submit-as-told", text)
    (there.project / "submit-as-told").chmod(0o755)
    there.write(
        "own.yaml", f"name: own\nextends: {there.site}\ncommands: {{submit: [{there.project}/submit-as-told]}}\n"
    )
    workers = {"count": 2, "per_node": 1, "threads": 2, "memory": "300 MB", "minimum": 2}
    profile = replace(there, site="./own.yaml").profile(command, workers=workers, layout="job-array")
    done = there.command("submit", profile, "--run-dir", "run", env={"HPC_LAUNCH_INTERVALS": "find=5,ask=5"})
    return done.returncode, Run(there, str(there.project / "run"))


def nothing_is_left(there: There) -> None:
    until(lambda: there.cluster.run(SYSTEMS[there.site][1]).stdout == "", "its jobs to leave the queue")
    until(lambda: processes_of(there.project / "run") == [], "every process of the run to end")


def test_the_next_status_takes_back_what_a_killed_submit_has_left(there: There) -> None:
    code, run = submit(there, "kill -KILL $PPID")
    assert code == 128 + 9
    status = run.status()
    assert (status["outcome"], status["exit_code"]) == ("launch-failed", 1)
    assert status["reason"] == "workers.sh was never submitted: hpc-launch submit ended before that"
    nothing_is_left(there)
    run.ended_as("launch-failed", 1)


def test_where_nobody_looks_the_job_submits_what_is_missing_itself(there: There) -> None:
    there.write("quick", "")
    _, run = submit(there, "kill -KILL $PPID", "echo computed")
    until(lambda: (there.project / "run/state/1/outcome").exists(), "the run to end")
    run.ended_as("succeeded", 0)
    nothing_is_left(there)


def test_where_it_cannot_it_ends_itself(there: There) -> None:
    there.write("quick", "")
    _, run = submit(there, "kill -KILL $PPID", later='{ echo "invalid account" >&2; exit 1; }')
    until(lambda: (there.project / "run/state/1/outcome").exists(), "the job to end itself")
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert reason.startswith("of 1 calls to submit worker jobs 0 were made, then hpc-launch submit ended")
    assert "invalid account" in reason
    nothing_is_left(there)


def test_workers_that_a_killed_submit_never_heard_of_are_found_by_their_name(there: There) -> None:
    code, run = submit(there, f'{SYSTEMS[there.site][0]} "$@"; kill -KILL $PPID', "echo computed")
    assert code == 128 + 9
    run.ended_as("succeeded", 0)
    assert len((there.project / "run/control/worker-jobs").read_text().splitlines()) == 1
    nothing_is_left(there)


def test_workers_that_are_refused_are_a_failed_launch_in_the_batch_systems_words(there: There) -> None:
    program, _, wrong = SYSTEMS[there.site]
    code, run = submit(there, f'{program} {wrong} "$@"')
    assert code == 5
    status = run.ended_as("launch-failed", 1)
    said = {"sbatch": "invalid partition", "qsub": 'unknown queue "nowhere"'}
    assert said[program] in status["reason"], status["reason"]
    assert Path(there.project / "run/state/1").exists(), "the scheduler's job had begun"
    nothing_is_left(there)
