"""Why a job of the ordinary user waits, or is refused, on a real Slurm that keeps to what users may have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There
from tests.local.runs import until

pytestmark = pytest.mark.parametrize("accounting", [True], ids=["with-sacct"], indirect=True)
"""With accounting Slurm keeps to what accounts and their users may have."""


@pytest.fixture
def one_at_a_time(cluster: Cluster, accounting: bool) -> Iterator[None]:
    """The user may have one running job."""
    modify = ["sacctmgr", "-i", "modify", "user", "hpcuser", "set"]
    cluster.run([*modify, "MaxJobs=1"], user="root")
    yield
    cluster.run([*modify, "MaxJobs=-1"], user="root")


def test_a_limit_of_running_jobs_is_a_turn_to_wait_for(cluster: Cluster, one_at_a_time: None) -> None:
    there = There.at(cluster)
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
def test_a_name_of_others_is_answered_with_what_lists_ones_own(cluster: Cluster, accounting: bool, word: str) -> None:
    there = There.at(cluster)
    done = there.command("submit", there.profile(["true"], **{word: "nosuch"}))
    assert (done.returncode, done.stdout) == (5, "")
    assert "Invalid" in done.stderr and "sacctmgr show associations user=$USER" in done.stderr


def test_a_draft_of_a_site_profile_tells_what_the_account_allows(cluster: Cluster, one_at_a_time: None) -> None:
    done = There.at(cluster).command("site", "discover", "--batch-system", "slurm")
    assert done.returncode == 0, done.stderr
    running = next(line for line in done.stdout.splitlines() if line.strip().startswith("running:"))
    assert "jobs: 1" in running and "a guess: of your own account" in running
