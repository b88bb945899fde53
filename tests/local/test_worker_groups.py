"""Groups of workers on this machine: each in jobs of its own, tasks where the resources are that they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import ROOT
from tests.local.living import INTERVALS
from tests.local.runs import Here, Run, until

SITE = "schema: 1\nname: six\nextends: local\nlimits: {running: {jobs: 6}}\n"
WORKLOAD = """
import os, time
from dask.distributed import Client, get_worker

def kind(number, seconds):
    time.sleep(seconds)
    return "fat" if "fat" in get_worker().state.total_resources else "thin"

client = Client()
fat = client.map(kind, range(4), seconds=0.1, resources={"fat": 1})
print("tasks that ask for it ran on", *sorted(set(client.gather(fat))), flush=True)
nowhere = client.submit(kind, 0, 0, resources={"gold": 2})
many = client.map(kind, range(100, 140), seconds=1)
kinds = client.gather(many)
print("the others ran on", *sorted(set(kinds)), flush=True)
del many, fat
while not os.path.exists("stop"):
    time.sleep(0.2)
"""
GROUPS = {
    "fat": {"count": 1, "memory": "400 MB", "resources": {"fat": 1}},
    "thin": {"count": 1, "adapt": {"minimum": 1, "maximum": 4, "interval": "1s", "target_duration": "2s"}},
}


class Impatient(Here):
    """A user whose runs look often at what changes, and where six worker jobs run at once."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}


@pytest.fixture
def user(here: Here) -> Here:
    (here.project / "six.yaml").write_text(SITE)
    return Impatient(here.project, here.home, "./six.yaml")


def pool(run: Run, group: str) -> dict[str, Any]:
    found: dict[str, Any] = run.status()["pools"].get(group, {})
    return found


def test_a_group_adapts_beside_one_with_what_tasks_ask_for(user: Here) -> None:
    keys = {"layout": "job-array", "workers": {"count": None, "per_node": 1, "groups": GROUPS}}
    run = user.submit(user.script(WORKLOAD), **keys)
    assert [job["name"] for job in run.status()["jobs"]] == ["scheduler", "fat", "thin-2"]
    run.until_printed("tasks that ask for it ran on fat")
    until(lambda: pool(run, "thin").get("connected") == 4, "four workers of the group that adapts")
    status = run.status()
    assert status["unsatisfiable"] == [{"resources": {"gold": 2}, "tasks": 1}]
    assert "1 task asks for gold=2, which no worker has" in user.command("status", run.id).stdout
    assert (pool(run, "thin")["mode"], pool(run, "fat")["mode"]) == ("adaptive", "fixed")
    run.until_printed("the others ran on fat thin")
    until(lambda: pool(run, "thin")["connected"] == 1, "one worker of the group that adapts")
    assert pool(run, "fat")["connected"] == 1
    asked = user.command("scale", run.id, "--workers", "2")
    assert asked.returncode == 2 and "Add --group: thin, fat" in asked.stderr
    assert user.command("scale", run.id, "--group", "fat", "--workers", "2").returncode == 0
    until(lambda: pool(run, "fat")["connected"] == 2, "another worker of the other group")
    (user.project / "stop").touch()
    jobs = run.ended_as("succeeded", 0)["jobs"]
    assert {job["name"].rpartition("-")[0] or job["name"] for job in jobs} == {"scheduler", "fat", "thin"}
    assert "Traceback" not in (run.directory / "logs/keeper.log").read_text()


def test_worker_jobs_are_submitted_one_after_the_other_where_the_profile_says_so(user: Here) -> None:
    keys = {"layout": "job-array", "workers": {"count": 3, "per_node": 1, "at_once": 1, "minimum": 1}}
    run = user.submit(user.script("import time; time.sleep(600)"), **keys)
    run.until_running()
    until(lambda: "at one time" in str(pool(run, "workers").get("paused")), "the keeper to say why there are no more")
    assert [job["name"] for job in run.status()["jobs"]] == ["scheduler", "workers"]
    assert pool(run, "workers")["target"] == 3
    assert user.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)


def test_the_example_runs(user: Here) -> None:
    profile = str(ROOT / "examples" / "worker-groups" / "profile.yaml")
    words = ("--set", "workload.command=[python, pieces.py, --pieces, 12, --seconds, 0.5]", "--site", "./six.yaml")
    done = user.command("submit", profile, "--wait", *words)
    assert done.returncode == 0, done.stderr
    assert "12 pieces, their sum is 66; combined on a large worker" in Run(user, done.stdout.strip()).log()
