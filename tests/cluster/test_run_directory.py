"""Run directories that nodes cannot see, on real batch systems: what is told of them, while they still wait."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There
from tests.local.runs import Run, until

SLEEP = ["sleep", "300"]
NODES = {"count": 6, "per_node": 2, "memory": "300 MB"}


@dataclass
class Place:
    """A run directory that is made before its run, so that other file systems can be mounted over it."""

    cluster: Cluster
    path: Path
    mounted: list[str]

    def hide_from(self, *hosts: str) -> None:
        for host in hosts:
            self.cluster.run(["mount", "-t", "tmpfs", "none", self.path], host=host, user="root")
            self.mounted.append(host)

    def submit(self, there: There, command: list[str] | str, **keys: object) -> Run:
        done = there.command("submit", there.profile(command, **keys), "--run-dir", str(self.path))
        assert done.returncode == 0, done.stderr
        return Run(there, done.stdout.strip())


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Place]:
    path = cluster.home / f"runs-{secrets.token_hex(3)}"
    path.mkdir(mode=0o700)
    shutil.chown(path, "hpcuser", "hpcuser")
    made = Place(cluster, path, [])
    yield made
    for host in made.mounted:
        cluster.run(["umount", "--lazy", path], host=host, user="root", check=False)


@pytest.fixture
def there(cluster: Cluster) -> There:
    return There.at(cluster)


@pytest.fixture
def gridengine(cluster: Cluster) -> Iterator[There]:
    yield replace(There.at(cluster), site="gridcluster")
    cluster.run(["qdel", "-u", "hpcuser"], check=False)
    until(lambda: cluster.run(["qstat", "-u", "hpcuser"]).stdout == "", "every job to leave Grid Engine")


UNSEEN = "cannot see the run directory: is storage.runs shared by all nodes?"


def test_a_second_host_of_slurm_that_does_not_see_the_run_directory_ends_the_launch(there: There, place: Place) -> None:
    place.hide_from("c2", "c3")
    run = place.submit(there, SLEEP, workers=NODES)
    status = run.status() if run.wait() else {}
    assert status["outcome"] == "launch-failed"
    assert status["reason"].startswith("c") and status["reason"].endswith(UNSEEN)


def test_a_second_host_of_gridengine_that_does_not_see_the_run_directory_ends_the_launch(
    gridengine: There, place: Place
) -> None:
    place.hide_from("c3")
    run = place.submit(gridengine, SLEEP, workers=NODES, directives=["-masterq all.q@c1"])
    status = run.status() if run.wait() else {}
    assert status["outcome"] == "launch-failed"
    assert status["reason"] == f"c3: it {UNSEEN}"


def test_with_a_smaller_minimum_such_a_host_is_shown_as_unfit(there: There, place: Place) -> None:
    place.hide_from("c3")
    run = place.submit(there, SLEEP, workers={**NODES, "minimum": 4})
    run.until_running()
    assert until(lambda: run.status()["unfit"], "the host to be told") == {"c3": f"it {UNSEEN}"}
    there.command("cancel", run.id)
    assert run.wait() == 1


def test_a_run_directory_of_the_login_host_alone_is_told(there: There, accounting: bool) -> None:
    done = there.command("submit", there.profile(SLEEP), "--run-dir", f"/scratch/run-{secrets.token_hex(3)}")
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    assert run.wait() == 1
    status = run.status()
    assert UNSEEN in status["reason"] and "logs/" not in status["reason"], status


def test_a_run_directory_of_gridengines_login_host_alone_is_told(gridengine: There) -> None:
    done = gridengine.command("submit", gridengine.profile(SLEEP), "--run-dir", f"/scratch/run-{secrets.token_hex(3)}")
    assert done.returncode == 0, done.stderr
    run = Run(gridengine, done.stdout.strip())
    status = until(lambda: (s := run.status())["jobs"][0]["raw"] == "Eqw" and s, "Grid Engine to give up")
    assert "is storage.runs shared" in status["why"], status
