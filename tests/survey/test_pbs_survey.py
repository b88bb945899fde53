"""What is read out of answers as OpenPBS gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.machine import LiveQueue
from hpc_launch.units import GIB, MIB
from tests.survey.machines import Make, machine, write


@pytest.fixture
def queues(make: Make) -> dict[str, LiveQueue]:
    make("pbs")
    return {queue.name: queue for queue in machine("pbs").queues}


def names(queue: LiveQueue) -> list[str]:
    return [node.name for node in queue.nodes or ()]


def test_the_server(make: Make) -> None:
    make("pbs")
    found = machine("pbs")
    assert (found.version, found.default_queue, found.array, found.submitted) == ("PBS 23.06.06", "workq", 5000, 200)


def test_only_queues_that_users_submit_to(queues: dict[str, LiveQueue]) -> None:
    assert list(queues) == ["workq", "big", "main"]


def test_limits(queues: dict[str, LiveQueue]) -> None:
    work = queues["workq"]
    assert (work.walltime, work.default_walltime, work.max_nodes) == (48 * 3600, 3600, 4)
    assert work.remarks == ("max_run: [u:PBS_GENERIC=10]",)
    assert queues["big"].walltime == 86400
    assert queues["big"].remarks == ("acl_group_enable is set: not for everyone",)


def test_nodes_belong_to_their_queue_alone_or_to_those_without_nodes_of_their_own(queues: dict[str, LiveQueue]) -> None:
    assert names(queues["workq"]) == ["n1", "n2", "n3", "n4"]
    assert names(queues["big"]) == ["n5"]
    assert queues["big"].memory == (2048 * GIB,)


def test_an_offline_node_takes_no_jobs(queues: dict[str, LiveQueue]) -> None:
    work = queues["workq"]
    assert work.ready == 3
    assert [node.out for node in work.nodes or () if node.out] == ['offline: disk "sda"\nfails']
    assert work.cores == (40, 48, 48, 64)
    assert work.memory[0] == 98304000 * 1024 // MIB * MIB


def test_a_queue_that_passes_jobs_on_has_the_nodes_and_the_widest_limits_of_the_others(
    queues: dict[str, LiveQueue],
) -> None:
    main = queues["main"]
    assert (main.walltime, main.max_nodes) == (48 * 3600, None)  # wide: 12 hours, any number of nodes
    assert sorted(names(main)) == ["n1", "n2", "n3", "n4"]
    assert main.remarks[0] == "passes jobs on to wide, workq"


@pytest.mark.parametrize("answer", ["", "[]", "{", "qstat: no such option"])
def test_what_is_no_json_is_no_answer(programs: Path, answer: str) -> None:
    write(programs / "pbsnodes", f"echo '{answer}'")
    with pytest.raises(NoAnswer):
        batch.get("pbs").survey()


def test_an_answer_of_another_shape_is_a_machine_without_queues(programs: Path) -> None:
    for program in ("pbsnodes", "qstat"):
        write(programs / program, """echo '{"nodes": [1], "Queue": {"q": 7}, "Server": {"s": null}}'""")
    assert machine("pbs").queues == ()
