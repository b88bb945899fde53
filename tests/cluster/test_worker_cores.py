"""Cores of workers apart from their threads, and workers spread evenly over two hosts, on real batch systems."""

from __future__ import annotations

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, There, log_lines

SEEN = """
import os, socket
from collections import Counter
from dask.distributed import Client

def seen(dask_worker):
    threads = dask_worker.state.nthreads
    return socket.gethostname(), threads, *(os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS"))

if __name__ == "__main__":
    client = Client()
    answers = client.run(seen).values()
    print("hosts", *sorted(Counter(host for host, *_ in answers).values()))
    print("seen", *sorted({" ".join(map(str, rest)) for _, *rest in answers}))
"""


@pytest.fixture(params=LISTINGS, ids=["slurm", "gridengine"])
def user(request: pytest.FixtureRequest, cluster: Cluster) -> There:
    at = There.at(cluster)
    return There(at.project, at.home, request.param, at.python, cluster)


def test_six_workers_of_two_cores_and_one_thread_are_three_on_each_of_two_hosts(user: There) -> None:
    """Four would fit on a host. What the environment sets itself holds.

    Grid Engine's own environment divides slots over all three hosts: there it is said how many workers are on each.
    """
    divides = user.site == "gridcluster"
    workers = {"count": 6, "cores": 2, "threads": 1, "memory": "300 MB", "per_node": 2 if divides else None}
    run = user.submit(user.script(SEEN), workers=workers, environment={"variables": {"MKL_NUM_THREADS": "1"}})
    run.ended_as("succeeded", 0)
    said = [line for line in log_lines(run, "workload") if line.startswith(("hosts", "seen"))]
    assert said == ["hosts 2 2 2" if divides else "hosts 3 3", "seen 1 2 1 2"]
