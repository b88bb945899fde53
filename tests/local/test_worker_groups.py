"""Groups of workers on this machine: each in jobs of its own, tasks where the resources are that they ask for."""

from __future__ import annotations

from tests.local.runs import Here

SITE = "schema: 1\nname: four\nextends: local\nlimits: {running: {jobs: 4}}\n"
GROUPS = {"cpu": {"count": 2}, "fat": {"count": 1, "memory": "400 MB", "resources": {"fat": 1}}}
WHERE = """
from dask.distributed import Client, get_worker

client = Client()
client.wait_for_workers(3)

def where(number):
    return "fat" in get_worker().state.total_resources

print("fat tasks on fat workers", all(client.gather(client.map(where, range(4), resources={"fat": 1}))))
print(sorted(worker["memory_limit"] for worker in client.scheduler_info()["workers"].values()))
"""


def test_tasks_run_where_the_resources_are_that_they_ask_for(here: Here) -> None:
    (here.project / "four.yaml").write_text(SITE)
    user = Here(here.project, here.home, "./four.yaml")
    keys = {"layout": "job-array", "workers": {"count": None, "per_node": 1, "groups": GROUPS}}
    run = user.submit(user.script(WHERE), **keys)
    status = run.ended_as("succeeded", 0)
    assert [job["name"] for job in status["jobs"]] == ["scheduler", "cpu", "fat-2"]
    log = run.log()
    assert "fat tasks on fat workers True" in log
    assert "[300000000, 300000000, 400000000]" in log
