"""Runs that grow and shrink on real batch systems, whoever has asked for it being gone meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import LISTINGS, Impatient, There, processes_of
from tests.local.living import WORKLOAD, Living
from tests.local.runs import until


@pytest.fixture(params=LISTINGS, ids=["slurm", "gridengine"])
def living(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Living]:
    """A run with one worker."""
    at = There.at(cluster)
    user = Impatient(at.project, at.home, request.param, at.python, cluster)
    run = user.submit(user.script(WORKLOAD), layout="job-array", workers={"per_node": 1}, walltime="00:10:00")
    yield Living(run)
    end_all(cluster)


def end_all(cluster: Cluster) -> None:
    cluster.run(["scancel", "--user=hpcuser"], check=False)
    cluster.run(["qdel", "-u", "hpcuser"], check=False)


def test_it_lives_on_when_its_user_has_gone(living: Living) -> None:
    user = living.run.here
    assert isinstance(user, There)

    def the_user_logs_out() -> None:
        """Everything of the user's on the login host is killed, as after a login that has ended."""
        user.cluster.run(["bash", "-c", "kill -KILL -1"], check=False)

    living.lives_from_one_to_three_and_back(the_user_logs_out)
    living.stop()
    living.run.ended_as("succeeded", 0)
    until(lambda: user.cluster.run(LISTINGS[user.site]).stdout == "", "every job to leave the batch system")
    assert processes_of(living.run.directory) == []
    assert "Traceback" not in (living.run.directory / "logs/keeper.log").read_text()


@pytest.fixture
def partition(cluster: Cluster) -> Iterator[Callable[[str], object]]:
    """Sets the state of Slurm's partition `long`."""

    def set_state(state: str) -> object:
        return cluster.run(["scontrol", "update", "PartitionName=long", f"State={state}"], user="root")

    yield set_state
    set_state("UP")
    end_all(cluster)


def test_a_queue_that_takes_no_jobs_harms_no_run_and_is_asked_again(
    cluster: Cluster, partition: Callable[[str], object]
) -> None:
    at = There.at(cluster)
    user = Impatient(at.project, at.home, "testcluster", at.python, cluster)
    workers = {"per_node": 1, "queue": "long"}
    living = Living(user.submit(user.script(WORKLOAD), layout="job-array", workers=workers, walltime="00:10:00"))
    living.run.until_running()
    partition("INACTIVE")
    living.scale("--workers", "2")
    living.reaches(lambda now: "partition" in str(now["paused"]), "Slurm's words")
    living.begin_turn(1)
    living.ends_turn(1)
    ledger = living.run.directory / "pool"
    until(lambda: len(list(ledger.glob("[0-9]*.json"))) >= 3, "another attempt")
    partition("UP")
    living.scale("--workers", "2")
    living.reaches(lambda now: now["connected"] == 2 and not now["paused"], "two workers")
    living.stop()
    living.run.ended_as("succeeded", 0)
    until(lambda: cluster.run(LISTINGS["testcluster"]).stdout == "", "every job to leave the batch system")
