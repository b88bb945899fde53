"""A real run of somebody who has settings of Dask of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.local.runs import Here

SETTINGS = """
distributed:
  worker: {multiprocessing-method: spawn, memory: {target: 0.3}}
  scheduler: {allowed-failures: 7, preload: [HOME/mine.py]}
"""
WORK = """
import dask, json
from dask.distributed import Client
with Client() as client:
    keys = ["memory.target", "memory.spill", "memory.pause", "multiprocessing-method", "http.routes"]
    told = [[*client.run(dask.config.get, "distributed.worker." + key).values()] for key in keys]
    told.append(client.run_on_scheduler(lambda dask_scheduler: [dask_scheduler.allowed_failures, dask_scheduler.mine]))
    print(json.dumps(told))
"""


def test_what_the_profile_leaves_open_is_theirs_and_ours_comes_last(here: Here) -> None:
    (here.home / ".config/dask").mkdir(parents=True)
    (here.home / ".config/dask/mine.yaml").write_text(SETTINGS.replace("HOME", str(here.home)))
    (here.home / "mine.py").write_text("def dask_setup(scheduler):\n    scheduler.mine = 'loaded'\n")
    run = here.submit(
        here.script(WORK),
        workers={
            "thresholds": {"pause": "90%"},
            "local_directory": "$SCRATCH/x",
        },  # memory, where nobody spills unasked
        environment={
            "variables": {
                "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": 0.5,
                "SCRATCH": f"/dev/shm/${{USER}}-{here.project.parent.name}",
            }
        },
    )
    run.ended_as("succeeded", 0)
    assert json.loads(run.log()) == [[0.5], [False], [0.9], ["spawn"], [[]], [7, "loaded"]]
    told = "distributed.worker.memory.target is 0.5, by your own settings of Dask; otherwise it would be False here"
    assert told in run.log("workers")
    for scratch in Path("/dev/shm").glob(f"*-{here.project.parent.name}"):
        shutil.rmtree(scratch)
