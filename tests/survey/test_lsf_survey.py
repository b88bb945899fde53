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


def test_what_this_lsf_takes_is_told_by_its_version_and_its_own_file(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("lsf")
    monkeypatch.setenv("LSF_ENVDIR", str(tmp_path))
    found = machine("lsf")
    taken = found.said("takes")
    assert taken and taken.value == ["-rn", "units"]
    assert found.said("memory", "unit") is None and "memory.unit" in found.missing
    for line, unit in (("LSF_UNIT_FOR_LIMITS=GB", "GB"), ("# LSF_UNIT_FOR_LIMITS=GB", "MB"), ("LSF_X=1", "MB")):
        (tmp_path / "lsf.conf").write_text(f"LSF_LIM_PORT=1\n{line}\n")
        said = machine("lsf").said("memory", "unit")
        assert said and said.value == unit


def test_openlava_is_asked_in_its_own_way_and_takes_less(make: Make, programs: Path) -> None:
    """As seen: `bparams -a` is invalid on 4.0, `bparams -l` prints the limit; on 2.2 neither is known."""
    make("lsf", lambda name, text: "openlava project 4.0, Aug 01 2016\n" if name == "cluster" else text)
    write(
        programs / "bparams",
        "[ $1 = -l ] || { echo 'bparams: invalid option' >&2; exit 255; }; echo ' MAX_JOB_ARRAY_SIZE = 500'",
    )
    found = machine("lsf")
    assert (found.array, found.commands["config"], found.said("takes")) == (500, "bparams -l", None)
    write(programs / "bparams", "echo 'Default Queues: normal'")
    assert machine("lsf").array == 1000  # lsb.params(5), where it is not set
    write(programs / "bparams", "exit 255")
    found = machine("lsf")
    assert found.array is None and "config" not in found.commands


def test_closed_queues_are_left_out(queues: dict[str, LiveQueue]) -> None:
    assert list(queues) == ["normal", "big", "elsewhere"]


def test_run_limits_stand_beside_other_limits(queues: dict[str, LiveQueue]) -> None:
    normal = queues["normal"]
    assert (normal.walltime, normal.default_walltime) == (48 * 3600, 3600)
    assert queues["big"].walltime is None
    assert queues["elsewhere"].walltime == 90 * 60


@pytest.mark.parametrize(
    ("slots", "limits"),
    [
        ("     1 96 ", {"max_cores": 96}),
        ("     96 ", {"max_cores": 96}),
        ("     2 4 96 ", {"max_cores": 96, "least.cores": 2}),
        ("     -  ", {}),
    ],
)
def test_slots_of_a_job_and_of_a_user_are_limits(make: Make, slots: str, limits: dict[str, int]) -> None:
    def edit(name: str, text: str) -> str:
        return text.replace("     1 96 ", slots) if name == "queues" else text

    make("lsf", edit)
    assert machine("lsf").queues[0].limits == limits
    make(
        "lsf", lambda name, text: edit(name, text.replace("Open:Active       -    - ", "Open:Active     500   64 ", 1))
    )
    assert machine("lsf").queues[0].limits == {**limits, "max_user_cores": 64}


def test_hosts_are_those_of_the_queue_less_the_excluded(queues: dict[str, LiveQueue]) -> None:
    normal = queues["normal"]
    assert [(node.name, node.out) for node in normal.nodes or ()] == [
        ("host1", ""),
        ("host2", ""),
        ("host3", "closed_Adm"),
    ]
    assert normal.memory == (192000 * MIB, 192000 * MIB)  # host3, the smaller one, takes no jobs
    assert normal.cores == (48, 48)


def test_host_groups_are_looked_up(queues: dict[str, LiveQueue]) -> None:
    assert [node.name for node in queues["big"].nodes or ()] == ["big1"]
    assert queues["big"].ready == 0
    assert queues["big"].remarks[0] == "USERS: bigusers/ root"


@pytest.mark.parametrize(
    ("status", "offered", "remarked"),
    [
        ("Open:Active", True, False),
        ("Open:Inact_Win", True, True),
        ("Open:Inact", True, True),
        ("Open:Inact_Adm", False, False),
        ("Closed:Active", False, False),
        ("Closed:Inact_Adm", False, False),
    ],
)
def test_a_queue_that_starts_nothing_by_an_administrators_will_is_closed(
    make: Make, status: str, offered: bool, remarked: bool
) -> None:
    make("lsf", lambda name, text: text.replace("20  Open:Active ", f"20  {status} ", 1) if name == "queues" else text)
    found = machine("lsf")
    normal = {queue.name: queue for queue in found.queues}.get("normal")
    assert (normal is not None) is offered
    assert found.closed == {"old": "Closed:Active"} | ({} if offered else {"normal": status})
    assert any(status in remark for remark in (normal.remarks if normal else ())) is remarked


def test_what_a_description_says_is_no_status(make: Make) -> None:
    def edit(name: str, text: str) -> str:
        return text.replace("-- For normal", "-- Jobs Open:Active") if name == "queues" else text

    make("lsf", lambda name, text: edit(name, text.replace("Open:Active", "Closed:Active", 1)))
    assert "normal" in machine("lsf").closed


def test_of_several_default_queues_the_first_is_a_guess(make: Make) -> None:
    old = "-- No description provided."
    make("lsf", lambda name, text: text.replace(old, f"{old}  This is the default queue.", 1))
    found = machine("lsf")
    assert (found.default_queue, found.default_reason) == ("normal", "a guess: the first of 2 default queues")


def test_parallel_environments_whole_nodes_and_gpus_are_not_known(make: Make) -> None:
    make("lsf")
    found = machine("lsf")
    assert found.environments is None
    assert {(queue.exclusive, queue.gpus) for queue in found.queues} == {(None, None)}


def test_hosts_that_cannot_be_told_are_not_made_up(queues: dict[str, LiveQueue]) -> None:
    assert queues["elsewhere"].nodes is None and queues["elsewhere"].ready is None


def test_daemons_that_do_not_respond_are_no_machine(programs: Path) -> None:
    down = recorded("lsf/down")
    write(programs / "bqueues", down.script_for_anything())
    with pytest.raises(NoAnswer, match="not responding"):
        batch.get("lsf").survey()


LIMITS = [
    (" 2880.0 min of host1", 48 * 3600, True),
    (" 2880 min", 48 * 3600, True),
    (" .", None, False),
    (" . min of host1", None, False),
    (" 1.2.3 min of host1", None, False),
    (" 48:00 hours", None, False),
    (f" {'9' * 400} min", None, False),
]


@pytest.mark.parametrize(("value", "seconds", "known"), LIMITS)
def test_a_limit_that_is_not_understood_is_not_known(make: Make, value: str, seconds: int | None, known: bool) -> None:
    make("lsf", lambda name, text: text.replace("     2880.0 min of host1", value) if name == "queues" else text)
    normal = machine("lsf").queues[0]
    assert (normal.walltime, normal.tells("walltime")) == (seconds, known)
    assert normal.default_walltime == 3600


def test_a_queue_without_a_limit_is_known_to_have_none(queues: dict[str, LiveQueue]) -> None:
    assert queues["big"].walltime is None and queues["big"].tells("walltime")
    assert not queues["big"].tells("max_nodes")  # LSF limits slots and hosts in other places
