"""Standing clusters on this machine: they stay until they are closed, idle for too long, or out of walltime."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from hpc_launch.client.endpoint import security_of
from tests.local.living import INTERVALS
from tests.local.runs import Here, Run, until


@dataclass(frozen=True)
class Impatient(Here):
    """A user whose runs look often at what changes."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}


@pytest.fixture
def impatient(here: Here) -> Here:
    return Impatient(here.project, here.home)


def client_of(run: Run) -> Any:
    run.until_running()
    address = (run.directory / "state/1/ready").read_text()
    of_dask: Any = Client
    return of_dask(address, security=security_of(run.directory))


def scheduler_of(run: Run) -> int:
    """The process of the run's Dask scheduler."""
    commands = {process: Path(f"/proc/{process}/cmdline").read_bytes() for process in run.processes()}
    (found,) = (process for process, words in commands.items() if b"\0distributed.cli.dask_scheduler\0" in words)
    return found


def test_it_stands_until_it_is_closed(here: Here) -> None:
    run = here.stand()
    run.until_running()
    assert run.status()["stands"] is True
    assert f"until `hpc-launch close {run.id}`, until it was idle for 1 h, or" in here.command("status", run.id).stdout
    assert "running (standing cluster)" in here.command("list").stdout
    assert "a standing cluster has no workload" in here.command("logs", run.id).stderr
    closed = here.command("close", run.id)
    assert closed.returncode == 0, closed.stderr
    assert "succeeded: it was closed" in closed.stdout
    assert run.ended_as("succeeded", 0)["reason"] == "it was closed"
    again = here.command("close", run.id)
    assert again.returncode == 0 and again.stderr == f"{run.id} is over already: succeeded\n"


def test_it_may_be_closed_before_it_stands(here: Here) -> None:
    """It waits for a worker whose node is not fit."""
    run = here.stand(layout="job-array", workers={"minimum": 1, "interface": "ib99"})
    until(lambda: run.status()["unfit"], "the node to be found unfit")
    assert here.command("close", run.id).returncode == 0
    assert run.ended_as("succeeded", 0)["times"]["workload"] is None


def test_a_job_array_stands_without_workers_and_grows(impatient: Here) -> None:
    run = impatient.stand(layout="job-array", workers={"count": 0})
    with client_of(run) as client:
        assert impatient.command("scale", run.id, "--workers", "1").returncode == 0
        assert client.submit(sum, [1, 2]).result(timeout=60) == 3
    assert impatient.command("close", run.id, "--json").returncode == 0
    status = run.ended_as("succeeded", 0)
    assert [job["name"] for job in status["jobs"]] == ["scheduler", "workers-1"]
    assert "Traceback" not in (run.directory / "logs/keeper.log").read_text()


WAITS = """
from dask.distributed import Client
with Client() as client:
    print(len(client.scheduler_info()["workers"]), "workers", flush=True)
    print(client.submit(sum, [1, 2]).result())
"""


def test_a_workload_begins_before_any_worker_is_there(impatient: Here) -> None:
    run = impatient.submit(impatient.script(WAITS), layout="job-array", workers={"count": 0})
    run.until_printed("0 workers")
    assert impatient.command("scale", run.id, "--workers", "1").returncode == 0
    run.ended_as("succeeded", 0)
    assert run.log() == "0 workers\n3\n"


def test_it_ends_when_nobody_has_used_it_for_long_enough(here: Here) -> None:
    """The worker keeps a client of its own, since a task of it had another one computed."""

    def ask() -> Any:
        from distributed import worker_client

        with worker_client() as client:
            return client.submit(sum, [1, 2]).result()

    run = here.stand(layout="job-array", scheduler={"idle_timeout": "2s"})
    with client_of(run) as client:
        assert client.submit(ask).result(timeout=60) == 3
        time.sleep(3)
        assert run.status()["state"] == "running"
    assert run.ended_as("succeeded", 0)["reason"] == "it was idle for 2 s"


def test_its_walltime_is_its_end(here: Here) -> None:
    run = here.stand(walltime="00:00:15")
    assert run.ended_as("timeout", 1)["reason"] == "the walltime was used up"


@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_a_client_may_shut_it_down(here: Here, layout: str) -> None:
    run = here.stand(layout=layout)
    client_of(run).shutdown()
    assert run.ended_as("succeeded", 0)["reason"] == "a client shut the cluster down"


def test_it_fails_with_its_scheduler(here: Here) -> None:
    run = here.stand()
    run.until_running()
    os.kill(scheduler_of(run), signal.SIGKILL)
    assert "the Dask scheduler died with exit code 137, see logs/" in run.ended_as("failed", 1)["reason"]


def test_it_may_be_cancelled(here: Here) -> None:
    run = here.stand()
    run.until_running()
    assert here.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
