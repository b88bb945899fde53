"""Why a job of the ordinary user waits, or is refused, on a real Slurm that keeps to what users may have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There
from tests.local.runs import until


@pytest.fixture(scope="module")
def limits(cluster: Cluster) -> Iterator[Cluster]:
    """With accounting Slurm keeps to what accounts and their users may have."""
    cluster.set_accounting(True)
    yield cluster
    cluster.set_accounting(False)


@pytest.fixture
def one_at_a_time(limits: Cluster) -> Iterator[None]:
    """The user may have one running job."""
    modify = ["sacctmgr", "-i", "modify", "user", "hpcuser", "set"]
    limits.run([*modify, "MaxJobs=1"], user="root")
    yield
    limits.run([*modify, "MaxJobs=-1"], user="root")


def test_a_limit_of_running_jobs_is_a_turn_to_wait_for(limits: Cluster, one_at_a_time: None) -> None:
    there = There.at(limits)
    first = there.submit(["sleep", "300"])
    first.until_running()
    second = there.submit(["true"])
    until(lambda: "AssocMaxJobsLimit" in (second.status()["why"] or ""), "Slurm to have thought about the second job")
    status = second.status()
    assert status["state"] == "queued"
    assert (
        status["why"]
        == "you have all that its account lets you have at once: it waits for its turn (AssocMaxJobsLimit)"
    )
    assert there.command("cancel", first.id).returncode == 0
    second.ended_as("succeeded", 0)


@pytest.mark.parametrize("word", ["account", "qos"])
def test_a_name_that_is_not_the_users_is_answered_with_what_lists_theirs(limits: Cluster, word: str) -> None:
    there = There.at(limits)
    done = there.command("submit", there.profile(["true"], **{word: "nosuch"}))
    assert (done.returncode, done.stdout) == (5, "")
    assert "Invalid" in done.stderr and "sacctmgr show associations user=$USER" in done.stderr
