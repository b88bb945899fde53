"""A workload of fifteen minutes on worker jobs of three: they are replaced as they expire, and no task runs twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.local.runs import Here

WORKERS, SECONDS = 3, 15 * 60
TASKS = 3 * SECONDS * WORKERS // 31  # of 1 to 20 s, 10.3 on average
WORKLOAD = f"""
import time
from dask.distributed import Client, get_worker

def work(number):
    with open("began", "a") as file:
        file.write(f"{{number}} {{get_worker().name}} {{time.time():.1f}}\\n")
    time.sleep(1 + 7 * number % 20)
    return number

client = Client()
print("sum", sum(client.gather(client.map(work, range({TASKS})))), flush=True)
"""
SITE = "schema: 1\nname: roomy\nextends: local\nlimits: {running: {jobs: 8}}\n"


@pytest.mark.long
def test_worker_jobs_that_expire_are_replaced_and_no_task_runs_twice(here: Here) -> None:
    (here.project / "roomy.yaml").write_text(SITE)
    user = Here(here.project, here.home, "./roomy.yaml")
    workers = {"count": WORKERS, "per_node": 1, "walltime": "3m"}
    run = user.submit(user.script(WORKLOAD), layout="job-array", walltime="30m", workers=workers)
    begin = time.monotonic()
    while run.status()["outcome"] is None:
        time.sleep(10)
    print(f"it took {time.monotonic() - begin:.0f} s; {replaced(run.directory)}")
    run.ended_as("succeeded", 0)
    run.until_printed(f"sum {sum(range(TASKS))}")
    began: dict[str, list[str]] = {}
    for line in (here.project / "began").read_text().splitlines():
        number, worker, when = line.split()
        began.setdefault(number, []).append(f"on {worker} at {when}")
    assert len(began) == TASKS
    assert {number: times for number, times in began.items() if len(times) > 1} == {}
    lived = Counter(times[0].split()[1] for times in began.values())
    assert len(lived) >= WORKERS * (SECONDS // 180), lived


def replaced(directory: Path) -> str:
    """What the keeper told last of its worker jobs."""
    told = json.loads((directory / "pool" / "status.json").read_text())["groups"]["workers"]
    return ", ".join(f"{told[key]} {key}" for key in ("ended", "replaced", "failed"))
