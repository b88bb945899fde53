"""Which run is meant, and what is said of one that is over, as a user's shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.runs.status import bring_up_to_date
from tests.commands import Result, hpc_launch
from tests.runs.jobs import BEGIN, FAILS_WITH_7, RUNS, SUCCEEDS, Prepare, end, finished, start, until

SAYS_NOTHING = SUCCEEDS.replace("echo computed >logs/workload.log\n", "")
NEVER_BEGAN = BEGIN + "finish launch-failed 1 'node1: no disk'\n"


def test_cancel_takes_the_only_run_that_goes_on_of_those_that_begin_alike(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, SUCCEEDS), finished(prepared, context, FAILS_WITH_7)
    directory, run_id = start(prepared, context, RUNS)
    try:
        until(directory, lambda view: view.standing.state == "running")
        assert hpc_launch(context, "status", "tiny-").returncode == 2, "to look at, any of them may be meant"
        done = hpc_launch(context, "cancel", "tiny-", "--json")
        assert done.returncode == 0, done.stderr
        assert (json.loads(done.stdout)["run"], json.loads(done.stdout)["outcome"]) == (run_id, "cancelled")
    finally:
        end(directory)
    again = hpc_launch(context, "cancel", "tiny-")
    assert again.returncode == 2 and "may mean 3 runs" in again.stderr


def test_wait_takes_it_too(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, SUCCEEDS)
    start(prepared, context, FAILS_WITH_7.replace("finish", "sleep 2\nfinish"))
    finished(prepared, context, SUCCEEDS)
    assert hpc_launch(context, "wait", "tiny-").returncode == 7


@pytest.mark.parametrize(
    ("script", "headline"), [(SAYS_NOTHING, "succeeded"), (NEVER_BEGAN, "launch-failed: node1: no disk")]
)
def test_output_that_will_never_come_is_not_promised(
    prepared: Prepare, context: Context, script: str, headline: str
) -> None:
    _, run_id = finished(prepared, context, script)
    for part in ("workload", "workers"):
        told = hpc_launch(context, "logs", "--of", part)
        assert (told.returncode, told.stdout) == (0, "")
        assert told.stderr == f"no output of the {part}; {run_id} is over: {headline}\n"


def test_output_that_may_come_is_promised(prepared: Prepare, context: Context) -> None:
    directory, run_id = start(prepared, context, RUNS)
    try:
        until(directory, lambda view: view.standing.state == "running")
        assert hpc_launch(context, "logs").stderr == f"no output of the workload yet; {run_id} is running\n"
    finally:
        end(directory)


def test_a_job_that_never_got_an_id_is_not_waited_for(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, _ = finished(prepared, context, SUCCEEDS)
    assert bring_up_to_date(directory).final
    text = json.loads((directory / "run.json").read_text())
    text["jobs"][0]["job_id"] = None
    (directory / "run.json").write_text(json.dumps(text))
    shown = hpc_launch(context, "status").stdout
    assert "no id" in shown and "yet" not in shown


def test_a_directory_that_is_rendered_to_again_holds_the_new_render_alone(prepared: Prepare, context: Context) -> None:
    prepared("workers: {count: 4, per_node: 2, memory: 1 GB}\nworkload: {command: x}\n")

    def render(layout: str) -> Result:
        words = ("profile.yaml", "--site", "testcluster", "--output", "out", "--set", f"layout={layout}")
        return hpc_launch(context, "render", *words)

    out = context.directory / "out"
    assert render("job-array").returncode == 0 and (out / "scheduler.sh").exists()
    (out / "mine.sh").write_text("mine\n")
    done = render("single-job")
    assert done.returncode == 0 and "removed scheduler.sh, workers.sh, jobside/array.sh" in done.stderr
    assert {file.name for file in out.glob("*.sh")} == {
        "environment.sh", "job.sh", "mine.sh", "node.sh", "workload.sh",
    }  # fmt: skip
    (out / "job.sh").write_text("mine\n")
    refused = render("job-array")
    assert refused.returncode == 2 and "no job.sh" in refused.stderr and "Traceback" not in refused.stderr
    assert (out / "job.sh").read_text() == "mine\n" and not (out / "scheduler.sh").exists()
