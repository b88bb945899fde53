"""The keeper with worker jobs that are real processes of this machine, and their own script `element.sh`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpc_launch.batch import processes
from hpc_launch.keeper.leftover import call_off_all
from hpc_launch.keeper.loop import Keeper
from tests.conftest import ROOT
from tests.keeper.world import GROUP, NAME, World

WORKERS = """#!/bin/bash
#LOCAL at-once=4
export HPC_LAUNCH_JOB_ID=$$
. ./jobside/element.sh
run_workers "$1" "${HPC_LAUNCH_LOCAL_INDEX:-0}"
"""
NODE = 'echo "$HPC_LAUNCH_WORKERS" >"workers-$1"; until [ -e "leave-$1" ]; do sleep 0.1; done\n'
"""What starts an element's workers, and ends with them."""


class Machine(World):
    def __init__(self, place: Path, arrays: bool) -> None:
        super().__init__(place)
        groups = {"workers": {**GROUP, "per_node": 2, "array_limit": 10 if arrays else 1}}
        self.write("pool/groups.json", run=f"{NAME}-{place.name}", batch_system="local", groups=groups)
        (self.directory / "jobside").mkdir()
        shutil.copy(ROOT / "hpc_launch" / "jobside" / "element.sh", self.directory / "jobside")
        (self.directory / "workers.sh").write_text(WORKERS)
        (self.directory / "node.sh").write_text(NODE)

    def workers(self) -> list[int]:
        """Of each element that runs, as it was told."""
        files = [self.directory / f"workers-{number}" for number in sorted(self.running())]
        return [int(file.read_text()) for file in files if file.exists() and file.read_text()]

    def go_on(self, start: bool = True) -> None:
        retire = self.directory / "pool" / "retire.json"
        for number in self.read("pool/retire.json")["elements"] if retire.exists() else ():
            (self.directory / f"leave-{number}").touch()
        self.tell()

    def until_workers(self, keeper: Keeper, *expected: int) -> None:
        for _ in range(300):
            keeper.turn()
            self.go_on()
            if self.workers() == list(expected) and not keeper.memory.retiring:
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.workers()}: {self.submissions()}")


@pytest.fixture(params=[False, True], ids=["plain jobs", "arrays"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    machine = Machine(tmp_path, arrays=request.param)
    yield machine
    keeper = machine.keeper()
    jobs = call_off_all(keeper.system, keeper.watch)
    assert not [pid for job in jobs for pid in processes.session(processes.parts(job)[1])]


def test_workers_come_and_go_as_they_are_wanted(machine: Machine) -> None:
    keeper = machine.keeper()
    machine.wish(workers=5)
    machine.until_workers(keeper, 2, 2, 1)
    machine.wish(workers=2)
    machine.until_workers(keeper, 2)
    machine.wish(workers=4)
    machine.until_workers(keeper, 2, 2)
    machine.wish(workers=0)
    machine.until_workers(keeper)
    assert keeper.memory.of("workers").failed == 0


def test_one_that_ends_by_itself_is_replaced(machine: Machine) -> None:
    keeper = machine.keeper()
    machine.wish(workers=4)
    machine.until_workers(keeper, 2, 2)
    number = min(machine.running())
    (machine.directory / f"leave-{number}").touch()  # its workers end, and nobody has told them to
    for _ in range(300):
        keeper.turn()
        machine.go_on()
        if len(machine.running()) == 2 and number not in machine.running():
            break
        time.sleep(0.05)
    assert keeper.memory.of("workers").replaced == 1 and keeper.memory.of("workers").failed == 0
