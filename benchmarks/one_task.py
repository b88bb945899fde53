"""The workload of all: waits for 24 workers, runs one task, and says when its result was there.

python one_task.py [SCHEDULER_FILE]
"""

from __future__ import annotations

import sys
import time
from typing import Any

from dask.distributed import Client

WORKERS = 24


def one_task(*cluster: Any, **where: Any) -> None:
    with Client(*cluster, **where) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(WORKERS)
        assert client.submit(sum, (1, 2)).result() == 3
        print("done", time.time(), flush=True)


if __name__ == "__main__":
    one_task(scheduler_file=sys.argv[1] if sys.argv[1:] else None)
