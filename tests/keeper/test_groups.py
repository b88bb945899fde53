"""What several groups have to do with each other: tasks that more than one can run, and limits that they share."""

from __future__ import annotations

from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.groups import with_overflow, within_shared_limits
from hpc_launch.keeper.values import Adaptive, Demand, Fixed, Group, Run, SharedLimit, Submission, Wish

FIXED, BURST, GPU = (
    Group("fixed", "workers-fixed.sh", 4, 1),
    Group("burst", "workers-burst.sh", 1, 1, adapt=Adaptive(0, 9)),
    Group("gpu", "workers-gpu.sh", 1, 1),
)


def run(*groups: Group, limits: tuple[SharedLimit, ...] = ()) -> Run:
    return Run("study", "slurm", {group.name: group for group in groups}, limits=limits)


def wanted(wish: Wish, demand: int, elsewhere: dict[str, int], *groups: Group) -> dict[str, int]:
    told = Demand(wanted={"fixed": demand, "burst": 1, "gpu": 0}, elsewhere={"fixed": elsewhere})
    return dict(with_overflow(run(*groups), wish, told).wanted)


def test_what_a_fixed_group_has_no_workers_for_is_wanted_of_one_that_adapts() -> None:
    groups = (FIXED, BURST, GPU)
    assert wanted(Wish(), 10, {"burst": 5, "gpu": 5}, *groups) == {"fixed": 4, "burst": 1 + 3, "gpu": 0}
    assert wanted(Wish(), 4, {"burst": 4}, *groups)["burst"] == 1, "it has enough"
    assert wanted(Wish(), 10, {"gpu": 10}, *groups) == {"fixed": 10, "burst": 1, "gpu": 0}, "burst cannot run them"
    none = Wish(1, targets={"fixed": Fixed(0)})
    assert wanted(none, 10, {"burst": 5}, *groups) == {"fixed": 0, "burst": 1 + 5, "gpu": 0}


def test_so_is_what_is_more_than_an_adaptive_group_may_have() -> None:
    both = Wish(1, targets={"fixed": Adaptive(0, 2), "burst": Adaptive(0, 50)})
    assert wanted(both, 10, {"burst": 20}, FIXED, BURST)["burst"] == 1 + 16


def test_elements_of_other_groups_count_for_a_limit_that_is_shared() -> None:
    limits = (SharedLimit(frozenset({"fixed", "burst"}), 6),)
    shared = run(FIXED, BURST, GPU, limits=limits)

    def element(number: int, group: str, phase: Phase) -> Element:
        return Element(number, group, 1, phase, Submission(1, group, 0, 9, 9, "study"))

    there = {
        0: element(0, "fixed", Phase.CONNECTED),
        1: element(1, "fixed", Phase.WAITING),
        2: element(2, "gpu", Phase.CONNECTED),
        3: element(3, "burst", Phase.CONNECTED),
    }
    most = {group.name: within_shared_limits(group, shared, there).most_elements for group in (FIXED, BURST, GPU)}
    assert most == {"fixed": 5, "burst": 4, "gpu": None}
