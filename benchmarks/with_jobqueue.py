"""What one_task.py does, by dask-jobqueue: its scheduler is in this process, its workers are in three jobs of Slurm.

python with_jobqueue.py [--tls]
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from dask_jobqueue import SLURMCluster
from one_task import one_task

NODES = 3
"""With eight workers of one thread each, as in profile.yaml and by_hand.sh."""


def cluster(tls: bool) -> AbstractContextManager[Any]:
    """As its documentation has it; with TLS the certificate is made on the spot, and lies in this directory."""
    made: AbstractContextManager[Any] = SLURMCluster(
        cores=8,
        processes=8,
        memory="4 GB",
        interface="ib0",
        walltime="00:10:00",
        **({"security": True, "shared_temp_directory": "."} if tls else {}),
    )
    return made


if __name__ == "__main__":
    with cluster("--tls" in sys.argv) as three_jobs:
        three_jobs.scale(jobs=NODES)  # type: ignore[attr-defined]
        one_task(three_jobs)
