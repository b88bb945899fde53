"""One test cluster for the whole session. Tests say what they need of it by the fixture that they ask for."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.cluster.hosts import Cluster
from tests.local.runs import until

LOCK = Path("/run/hpc-launch-cluster.lock")
DIRECTORY = Path(os.environ.get("CLUSTER_DIR", "/var/tmp/hpc-launch-cluster"))
VENV = Path(os.environ.get("CLUSTER_VENV", f"{DIRECTORY}-venv"))


@contextmanager
def alone_on_this_machine(patience: float = 900) -> Iterator[None]:
    """Two programs must not share a cluster: the second waits, for so many seconds."""
    with LOCK.open("w") as lock:
        if not _take(lock):
            print(f"waiting for {LOCK}: others use the test cluster", file=sys.stderr)
            until(lambda: _take(lock), f"{LOCK} to be free", pause=0.5, patience=patience)
        yield


def _take(lock: IO[str]) -> bool:
    """Take the lock if it is free; whether it was."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_required() -> bool:
    return os.environ.get("HPC_LAUNCH_REQUIRE_CLUSTER", "") not in ("", "0")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The test cluster, up. Skips for want of root alone, and not when HPC_LAUNCH_REQUIRE_CLUSTER=1."""
    if os.geteuid() != 0 and not _is_required():
        pytest.skip("the test cluster needs root")
    if not (VENV / "bin/hpc-launch").exists():
        pytest.fail(f"no hpc-launch in {VENV}: run these tests with `make test-clusters`")
    with alone_on_this_machine():
        made = Cluster(DIRECTORY, VENV)
        try:
            made.up()
            yield made
        finally:
            made.down()
        left = made.leftovers()
        assert not left, f"left over after the cluster's end: {left}"


@pytest.fixture(scope="session", params=[False, True], ids=["without-sacct", "with-sacct"])
def accounting(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[bool]:
    """The test runs twice: on a site without job accounting, and on one with it."""
    cluster.set_accounting(request.param)
    yield request.param
    cluster.set_accounting(False)


@pytest.fixture(autouse=True)
def _nothing_for_the_next_test(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[None]:
    """Crashed hosts come back and jobs are cancelled, whatever became of the test; shared ones at the module's end."""
    yield
    if request.node.get_closest_marker("shares_jobs"):
        return
    if not cluster.is_up:
        cluster.up()
    for host in cluster.dead_hosts():
        cluster.boot(host)
    if jobs := cluster.job_ids():
        cluster.run(["scancel", *jobs], user="root", check=False)
        until(lambda: not cluster.job_ids(), f"the jobs {', '.join(jobs)} to end")
