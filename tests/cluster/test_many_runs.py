"""Runs of the ordinary user on a real Slurm by their name: waited for together, listed, removed; and a host that has no
configuration."""

from __future__ import annotations

import json

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There


@pytest.fixture
def there(cluster: Cluster) -> There:
    return There.at(cluster)


def listed(there: There) -> list[str]:
    return [run["run"] for run in json.loads(there.command("list", "--name", "tidy", "--json").stdout)["runs"]]


def test_runs_are_waited_for_together_found_by_name_and_removed(there: There) -> None:
    first, second = there.submit(["true"], name="tidy"), there.submit(["sh", "-c", "exit 3"], name="tidy")
    waited = there.command("wait", first.id, second.id)
    assert waited.returncode == 3, waited.stderr
    assert json.loads(there.command("status", "tidy", "--json").stdout)["run"] == second.id
    assert listed(there) == [second.id, first.id]
    place, other = first.directory, second.directory
    removed = there.command("remove", first.id)
    assert (removed.returncode, removed.stdout) == (0, f"{first.id}\n"), removed.stderr
    assert not place.exists() and listed(there) == [second.id]
    forgotten = there.command("remove", "--forget", second.id)
    assert forgotten.returncode == 0, forgotten.stderr
    assert other.exists() and listed(there) == []


def test_without_a_configuration_nothing_is_submitted(there: There) -> None:
    there.write("slurm.conf", "")
    nowhere = {"SLURM_CONF": str(there.project / "slurm.conf")}
    done = there.command("submit", there.profile(["true"]), "--json", env=nowhere)
    assert done.returncode == 6, done.stderr
    told = json.loads(done.stdout)["error"]["problems"][0]["message"]
    assert "has no configuration on this host" in told
    last = json.loads(there.command("list", "--limit", "1", "--json").stdout)["runs"][0]
    assert last["outcome"] == "launch-failed"
