"""Clusters that an object makes: they live in runs, and outlive the process that made them."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import dask
import pytest
from dask_labextension.manager import DaskClusterManager
from distributed import Client
from distributed.core import Status

from hpc_launch import HPCCluster, connect
from hpc_launch.errors import UsageError
from tests.client.people import SITE, Person
from tests.local.runs import PATIENCE, Run, until

SMALL: dict[str, Any] = {"scheduler": {"memory": "100 MB"}}
WORDS: dict[str, Any] = {"cores": 1, "processes": 1, "memory": "300 MB", **SMALL}
"""dask-jobqueue's."""
MAKE = """
import sys, time
from hpc_launch import HPCCluster

def slow(number):
    time.sleep(0.5)
    return number ** 2

if __name__ == "__main__":
    workers = {"count": 2, "per_node": 1, "memory": "300 MB"}
    cluster = HPCCluster(site="./here.yaml", workers=workers, scheduler={"memory": "100 MB"})
    client = cluster.get_client()
    cluster.wait_for_workers(2)
    kept = client.scatter([1, 2, 3])
    futures = client.map(slow, range(10))
    client.publish_dataset(kept=kept, squares=futures)
    futures[0].result()
    print(cluster.name, flush=True)
    sys.stdin.read()
"""


def run_of(cluster: HPCCluster, person: Person) -> Run:
    return Run(person, cluster.name)


def test_leaving_the_with_ends_what_it_made(person: Person, capfd: pytest.CaptureFixture[str]) -> None:
    with HPCCluster(site="./here.yaml", **WORDS) as cluster:
        run = run_of(cluster, person)
        assert not cluster.scheduler.workers
        cluster.scale(jobs=2)
        cluster.wait_for_workers(2, timeout=PATIENCE)
        with Client(cluster) as client:
            assert client.submit(sum, [1, 2]).result() == 3
        link = cluster.dashboard_link
        token = Path(cluster.directory, "state/1/token").read_text()
        assert link.endswith(f"/status?token={token}") and urlopen(link).status == 200
        assert "#LOCAL" in cluster.job_script() and "dask_scheduler" in cluster.job_script("scheduler")
        until(lambda: "Workers: 2 of 2 connected" in cluster._scaling_status(), "the widget to tell of both workers")
        assert {key.partition("://")[0] for key in cluster.get_logs()} == {"Cluster", "Scheduler", "tls"}
    assert cluster.status is Status.closed
    run.ended_as("succeeded", 0)
    said = capfd.readouterr().err
    assert "submitted to here as job" in said and f"`hpc-launch close {run.id}` ends it" in said
    assert f"\n{run.id}: " in said  # where it stood while its scheduler was waited for


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_the_end_of_the_process_that_made_it_ends_nothing(person: Person, killed: bool) -> None:
    (person.project / "make.py").write_text(MAKE)
    words = [sys.executable, "make.py"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdin and maker.stdout
        run = Run(person, maker.stdout.readline().strip())
        if killed:
            maker.send_signal(signal.SIGKILL)
        maker.stdin.close()
        assert maker.wait(PATIENCE) == (-signal.SIGKILL if killed else 0)
    with HPCCluster.from_run(run.id, shutdown_on_close=True) as cluster, Client(cluster) as client:
        assert len(cluster.scheduler.workers) == 2
        assert client.gather(client.get_dataset("kept")) == [1, 2, 3]
        assert client.gather(client.get_dataset("squares")) == [number**2 for number in range(10)]
    run.ended_as("succeeded", 0)


def test_the_calls_of_dask_labextension(person: Person) -> None:
    kwargs = {"site": "./here.yaml", "workers": {"per_node": 1, "memory": "300 MB"}, **SMALL}
    factory = {"module": "hpc_launch", "class": "HPCCluster", "args": [], "kwargs": kwargs}

    async def use() -> Run:
        manager = await DaskClusterManager()
        made = await manager.start_cluster()
        assert made["workers"] == 0  # its scheduler may be there already, but is not waited for in a queue
        assert made["scheduler_address"] == "<Not Connected>" or made["scheduler_address"].startswith("tls://")
        [cluster] = manager._clusters.values()
        assert (await manager.scale_cluster(made["id"], 2))["workers"] == 0
        await (await cluster)._wait_for_workers(2, timeout=PATIENCE)
        model = manager.get_cluster(made["id"])
        assert model["workers"] == model["cores"] == 2 and model["scheduler_address"].startswith("tls://")
        assert manager.adapt_cluster(made["id"], 1, 2)["adapt"] == {"minimum": 1, "maximum": 2}
        assert json.loads(json.dumps(manager.list_clusters()))[0]["id"] == made["id"]
        run = run_of(cluster, person)
        assert await manager.close_cluster(made["id"])
        return run

    with dask.config.set({"labextension": {"factory": factory, "initial": [], "default": {"workers": None}}}):
        run = asyncio.run(use())
    run.ended_as("succeeded", 0)


def test_without_waiting_it_is_there_before_its_scheduler(person: Person) -> None:
    cluster = HPCCluster(site="./here.yaml", wait=False, **WORDS)
    assert (cluster.scheduler_address, cluster.dashboard_link, len(cluster.scheduler.workers)) == (
        "<Not Connected>",
        "",
        0,
    )
    with Client(cluster) as client:
        assert cluster.scheduler_address.startswith("tls://")
        with connect(cluster.name) as other:
            assert other.scheduler_info()["id"] == client.scheduler_info()["id"]
    cluster.close()
    run_of(cluster, person).ended_as("succeeded", 0)


def test_where_jobs_may_not_submit_worker_jobs_are_kept_from_here(person: Person) -> None:
    silent = f"{SITE}submit_from_compute: false\n".replace("name: here", "name: silent")
    (person.project / "silent.yaml").write_text(silent)
    with HPCCluster(site="./silent.yaml", **WORDS) as cluster:
        cluster.scale(1)
        cluster.wait_for_workers(1, timeout=PATIENCE)
        assert cluster._keeper and not cluster._keeper.has_ended
    assert cluster._keeper.has_ended
    run_of(cluster, person).ended_as("succeeded", 0)


def test_inside_a_run_it_is_that_run(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with HPCCluster(site="./here.yaml", **WORDS) as made:
        monkeypatch.setenv("HPC_LAUNCH_RUN_DIR", str(made.directory))
        with HPCCluster() as cluster:
            assert cluster.name == made.name and not cluster.shutdown_on_close
        assert until(lambda: run_of(made, person).status()["state"] == "running", "the run to go on")
        with pytest.raises(UsageError, match="as it is"):
            HPCCluster(run=made.name, queue="other")
    assert Path(made.directory, "profile.yaml").read_text().startswith("# HPCCluster(…)\n")
