"""What the scheduler's ports are chosen with is loaded by the clusters of tasks, too, where these have its settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hpc_launch.jobside
from tests.local.listening import free_range

TASK = """import within_ports
from distributed import LocalCluster
with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
    print(cluster.scheduler_address)
"""


def test_a_tasks_own_cluster_listens_as_usual(tmp_path: Path) -> None:
    first, last = free_range(4)
    variables = {
        "HPC_LAUNCH_RUN_DIR": str(tmp_path),
        "HPC_LAUNCH_ATTEMPT": "1",
        "HPC_LAUNCH_PORTS": f"{first}-{last}",
        "PYTHONPATH": str(Path(hpc_launch.jobside.__file__).parent),
    }
    told = subprocess.run(
        [sys.executable, "-c", TASK], env={**os.environ, **variables}, cwd=tmp_path, capture_output=True, text=True
    )
    assert told.stdout.startswith("inproc://"), told.stderr
