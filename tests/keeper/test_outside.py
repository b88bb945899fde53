"""The keeper on a login host: `hpc-launch keep`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpc_launch.batch import processes
from hpc_launch.cli import main
from hpc_launch.context import Context
from hpc_launch.keeper.from_job import NotFromJob
from hpc_launch.keeper.job import FromOutside
from hpc_launch.keeper.keep import Held, Keeping
from hpc_launch.runs.submit import submit
from tests.keeper.world import QUICK, World
from tests.runs.jobs import SUCCEEDS, Prepare, rendered


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def outside(world: World) -> Keeping:
    return Keeping(world.directory, FromOutside(world.directory, QUICK.ask), QUICK, beside=False)


def test_a_second_one_is_refused_while_the_first_one_lives(world: World) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = processes.started(child.pid)
    assert start and child.stdin
    lease = world.directory / "pool" / "lease"
    lease.write_text(f"{processes.identity(child.pid, start)} 5\n")
    try:
        with pytest.raises(Held, match=f"{processes.host()}:{child.pid} looks after this run"):
            outside(world).run()
        assert lease.exists()
    finally:
        child.communicate(b"\n")


def test_it_ends_with_the_run_and_calls_off_what_waits(world: World) -> None:
    world.wish(workers=2)
    world.keeper().turn()
    (world.directory / "pool" / "lease").unlink()
    (world.state / "outcome").write_text("succeeded 0 \n")
    outside(world).run()
    assert world.alive() == {} and len(world.jobs()) == 1
    assert not (world.directory / "pool" / "lease").exists()


def test_it_ends_when_the_schedulers_job_is_gone_without_a_word(world: World) -> None:
    job = world.batch / "jobs" / "99"
    job.mkdir()
    (job / "name").write_text("study-abc123")
    world.write("run.json", jobs=[{"job_id": "99"}])
    (world.state / "demand.json").unlink()
    world.wish(workers=0)
    outside(world).run()
    assert any("--jobs=99" in call for call in world.said("squeue"))


def test_what_the_scheduler_said_before_a_keeper_began_is_no_word_of_now(world: World) -> None:
    world.wish(workers={"minimum": 0, "maximum": 4})
    world.needs = 4
    world.tell(time=time.time() - 3600)
    keeper = world.keeper()
    for _ in range(5):
        keeper.turn()
        assert not keeper.watch.hears_scheduler()
    world.write("state/1/demand.json", time=time.time(), groups={"workers": {"connected": 0}}, unsatisfiable=[])
    for _ in range(5):
        keeper.turn()
        assert not keeper.watch.hears_scheduler()
    assert world.jobs() == {}

    def told_anew() -> None:
        world.tell()
        keeper.turn()

    world.until(lambda: len(world.alive()) == 4, told_anew)


@pytest.mark.parametrize("fault", ["refuses", "silent"])
def test_what_nobody_knows_is_tried_once_from_a_job_and_then_left_to_a_login_host(world: World, fault: str) -> None:
    purpose = {"refuses": "submit", "silent": "status"}[fault]
    groups = world.read("pool/groups.json")
    world.write("pool/groups.json", **{**groups, "from_compute": {"status": True, "cancel": True, purpose: None}})
    world.wish(workers=2)
    inside = Keeping(world.directory, lambda keeper: True, QUICK, beside=True)
    if fault == "silent":
        inside.lease.take()
        inside.keeper.turn()
    (world.batch / fault).touch()
    with pytest.raises(NotFromJob, match="here was not known, and it failed") as told:
        inside.run()
    assert world.read("pool/status.json")["groups"]["workers"]["paused"] == str(told.value)
    assert "`hpc-launch keep` does it on a login host" in str(told.value)
    assert not (world.directory / "pool" / "lease").exists()
    (world.batch / fault).unlink()
    keeper = world.keeper()
    world.until(lambda: len(world.alive()) == 2, keeper.turn)
    world.until(lambda: world.read("pool/status.json")["groups"]["workers"]["paused"] is None, keeper.turn)


def test_a_run_that_cannot_grow_is_refused_in_a_sentence(
    prepared: Prepare, context: Context, capfd: pytest.CaptureFixture[str]
) -> None:
    directory, record = submit(rendered(prepared, SUCCEEDS), context, Path("run"))
    assert main(["keep", str(directory)]) == 2
    assert f"{record.id} cannot be kept: in single-job all workers come with the one job" in capfd.readouterr().err
