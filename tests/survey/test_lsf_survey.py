"""What is read out of answers as the manual pages of LSF show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.machine import LiveQueue
from hpc_launch.units import MIB
from tests.survey.machines import Make, machine, recorded, write


@pytest.fixture
def queues(make: Make) -> dict[str, LiveQueue]:
    make("lsf")
    return {queue.name: queue for queue in machine("lsf").queues}


def test_the_machine(make: Make) -> None:
    make("lsf")
    found = machine("lsf")
    assert found.version == "IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2022"
    assert (found.cluster, found.default_queue, found.array) == ("lsfcluster", "normal", 2000)


def test_closed_queues_are_left_out(queues: dict[str, LiveQueue]) -> None:
    assert list(queues) == ["normal", "big", "elsewhere"]


def test_run_limits_stand_beside_other_limits(queues: dict[str, LiveQueue]) -> None:
    normal = queues["normal"]
    assert (normal.walltime, normal.default_walltime) == (48 * 3600, 3600)
    assert queues["big"].walltime is None
    assert queues["elsewhere"].walltime == 90 * 60


def test_hosts_are_those_of_the_queue_less_the_excluded(queues: dict[str, LiveQueue]) -> None:
    normal = queues["normal"]
    assert [(node.name, node.out) for node in normal.nodes or ()] == [
        ("host1", ""),
        ("host2", ""),
        ("host3", "closed_Adm"),
    ]
    assert normal.memory == (96000 * MIB, 192000 * MIB, 192000 * MIB)
    assert normal.cores == (40, 48, 48)


def test_host_groups_are_looked_up(queues: dict[str, LiveQueue]) -> None:
    assert [node.name for node in queues["big"].nodes or ()] == ["big1"]
    assert queues["big"].ready == 0
    assert queues["big"].remarks == ("USERS: bigusers/ root",)


def test_hosts_that_cannot_be_told_are_not_made_up(queues: dict[str, LiveQueue]) -> None:
    assert queues["elsewhere"].nodes is None and queues["elsewhere"].ready is None


def test_daemons_that_do_not_respond_are_no_machine(programs: Path) -> None:
    down = recorded("lsf/down")
    write(programs / "bqueues", down.script_for_anything())
    with pytest.raises(NoAnswer, match="not responding"):
        batch.get("lsf").survey()
