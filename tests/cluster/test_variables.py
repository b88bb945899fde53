"""Real batch systems: variables that each node expands, thresholds, and settings of Dask that are the user's own."""

from __future__ import annotations

import json

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, There
from tests.local.runs import Run

WORK = """
import dask, json, os
from dask.distributed import Client

def told(keys):
    found = [os.environ["PLACE"], os.environ["DOLLAR"], os.environ["PATH"].startswith("/opt/x/bin:/")]
    return [*found, *(dask.config.get("distributed.worker.memory." + key) for key in keys)]

with Client() as client:
    print(json.dumps(sorted(client.run(told, ["target", "spill", "pause"]).values())))
"""
VARIABLES = {
    "PATH": "/opt/x/bin:$PATH",
    "NODE": "$HPC_LAUNCH_NODE",
    "PLACE": "$HOME/of $NODE$MISSING",
    "DOLLAR": "$$HOME",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": 0.5,
}


@pytest.mark.parametrize("site", LISTINGS, ids=["slurm", "gridengine"])
def test_variables_and_thresholds_are_those_of_each_node(cluster: Cluster, site: str) -> None:
    at = There.at(cluster)
    there = There(at.project, at.home, site, at.python, cluster)
    there.write("work.py", WORK)
    profile = there.profile(
        [there.python, "work.py"],
        workers={"count": 2, "per_node": 1, "memory": "300 MB", "thresholds": {"pause": "90%"}},
        environment={"variables": VARIABLES},
    )
    done = there.command("submit", profile, "--wait")
    assert done.returncode == 0, done.stderr
    told = json.loads(Run(there, done.stdout.strip()).log())
    assert [each[1:] for each in told] == [["$HOME", True, 0.5, 0.7, 0.9]] * 2
    assert [each[0] for each in told] == [f"{there.home}/of {node}" for node in range(2)]


@pytest.mark.parametrize("site", LISTINGS, ids=["slurm", "gridengine"])
def test_what_would_not_arrive_is_refused_before_the_queue(cluster: Cluster, site: str) -> None:
    at = There.at(cluster)
    there = There(at.project, at.home, site, at.python, cluster)
    profile = there.profile(["true"], environment={"variables": {"DASK_SCHEDULER_ADDRESS": "tcp://x:1"}})
    done = there.command("submit", profile, "--set", "workers.options=[--memmory-limit, 3]")
    assert done.returncode == 3
    assert "environment.variables.DASK_SCHEDULER_ADDRESS: it is the address of the run's own" in done.stderr
    assert "'--memmory-limit' is no option of `dask worker`" in done.stderr
