"""Real runs of the layout job-array on this machine: worker jobs are processes that wait their turn."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.batch import processes
from tests.local.runs import Here, Run, until

SLEEP = "sleep 300"


@pytest.fixture
def two(here: Here) -> Here:
    """On a site like `local` where two worker jobs run at once."""
    sites = here.home / ".config/hpc-launch/sites"
    sites.mkdir(parents=True)
    (sites / "two.yaml").write_text("name: two\nextends: local\nlimits: {running: {jobs: 2}}\n")
    return Here(here.project, here.home, "two")


def submit(here: Here, command: list[str] | str, count: int, **keys: Any) -> Run:
    workers = {"count": count, "per_node": 1, **keys.pop("workers", {})}
    return here.submit(command, layout="job-array", workers=workers, **keys)


def elements(run: Run) -> dict[str, int] | None:
    found: dict[str, int] | None = run.status()["jobs"][1]["elements"]
    return found


def first_process(run: Run) -> int:
    return processes.parts(run.status()["jobs"][1]["id"])[1]


def test_a_worker_job_that_waits_comes_when_another_ends(two: Here) -> None:
    run = submit(
        two,
        two.script(
            "import os; from dask.distributed import Client\n"
            "c = Client(); c.wait_for_workers(2)\n"
            "before = set(c.scheduler_info(n_workers=-1)['workers'])\n"
            "open('ready', 'w').close()\n"
            "while not os.path.exists('go'): pass\n"
            "c.retire_workers([min(before)])\n"
            "while not set(c.scheduler_info(n_workers=-1)['workers']) - before: c.run(os.getpid)\n"
            "print(sum(c.gather(c.map(abs, range(10)))))"
        ),
        3,
    )
    until((two.project / "ready").exists, "two workers to be there")
    assert elements(run) == {"running": 2, "queued": 1}
    assert "2 running, 1 queued" in two.command("status", run.id).stdout
    (two.project / "go").touch()
    run.ended_as("succeeded", 0)
    assert run.log() == "45\n"


def test_a_cancel_in_the_middle_leaves_no_process(two: Here) -> None:
    run = submit(two, SLEEP, 3)
    run.until_running()
    assert two.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    assert processes.session(first_process(run)) == []


def test_when_its_scheduler_is_killed_worker_jobs_end_and_those_that_wait_see_that_it_is_over(two: Here) -> None:
    run = submit(two, SLEEP, 3)
    run.until_running()
    os.kill(processes.parts(run.status()["jobs"][0]["id"])[1], signal.SIGKILL)
    assert run.wait() == 1
    until(lambda: not run.processes(), "every process of the run to end")
    assert run.status()["outcome"] == "lost"


def test_the_workload_goes_on_without_those_whose_first_process_is_killed(two: Here) -> None:
    run = submit(
        two,
        two.script(
            "import time; from dask.distributed import Client\n"
            "c = Client(); open('ready', 'w').close()\n"
            "while len(c.scheduler_info(n_workers=-1)['workers']): time.sleep(0.2)\n"
            "print('none')"
        ),
        3,
    )
    until((two.project / "ready").exists, "the workload to start")
    os.kill(first_process(run), signal.SIGKILL)
    run.ended_as("succeeded", 0)
    assert run.log() == "none\n" and processes.session(first_process(run)) == []


def test_worker_jobs_that_end_without_a_worker_end_the_run_with_a_reason(two: Here) -> None:
    run = submit(two, SLEEP, 1, workers={"options": ["--worker-class", "no.such.Class"]})
    assert "all worker jobs have ended, see logs/workers-" in run.ended_as("launch-failed", 1)["reason"]


def test_hostile_names_are_names(tmp_path: Path) -> None:
    project, home = tmp_path / 'it\'s $(touch pwned) ☃ "here"', tmp_path / "a b"
    project.mkdir()
    home.mkdir()
    here = Here(project, home)
    try:
        run = submit(
            here, here.script("from dask.distributed import Client; print(Client().submit(abs, -3).result())"), 2
        )
        run.ended_as("succeeded", 0)
        assert run.log() == "3\n" and not list(tmp_path.rglob("pwned"))
    finally:
        here.end_all()
