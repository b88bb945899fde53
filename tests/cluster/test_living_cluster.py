"""Runs that grow and shrink on real batch systems, whoever has asked for it being gone meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

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
