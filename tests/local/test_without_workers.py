"""Runs without workers (`workers: none`) on this machine: how they end, and what is told of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.runs import Here, Run, until

WORK = """
import json, os
from dask.distributed import Client, LocalCluster

if __name__ == "__main__":
    names = sorted(name for name in os.environ if name.startswith(("DASK", "HPC_LAUNCH")))
    with LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as own, Client(own) as client:
        print(json.dumps({"names": names, "sum": client.submit(sum, [1, 2]).result()}))
"""


def submit(here: Here, command: list[str] | str, **keys: Any) -> Run:
    profile = {
        "site": "local",
        "name": "plain",
        "workers": "none",
        "workload": {"command": command, "cores": 1, "memory": "300 MB"},
        **keys,
    }
    (here.project / "plain.yaml").write_text(yaml.safe_dump(profile))
    done = here.command("submit", "plain.yaml")
    assert done.returncode == 0, done.stderr
    return Run(here, done.stdout.strip())


def test_a_program_with_a_cluster_of_its_own_runs_alone(here: Here) -> None:
    (here.project / "work.py").write_text(WORK)
    run = submit(here, [sys.executable, "work.py"])
    status = run.ended_as("succeeded", 0)
    told = json.loads(run.log())
    assert told["sum"] == 3 and not [name for name in told["names"] if "DASK" in name or "SCHEDULER" in name]
    assert not any(status["workers"].values())
    assert {path.name for path in (run.directory / "logs").iterdir()} == {"job.log", "workload.log"}
    assert not (run.directory / "tls").exists() and not [*run.directory.rglob("*token*")]
    assert (run.directory / "logs" / "job.log").read_text() == ""


def test_it_is_shown_and_refuses_what_needs_workers(here: Here) -> None:
    run = submit(here, "echo begun; sleep 1000")
    run.until_running()
    shown = here.command("status", run.id).stdout
    assert "running" in shown and "workers" not in shown and "dashboard" not in shown
    for words in (("scale", run.id, "--workers", "2"), ("keep", run.id), ("connect", run.id)):
        refused = here.command(*words)
        assert (refused.returncode, "workers: none" in refused.stderr) == (2, True), refused.stderr
    assert here.command("close", run.id).returncode == 2
    assert "it is a job that holds its workload alone" in here.command("logs", run.id, "--of", "scheduler").stderr
    assert here.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)


def test_its_exit_code_is_the_runs(here: Here) -> None:
    run = submit(here, "exit 7")
    assert run.ended_as("failed", 7)["reason"] is None


def test_it_ends_before_its_walltime(here: Here) -> None:
    run = submit(here, "sleep 1000", walltime="16s")
    run.ended_as("timeout", 1)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"environment": {"setup": "echo no such module >&2; exit 3"}}, "no such module"),
        ({"environment": {"setup": "false || return"}}, "environment did not load"),
    ],
)
def test_an_environment_that_does_not_load_is_told(here: Here, keys: dict[str, Any], said: str) -> None:
    run = submit(here, "echo never", **keys)
    status = run.ended_as("launch-failed", 1)
    assert "environment did not load on " in status["reason"] and said in status["reason"]
    assert "never" not in run.log()


def test_a_notebook_is_told_that_there_is_no_scheduler(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from hpc_launch import HPCCluster, connect
    from hpc_launch.errors import UsageError

    run = submit(here, "sleep 1000")
    until(lambda: run.event("workload"), "the workload to start")
    for name, value in here.environment().items():
        monkeypatch.setenv(name, value)
    for way in (connect, HPCCluster.from_run):
        with pytest.raises(UsageError, match="has no Dask scheduler"):
            way(run.id)
    assert Path(run.directory).is_dir()
