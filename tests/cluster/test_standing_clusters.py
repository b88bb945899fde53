"""Standing clusters on real batch systems: they begin without workers, get some, and are closed."""

from __future__ import annotations

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, Impatient, There, processes_of
from tests.local.living import Living
from tests.local.runs import until


@pytest.fixture(params=LISTINGS, ids=["slurm", "gridengine"])
def user(request: pytest.FixtureRequest, cluster: Cluster) -> There:
    at = There.at(cluster)
    return Impatient(at.project, at.home, request.param, at.python, cluster)


def test_it_begins_without_workers_gets_one_and_is_closed(user: There) -> None:
    run = user.stand(layout="job-array", workers={"count": 0})
    run.until_running()
    living = Living(run)
    living.scale("--workers", "1")
    living.reaches(lambda now: now["connected"] == 1, "a worker")
    assert user.command("close", run.id).returncode == 0
    assert run.ended_as("succeeded", 0)["reason"] == "it was closed"
    has_left_the_batch_system(user)
    assert processes_of(run.directory) == []


def test_one_that_waits_in_the_queue_is_taken_out_of_it(user: There) -> None:
    run = user.stand(layout="job-array", workers={"count": 0}, begin="2037-12-01T00:00")
    assert run.status()["state"] == "queued"
    closed = user.command("close", run.id)
    assert closed.returncode == 0 and "it is taken out of the queue" in closed.stderr
    run.ended_as("cancelled", 1)
    has_left_the_batch_system(user)


def has_left_the_batch_system(user: There) -> None:
    until(lambda: user.cluster.run(LISTINGS[user.site]).stdout == "", "every job to leave the batch system")
