"""The end of a run on real batch systems tells what to do."""

from __future__ import annotations

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, There
from tests.local.telling import EATING, OWN_CLUSTER, WITH_A_TASK


@pytest.fixture(params=LISTINGS, ids=["slurm", "gridengine"])
def user(request: pytest.FixtureRequest, cluster: Cluster) -> There:
    at = There.at(cluster)
    return There(at.project, at.home, request.param, at.python, cluster)


def test_it_is_told_that_no_task_ran_and_whose_memory_to_raise(user: There) -> None:
    """All at the same time: most of it is waiting."""
    lines = {"idle": OWN_CLUSTER, "eats": EATING, "computes": WITH_A_TASK}
    runs = {name: user.submit(user.script(text)) for name, text in lines.items()}
    idle = runs["idle"].ended_as("succeeded", 0)
    assert "the workload never connected to them" in idle["hint"] and idle["last_lines"] is None
    eats = runs["eats"].ended_as("failed", 1)
    assert eats["hint"].endswith("raise workers.memory") and eats["workers"]["died"] >= 1
    assert "KilledWorker" in "\n".join(eats["last_lines"])
    assert runs["computes"].ended_as("succeeded", 0)["hint"] is None
    shown = user.command("status", runs["eats"].id).stdout
    assert f"hint        {eats['hint']}" in shown and eats["last_lines"][-1] in shown


def test_check_ends_as_submit_would(user: There) -> None:
    good = user.command("check", user.profile(["true"]))
    assert good.returncode == 0 and "can be submitted" in good.stdout, good.stderr
    assert ("slurm says of the job" in good.stdout) == (user.site == "testcluster")
    if user.site == "testcluster":
        nowhere = user.profile(["true"], constraint="nosuchfeature")
        checked, submitted = user.command("check", nowhere), user.command("submit", nowhere)
        assert checked.returncode == submitted.returncode == 5
        assert "Invalid feature specification" in checked.stderr and "Invalid feature" in submitted.stderr
