"""The keeper as it travels with a run: started as a job's shell does, killed at each of its steps, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpc_launch.batch import processes
from hpc_launch.keeper.steps import STEPS
from tests.keeper.world import World, copy_of_the_package

INTERVALS = "look=0.1,quiet=0.2,ask=0.2,submit=0.2,find=1.5,worker=1,renew=0.5,stale=60"


class Shell:
    """What the job's shell does: it starts the keeper again when that has died."""

    def __init__(self, world: World, package: Path) -> None:
        self.world, self.package = world, package
        self.ends: list[int] = []
        self.command = [sys.executable, "-S", "-m", "hpc_launch.keeper", str(world.directory)]
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "HPC_LAUNCH_INTERVALS": INTERVALS}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        with open(self.package / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment | more, cwd=self.package, stderr=log)

    def look(self) -> None:
        assert self.process
        if (end := self.process.poll()) is not None:
            self.ends.append(end)
            self.start()

    def log(self) -> str:
        return (self.package / "log").read_text()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(World(tmp_path), copy_of_the_package(tmp_path / "a copy"))
    yield shell
    if shell.process:
        shell.process.kill()
        shell.process.wait()


def until(shell: Shell, running: int, waiting: int = 0, start: bool = True, silent: bool = False) -> None:
    """Until so many elements run and wait, and nothing is on its way out."""
    world = shell.world

    def step() -> None:
        shell.look()
        if silent:
            world.tell(connected=set())
        else:
            world.go_on(start)

    def is_so() -> bool:
        retire = world.directory / "pool" / "retire.json"
        leaving = retire.exists() and world.read("pool/retire.json")["elements"]
        states = sorted(file.read_text() for file in world.alive().values())
        return not leaving and states == ["PENDING"] * waiting + ["RUNNING"] * running

    world.until(is_so, step)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_no_job_is_unknown_and_no_wish_lost(shell: Shell, step: str) -> None:
    world = shell.world
    world.wish(workers=3)
    shell.start(HPC_LAUNCH_KILLED_AT=step)
    until(shell, running=3)
    world.wish(workers=5)
    until(shell, running=3, waiting=2, start=False)
    world.wish(workers=1)
    until(shell, running=1, start=False)
    (last,) = world.running()
    until(shell, running=0, start=False, silent=True)
    (world.state / "elements" / str(last)).unlink()
    until(shell, running=1)
    assert shell.ends == [-signal.SIGKILL], shell.log()
    world.until(lambda: all(each["job_id"] or each["refused"] for each in world.submissions()), shell.look)
    assert {each["job_id"] for each in world.submissions() if each["job_id"]} == world.jobs().keys()
    assert len(world.jobs()) <= 3 + 1


def test_it_ends_with_the_jobs_shell_and_calls_off_what_is_left(tmp_path: Path) -> None:
    world, package = World(tmp_path), copy_of_the_package(tmp_path / "a copy")
    world.wish(workers=2)
    starts = f"{sys.executable} -S -m hpc_launch.keeper {world.directory} & echo $!; wait"
    job = subprocess.Popen(
        ["bash", "-c", f"export HPC_LAUNCH_JOB_SHELL=$$; ({starts}) & wait"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "HPC_LAUNCH_INTERVALS": INTERVALS},
        stdout=subprocess.PIPE,
    )
    assert job.stdout
    keeper = int(job.stdout.readline())
    world.until(lambda: len(world.alive()) == 2, lambda: None)
    job.stdout.close()
    job.kill()
    job.wait()
    world.until(lambda: processes.started(keeper) is None, lambda: None)
    assert world.alive() == {} and not (world.directory / "pool" / "lease").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_end_it_leaves_everything_to_the_next_one(shell: Shell, number: signal.Signals) -> None:
    shell.world.wish(workers=2)
    shell.start()
    until(shell, running=2)
    assert shell.process
    shell.process.send_signal(signal.SIGUSR1)
    shell.process.send_signal(number)
    assert shell.process.wait(20) == 0
    assert len(shell.world.alive()) == 2 and not (shell.world.directory / "pool" / "lease").exists()


def test_it_ends_by_itself_when_the_run_has_an_outcome(shell: Shell) -> None:
    shell.world.wish(workers=2)
    shell.start()
    until(shell, running=2)
    (shell.world.state / "outcome").write_text("succeeded 0 \n")
    assert shell.process and shell.process.wait(20) == 0
    assert len(shell.world.alive()) == 2  # the job's shell ends them: they tidy up first
    subprocess.run([*shell.command, "call-off"], env=shell.environment, check=True, timeout=60)
    assert [word.split()[-1] for word in shell.world.said("scancel")][-1] == "100"


def test_what_it_is_told_wrong_it_says_in_a_sentence(tmp_path: Path) -> None:
    package = copy_of_the_package(tmp_path / "a copy")
    world = World(tmp_path)
    world.write("pool/groups.json", **{**world.read("pool/groups.json"), "batch_system": "slrum"})
    done = subprocess.run(
        [sys.executable, "-S", "-m", "hpc_launch.keeper", str(world.directory)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package)},
        cwd=package,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3 and "'slrum' is not known" in done.stderr and "Traceback" not in done.stderr


def test_a_signal_makes_it_look_at_once(shell: Shell) -> None:
    shell.environment["HPC_LAUNCH_INTERVALS"] = INTERVALS + ",look=120,quiet=120"
    shell.start()
    world = shell.world
    world.until(lambda: (world.directory / "pool" / "status.json").exists(), lambda: None)
    world.wish(workers=1)
    assert shell.process
    shell.process.send_signal(signal.SIGUSR1)
    world.until(lambda: len(world.alive()) == 1, lambda: None)
