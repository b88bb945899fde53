"""Names, demand, room, intervals: plain data in, plain data out."""

from __future__ import annotations

import pytest

from hpc_launch.jobside.demand import Connected, Demand, Need, demands, unsatisfiable
from hpc_launch.jobside.elements import Group, Known, Leave, Submission, retire_from
from hpc_launch.jobside.intervals import seconds
from hpc_launch.jobside.room import Room, fits, free

GIB = 2**30
CPU = Group("cpu", 2, {})
GPU = Group("gpu", 4, {"GPU": 2.0})


def wanted(need: Need, there: Connected | None = None, groups: tuple[Group, ...] = (CPU, GPU)) -> dict[str, Demand]:
    return demands(groups, [need], {} if there is None else {"cpu": there})


def test_time_of_tasks_is_divided_by_target_duration_and_threads() -> None:
    told = wanted(Need((), tasks=1000, seconds=600))["cpu"]
    assert told == Demand(10, 10.0, elsewhere={"gpu": 5})  # of four threads each


def test_no_more_workers_than_tasks_for_their_threads() -> None:
    assert wanted(Need((), tasks=5, seconds=50_000))["cpu"].workers == 3


def test_one_worker_if_a_task_waits_and_none_if_nothing_does() -> None:
    assert wanted(Need((), tasks=1, seconds=0.0, waiting=True))["cpu"].workers == 1
    assert wanted(Need(()))["cpu"].workers == 0


def test_tasks_of_unknown_duration_want_one_worker_or_what_is_there() -> None:
    unknown = Need((), tasks=20_000, unknown=20_000, waiting=True)
    assert wanted(unknown)["cpu"].workers == 1
    assert wanted(unknown, Connected(workers=7))["cpu"].workers == 7
    assert wanted(Need((), tasks=6, unknown=6), Connected(workers=7))["cpu"].workers == 3


def test_known_and_unknown_tasks_add_up_to_what_is_there() -> None:
    both = Need((), tasks=20_000, seconds=300, unknown=1000)
    assert wanted(both, Connected(workers=7))["cpu"].workers == 7
    assert wanted(both, Connected(workers=2))["cpu"].workers == 6


def test_twice_the_workers_where_memory_is_short() -> None:
    there = Connected(workers=3, data_bytes=8 * GIB, limit_bytes=12 * GIB)
    assert wanted(Need(()), there)["cpu"].workers == 6
    there.data_bytes = 7 * GIB
    assert wanted(Need(()), there)["cpu"].workers == 0
    there.limit_bytes = 0  # no limit
    assert wanted(Need(()), there)["cpu"].workers == 0


def test_the_first_group_that_has_what_a_task_asks_for() -> None:
    plain, fat = Need((), tasks=60, seconds=60), Need((("GPU", 1.0),), tasks=60, seconds=600)
    both = demands((CPU, GPU), [plain, fat], {})
    assert both["cpu"] == Demand(1, 1.0, elsewhere={"gpu": 1})
    assert both["gpu"] == Demand(10, 10.0)  # two at a time by its resource, not four


def test_no_group_has_what_a_task_asks_for() -> None:
    needs = [Need((("GPU", 3.0),), tasks=12, waiting=True), Need((("licence", 1.0),), tasks=2, waiting=True)]
    assert unsatisfiable((CPU, GPU), needs) == [
        {"resources": {"GPU": 3.0}, "tasks": 12},
        {"resources": {"licence": 1.0}, "tasks": 2},
    ]
    assert {demand.workers for demand in demands((CPU, GPU), needs, {}).values()} == {0}


def test_a_worker_may_have_more_than_its_group_tells() -> None:
    need = Need((("licence", 1.0),), tasks=2, seconds=30, waiting=True, on="cpu")
    assert unsatisfiable((CPU, GPU), [need]) == []
    assert demands((CPU, GPU), [need], {})["cpu"].workers == 1


@pytest.mark.parametrize(
    ("worker", "hosts", "number"),
    [
        ("node-3", {}, 3),
        ("node-3-0", {}, None),  # 3 with index 0, or element 0 of a host called node-3
        ("node-3-0", {3: "node"}, 3),
        ("node-3-1", {1: "node", 2: "node"}, None),  # the files do not tell of element 3 yet
        ("n-12-3-0", {3: "n-12"}, 3),
        ("n-12-3", {}, None),
        ("n-12-3", {3: "n-12"}, 3),
        ("n-1-2", {}, None),  # n-1 and 2, or n and 1 with index 2
        ("n-1-2", {2: "n-1"}, 2),
        ("n-1-2", {1: "n"}, 1),
        ("n-1-2", {1: "m", 2: "m"}, None),
        ("node", {}, None),
        ("tcp://10.0.0.1:4000", {}, None),
        ("-3", {}, None),
    ],
)
def test_the_element_in_the_name_of_a_worker(worker: str, hosts: dict[int, str], number: int | None) -> None:
    assert Known((CPU,), submissions=(Submission("cpu", 1, 9),), hosts=hosts).element_of(worker) == number


def test_the_group_of_an_element() -> None:
    known = Known((CPU, GPU), submissions=(Submission("cpu", 0, 3), Submission("gpu", 3, 1)))
    assert [known.group_of(number) for number in range(5)] == ["cpu", "cpu", "cpu", "gpu", None]
    assert Known((CPU,)).group_of(7) == "cpu"


def test_the_list_of_elements_to_retire() -> None:
    document = {"elements": {"7": {"grace_seconds": None}, "8": {"grace_seconds": 5, "close_at": 9}, "9": {}}}
    assert retire_from(document) == {7: Leave(), 8: Leave(5.0, 9.0), 9: Leave()}


def test_what_a_worker_can_take_over() -> None:
    assert free(10 * GIB, 2 * GIB) == 4 * GIB
    assert free(10 * GIB, 7 * GIB) == 0
    assert free(0, 7 * GIB) > 2**60


def test_elements_leave_together_as_long_as_the_others_have_room() -> None:
    room = Room(free=30)
    assert room.has_room(own_free=10, data=20)
    room.leave(own_free=10, data=5)
    assert room.has_room(own_free=10, data=5)
    assert not room.has_room(own_free=10, data=6)
    room.leave(own_free=10, data=5)
    assert not room.has_room(own_free=10, data=0)  # there is nobody left to take the ten
    assert Room(free=30).has_room(own_free=30, data=0)


def test_data_fit_together_and_each_into_one_worker() -> None:
    assert fits([], [])
    assert fits([3, 3], [3, 3])
    assert not fits([4], [3, 3])
    assert not fits([3, 3, 1], [3, 3])
    assert not fits([3, 3], [3, 3], promised=1)


def test_intervals_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPC_LAUNCH_INTERVALS", "look=0.2, quiet=1,lease=x")
    assert (seconds("look", 2), seconds("quiet", 10), seconds("lease", 20), seconds("other", 5)) == (0.2, 1, 20, 5)
    monkeypatch.delenv("HPC_LAUNCH_INTERVALS")
    assert seconds("look", 2) == 2
