"""On real batch systems: a site that lets some ports alone through, and a run without workers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, There, job_of, processes_of
from tests.local.listening import ports_of
from tests.local.runs import Run, until

FIRST, LAST = 41000, 41013


@pytest.fixture(params=LISTINGS, ids=["slurm", "gridengine"])
def user(request: pytest.FixtureRequest, cluster: Cluster) -> There:
    at = There.at(cluster)
    ports = f"network: {{ports: {FIRST}-{LAST}}}"
    at.write("site.yaml", f"name: behind-a-firewall\nextends: {request.param}\n{ports}\n")
    return There(at.project, at.home, "./site.yaml", at.python, cluster)


def python_processes(run: Run) -> list[int]:
    """Those of Dask: the launchers have ports of their own."""
    return [int(line.split()[0]) for line in processes_of(run.directory) if "python" in line.split()[1]]


@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_all_that_listens_does_so_within_the_sites_ports(user: There, layout: str) -> None:
    workers: dict[str, Any] = {"count": 6, "per_node": 2, "minimum": 6, "memory": "200 MB"}
    run = user.stand(layout=layout, workers=workers)
    run.until_running()
    found = ports_of(python_processes(run))
    assert len(found) == 6 * 2 + 2 and {*found} <= {*range(FIRST, LAST + 1)}, found
    assert user.command("close", run.id).returncode == 0
    run.ended_as("succeeded", 0)
    until(lambda: processes_of(run.directory) == [], "every process of the run to end")


def test_a_run_without_workers_is_a_plain_job(user: There) -> None:
    lines = "import json, os; print(json.dumps([*os.sched_getaffinity(0)])); print(*sorted(os.environ), sep='\\n')"
    user.write("plain.py", lines + "\n")
    workload = {"command": f"{user.python} plain.py", "cores": 2, "memory": "200 MB"}
    plain = {"site": user.site, "name": "plain", "walltime": "00:05:00", "workers": "none", "workload": workload}
    user.write("plain.yaml", json.dumps(plain))
    done = user.command("submit", "plain.yaml", "--wait")
    assert done.returncode == 0, done.stderr
    run = Run(user, done.stdout.strip())
    printed = run.log().splitlines()
    assert not [name for name in printed if name.startswith("DASK")] and "HPC_LAUNCH_RUN_DIR" in printed
    run.ended_as("succeeded", 0)
    assert not (run.directory / "tls").exists() and not (run.directory / "node.sh").exists()
    assert processes_of(run.directory) == []


def test_one_without_workers_is_cancelled(user: There) -> None:
    workload = {"command": "sleep 300", "cores": 1, "memory": "200 MB"}
    plain = {"site": user.site, "name": "plain", "walltime": "00:05:00", "workers": "none", "workload": workload}
    user.write("plain.yaml", json.dumps(plain))
    run = Run(user, user.command("submit", "plain.yaml").stdout.strip())
    run.until_running()
    assert job_of(run) and user.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    until(lambda: processes_of(run.directory) == [], "every process of the run to end")
