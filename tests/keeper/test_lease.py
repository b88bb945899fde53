"""One keeper at a time."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest

from hpc_launch.batch import processes
from hpc_launch.keeper.lease import Lease, Lost


def other(path: Path, owner: str, stale: float = 60.0) -> Lease:
    lease = Lease(path, stale)
    lease.owner = owner
    return lease


def test_only_one_has_it_and_the_other_one_knows_who(tmp_path: Path) -> None:
    first, second = Lease(tmp_path / "lease", 60.0), other(tmp_path / "lease", "elsewhere:7:1@x")
    assert first.take() and not second.take()
    assert second.held_by() == f"{processes.host()}:{first.owner.split(':')[1]}" and second.is_surely_held()
    assert (tmp_path / "lease").read_text().startswith(f"{first.owner} ")
    first.release()
    assert second.take()


def test_one_whose_holder_has_died_on_this_host_is_replaced_at_once(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    start = processes.started(child.pid)
    assert start
    (tmp_path / "lease").write_text(f"{processes.identity(child.pid, start)} 5\n")
    lease = Lease(tmp_path / "lease", 60.0)
    assert not lease.take() and lease.is_surely_held()
    child.kill()
    child.wait()
    assert lease.take()


def test_one_of_another_host_counts_until_it_has_not_changed_for_long(tmp_path: Path) -> None:
    lease, elsewhere = Lease(tmp_path / "lease", 0.3), other(tmp_path / "lease", "elsewhere:7:1@x")
    assert elsewhere.take()
    for _ in range(4):
        assert not lease.take()
        time.sleep(0.1)
        elsewhere.renew()
    assert lease.is_surely_held() and not lease.take()
    time.sleep(0.35)
    assert lease.take()
    with pytest.raises(Lost):
        elsewhere.check()
    with pytest.raises(Lost):
        elsewhere.renew()
    elsewhere.release()
    lease.check()


def test_of_several_who_find_a_stale_one_only_one_gets_it(tmp_path: Path) -> None:
    for attempt in range(30):
        path = tmp_path / f"{attempt}"
        path.mkdir()
        (path / "lease").write_text("elsewhere:7:1@x 5\n")
        leases = [other(path / "lease", f"here{number}:1:1@x", stale=0.0) for number in range(4)]
        together = threading.Barrier(4)

        def take(lease: Lease, together: threading.Barrier = together) -> None:
            together.wait()
            lease.take()

        threads = [threading.Thread(target=take, args=(lease,)) for lease in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        owner = (path / "lease").read_text().split()[0]
        assert owner in [lease.owner for lease in leases]


def test_one_that_is_gone_is_lost_and_can_be_taken_again(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "lease", 60.0)
    assert lease.take()
    (tmp_path / "lease").unlink()
    with pytest.raises(Lost):
        lease.renew()
    assert lease.take()
