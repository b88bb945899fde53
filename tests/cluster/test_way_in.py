"""From Python to a cluster of batch jobs: the steps of a tutorial, and through ssh where there is no other way."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import Impatient, There, processes_of
from tests.local.living import INTERVALS
from tests.local.runs import Run, until

TUTORIAL = """
import sys, time
from hpc_launch import HPCCluster

def slowly(number):
    time.sleep(1.5)
    return number

def seconds(client):
    client.run(slowly, 0)
    begin = time.monotonic()
    assert sum(client.gather(client.map(slowly, range(24), pure=False))) == sum(range(24))
    return time.monotonic() - begin

if __name__ == "__main__":
    words = {"cores": 2, "processes": 2, "memory": "800 MB", "walltime": "00:10:00"}
    cluster = HPCCluster(site="testcluster", scheduler={"memory": "300 MB"}, **words)
    print(cluster.name, flush=True)
    assert "#SBATCH" in cluster.job_script()
    client = cluster.get_client()
    cluster.scale(jobs=3)
    cluster.wait_for_workers(6, timeout=90)
    with_six = seconds(client)
    cluster.scale(12)
    cluster.wait_for_workers(12, timeout=90)
    with_twelve = seconds(client)
    print("speed-up", with_six / with_twelve, flush=True)
    cluster.adapt(minimum_jobs=1, maximum_jobs=9, interval="1s")
    while len(cluster.scheduler.workers) > 2:
        time.sleep(0.5)
    hosts = {worker["host"] for worker in cluster.scheduler.workers.values()}
    print("shrunk to", len(cluster.scheduler.workers), "on", len(hosts), flush=True)
    client.close()
    cluster.close()
"""
THROUGH_SSH = """
import sys
from hpc_launch import HPCCluster, connect

if __name__ == "__main__":
    with connect(sys.argv[1], tunnel=True) as client:
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        print(client.submit(sum, [1, 2]).result(), client.dashboard_link)
    with HPCCluster.from_run(sys.argv[1], tunnel=True) as cluster, cluster.get_client() as client:
        print(client.submit(sum, [3, 4]).result())
"""
OPEN = """
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

with urlopen(sys.argv[1]) as page:
    print(page.status, "Status" in page.read().decode())
try:
    urlopen(sys.argv[1].partition("?")[0])
except HTTPError as refused:
    print(refused.code)
"""


@pytest.fixture
def user(cluster: Cluster) -> There:
    at = There.at(cluster)
    return Impatient(at.project, at.home, "testcluster", at.python, cluster)


def python(user: There, text: str, *words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """A script of the user's, on the login host."""
    user.write("script.py", text)
    command = [user.python, "script.py", *words]
    return user.cluster.run(
        command, cwd=user.project, timeout=timeout, env={"HPC_LAUNCH_INTERVALS": INTERVALS}, check=False
    )


def test_the_steps_of_a_tutorial(user: There) -> None:
    done = python(user, TUTORIAL)
    assert done.returncode == 0, done.stderr
    name, speed_up, shrunk = done.stdout.splitlines()
    assert float(speed_up.split()[1]) > 1.2  # twice the workers; the tasks take no cores
    assert shrunk == "shrunk to 2 on 1"
    run = Run(user, name)
    run.ended_as("succeeded", 0)
    assert processes_of(run.directory) == []


@pytest.fixture
def standing(user: There) -> Iterator[Run]:
    """A standing cluster with a worker, on hosts with sshd."""
    user.cluster.start_ssh()
    run = user.stand(layout="job-array", workers={"per_node": 1})
    until(lambda: run.status()["workers"]["connected"] == 1, "its worker")
    yield run
    assert user.command("close", run.id).returncode == 0
    run.ended_as("succeeded", 0)


def test_the_printed_line_leads_to_the_dashboard_and_python_computes_through_ssh(standing: Run, user: There) -> None:
    told = json.loads(user.command("connect", standing.id, "--json").stdout)
    url = told["dashboard"]["url"]
    assert python(user, OPEN, url).returncode != 0  # it is on loopback of a compute host
    line = user.cluster.start(["bash", "-c", f"exec {shlex.join(told['tunnel'])}"])
    try:
        opened = until(lambda: (done := python(user, OPEN, url)).returncode == 0 and done, "the tunnel")
        assert opened.stdout.split() == ["200", "True", "403"]
    finally:
        user.cluster.signal(line, signal.SIGTERM)
        line.communicate()
    through = python(user, THROUGH_SSH, standing.id)
    assert through.returncode == 0, through.stderr
    assert re.fullmatch(r"3 http://127\.0\.0\.1:\d+/status\?token=\w+\n7\n", through.stdout)
    assert user.cluster.processes("login", "ssh -o") == []
