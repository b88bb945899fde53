"""Two groups of workers on real Slurm: each in its own partition, with its own directives; one adapts to the tasks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, Impatient, There, processes_of, slurm
from tests.local.runs import until

WORKLOAD = """
import os, time
from dask.distributed import Client, get_worker

def kind(number, seconds):
    time.sleep(seconds)
    return "fat" if "fat" in get_worker().state.total_resources else "thin"

client = Client()
print("ran on", *set(client.gather(client.map(kind, range(3), seconds=0.1, resources={"fat": 1}))), flush=True)
many = client.map(kind, range(10, 60), seconds=1)
print("finished", len(client.gather(many)), flush=True)
while not os.path.exists("stop"):
    time.sleep(0.2)
"""
THIN = {"count": 1, "adapt": {"minimum": 1, "maximum": 3, "interval": "1s", "target_duration": "2s"}}
FAT = {"count": 1, "memory": "600 MB", "resources": {"fat": 1}, "queue": "long", "directives": ["--comment=fat"]}


@pytest.fixture
def user(cluster: Cluster) -> Iterator[There]:
    at = There.at(cluster)
    yield Impatient(at.project, at.home, "testcluster", at.python, cluster)
    cluster.run(["scancel", "--user=hpcuser"], check=False)


def test_each_group_has_its_own_partition_and_directives_and_one_adapts(user: There) -> None:
    workers = {"count": None, "per_node": 1, "groups": {"fat": FAT, "thin": THIN}}
    keys = {"layout": "job-array", "directives": ["--comment=run"], "walltime": "00:10:00"}
    run = user.submit(user.script(WORKLOAD), workers=workers, **keys)
    run.until_printed("ran on fat")
    listed = slurm(user.cluster, "squeue", "--noheader", "--user=hpcuser", "--format=%j %P %k").splitlines()
    told = {line.split()[0].partition("-")[2].partition("-")[2]: line.split()[1:] for line in listed}
    assert (told[""], told["fat"], told["thin-2"]) == (["short", "run"], ["long", "fat"], ["short", "run"])
    until(lambda: run.status()["pools"]["thin"]["connected"] == 3, "three workers of the group that adapts")
    run.until_printed("finished 50")
    until(lambda: run.status()["pools"]["thin"]["connected"] == 1, "one worker of the group that adapts")
    assert run.status()["pools"]["fat"]["connected"] == 1
    user.write("stop", "")
    run.ended_as("succeeded", 0)
    until(lambda: user.cluster.run(LISTINGS["testcluster"]).stdout == "", "every job to leave the batch system")
    assert processes_of(run.directory) == []
