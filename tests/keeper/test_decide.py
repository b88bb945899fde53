"""What the keeper decides, against a pool that is simulated."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpc_launch.keeper.actions import CallOff, End, Retire, Submit
from hpc_launch.keeper.elements import Phase
from hpc_launch.keeper.target import settled
from hpc_launch.keeper.values import Adaptive, Fixed, Wish
from tests.keeper.simulation import LOOK, Pool, group, phases, pool

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "connect", "work", "rest", "end", "vanish", "requeue", "wish", "ask"]),
        st.integers(0, 30),
    ),
    max_size=40,
)


def happen(there: Pool, event: str, number: int, adaptive: bool) -> None:
    """One thing that happens, to one of the elements where there are several."""

    def one_of(elements: set[int]) -> int | None:
        return sorted(elements)[number % len(elements)] if elements else None

    running = there.began.keys() - there.over
    if event == "start" and (each := one_of(there.waiting)) is not None:
        there.start(each)
    elif event == "connect" and (each := one_of(set(running - there.connected))) is not None:
        there.connect(each)
    elif event == "work" and (each := one_of(there.connected - there.retiring)) is not None:
        there.busy.add(each)
    elif event == "rest" and (each := one_of(there.busy)) is not None:
        there.busy.remove(each)
        there.finished["workers"] = there.finished.get("workers", 0) + 1
    elif event in ("end", "vanish") and (each := one_of(set(running))) is not None:
        there.end(each, says_so=event == "end")
    elif event == "requeue" and (each := one_of(set(running))) is not None:
        there.requeue(each)
    elif event == "wish":
        wish = Adaptive(0, number, interval=5, wait_count=3) if adaptive else Fixed(number)
        there.wish = Wish(there.wish.serial + 1, targets={"workers": wish})
        there.wanted = {"workers": number}
    elif event == "ask":
        there.silent = number % 3 == 0
        there.ask()


def check(there: Pool, before: set[int], retiring: set[int], adaptive: bool) -> None:
    """What must hold after every look, whatever happened."""
    limit = there.run.groups["workers"].most_elements
    assert limit is None or len(there.elements()) <= limit
    times = there.submitted_at
    assert all(b - a >= there.intervals.submit for a, b in pairwise(times))
    for action in there.done:
        if isinstance(action, Submit):
            assert 1 <= action.size <= 3 and 2 * (action.size - 1) < action.workers <= 2 * action.size
        if isinstance(action, CallOff):
            assert action.elements <= before
        if isinstance(action, Retire) and adaptive:
            new = {number for number, why in action.elements.items() if why.surplus} - retiring
            late = {number for number in new if number in there.submission_of(number).called_off}
            assert not (new - late) & there.busy
        assert not isinstance(action, End) or not there.silent


@pytest.mark.parametrize("adaptive", [False, True])
@settings(max_examples=100, deadline=None)
@given(events=EVENTS, limit=st.sampled_from([None, 3, 8]), last=st.integers(0, 12))
def test_whatever_happens_it_keeps_its_rules_and_comes_to_its_target(
    adaptive: bool, events: list[tuple[str, int]], limit: int | None, last: int
) -> None:
    there = pool(group(array_limit=3, most_elements=limit))
    if adaptive:
        there.wish, there.wanted = Wish(0, targets={"workers": Adaptive(0, 30)}), {"workers": 4}
    for event, number in events:
        happen(there, event, number, adaptive)
        waiting, retiring = set(there.waiting), set(there.retiring)
        there.done.clear()
        there.step()
        check(there, waiting, retiring, adaptive)
    there.busy.clear()
    there.silent = False
    there.ask()
    there.step()  # what has failed until now is known when somebody wishes anew
    there.wanted = {"workers": last}
    wish = Adaptive(0, 30) if adaptive else Fixed(last)
    there.wish = Wish(there.wish.serial + 1, targets={"workers": wish})
    decision = there.settle()
    standing = decision.groups["workers"]
    assert standing.target == last and not decision.actions
    if standing.paused:
        assert limit is not None and len(there.elements()) == limit and "may be submitted" in standing.paused
    else:
        assert there.there() >= last and not decision.changing
        assert all(there.workers(number) > there.there() - last for number in there.elements())


def test_it_submits_what_is_missing_in_one_array_and_the_last_element_may_hold_fewer() -> None:
    there = pool(group(count=5))
    decision = there.step()
    assert decision.actions == (Submit("workers", size=3, workers=5),)
    assert [there.workers(number) for number in (0, 1, 2)] == [2, 2, 1]


def test_arrays_are_no_larger_than_the_limit_and_ten_seconds_apart() -> None:
    there = pool(group(count=20, array_limit=4))
    there.settle(8)
    assert [action for action in there.done if isinstance(action, Submit)] == [
        Submit("workers", 4, 8),
        Submit("workers", 4, 8),
        Submit("workers", 2, 4),
    ]
    assert [b - a for a, b in pairwise(there.submitted_at)] == [10, 10]


def test_without_arrays_each_element_is_submitted_alone() -> None:
    there = pool(group(count=4, array_limit=1))
    there.settle(5)
    assert [action.size for action in there.done if isinstance(action, Submit)] == [1, 1]


def test_what_waits_is_called_off_before_anything_retires() -> None:
    there = pool(group(per_node=1, count=2))
    there.settle(5)
    there.wish = Wish(1, targets={"workers": Fixed(4)})
    there.step()
    there.wish = Wish(2, targets={"workers": Fixed(1, grace=7.0)})
    there.done.clear()
    there.step()
    retire, call_off = there.done
    assert call_off == CallOff(frozenset({2, 3}))
    assert isinstance(retire, Retire) and {n: why.grace for n, why in retire.elements.items()} == {0: 7.0}


def test_an_element_that_retires_stays_if_it_is_wanted_again() -> None:
    there = pool(group(per_node=1, count=2))
    there.settle(5)
    there.busy = {0, 1}
    there.wish = Wish(1, targets={"workers": Fixed(1)})
    there.step()
    there.wish = Wish(2, targets={"workers": Fixed(2)})
    there.done.clear()
    there.step()
    assert there.done == [Retire({})]


def test_an_element_that_its_data_hold_stays_too_and_no_other_is_submitted_in_its_place() -> None:
    there = pool(group(per_node=1, count=2))
    there.settle(5)
    there.held = {0, 1}
    there.wish = Wish(1, targets={"workers": Fixed(0)})
    there.step()
    there.wish = Wish(2, targets={"workers": Fixed(2)})
    there.done.clear()
    there.step()
    assert there.done == [Retire({})]


def test_adaptive_growing_wants_two_looks_that_agree() -> None:
    there = pool(group(per_node=1, count=0))
    there.wish = Wish(1, targets={"workers": Adaptive(0, 50)})
    for wanted in (40, 0, 7):
        there.wanted = {"workers": wanted}
        assert there.step().actions == ()
    there.wanted = {"workers": 9}
    assert there.step().actions == (Submit("workers", 7, 7),)


def test_adaptive_shrinking_waits_and_takes_idle_elements_alone() -> None:
    there = pool(group(per_node=1, count=4))
    there.settle(5)
    there.busy, there.held = {0, 2}, {3}
    there.wish, there.wanted = Wish(1, targets={"workers": Adaptive(0, 5)}), {"workers": 0}
    decisions = [there.step() for _ in range(4)]
    assert [bool(each.actions) for each in decisions] == [False, False, True, False]
    assert there.retiring == {1}


@given(st.integers(0, 20), st.lists(st.integers(0, 20), max_size=6), st.integers(1, 5))
def test_a_target_settles_only_between_what_was_wanted(current: int, wanted: list[int], wait_count: int) -> None:
    found = settled(current, wanted, wait_count)
    assert found == current or found in wanted
    if found < current:
        assert len(wanted) >= wait_count and all(each < current for each in wanted[-wait_count:])


def test_nothing_destructive_is_done_on_an_answer_that_is_none() -> None:
    there = pool()
    there.settle(5)
    there.silent = True
    there.end(0)
    for _ in range(20):
        there.ask()
        assert there.step().actions == ()
    there.silent = False
    there.ask()
    assert there.step().actions == (Submit("workers", 1, 2),)


def test_an_element_that_was_put_back_into_the_queue_is_not_replaced() -> None:
    there = pool()
    there.settle(5)
    there.requeue(1)
    assert phases(there.step())[1] is Phase.LEAVING
    there.ask()
    decision = there.step()
    assert phases(decision)[1] is Phase.WAITING and decision.actions == ()
    there.settle(5)
    assert len(there.submissions) == 1


def test_three_elements_in_a_row_without_a_worker_stop_the_group_until_somebody_wishes_anew() -> None:
    there = pool(group(per_node=1, count=1))
    for _ in range(40):
        there.step()
        for number in list(there.waiting):
            there.start(number)
            there.end(number)
        there.ask()
    assert len(there.submissions) == 3
    standing = there.step().groups["workers"]
    assert standing.paused == (
        "3 worker jobs in a row ended before a worker connected, see logs; `hpc-launch scale` starts them again"
    )
    there.wish = Wish(1, targets={"workers": Fixed(1)})
    there.settle()
    assert len(there.submissions) == 4 and there.memory.of("workers").failed == 3


def test_elements_whose_workers_only_come_and_go_are_ended_and_at_last_stop_the_group() -> None:
    there = pool(group(per_node=2, count=2), group("others", count=2))
    there.settle(8)
    while there.memory.of("workers").brake is None:
        there.finished["others"] = there.finished.get("others", 0) + 1  # does not count for the others
        for number in there.connected:
            if there.group_of(number) == "workers":
                there.rejoins[number] = there.rejoins.get(number, 0) + 1
        there.step()
        there.ask()
        for number in list(there.waiting):
            there.start(number)
            there.connect(number)
    ends = [action.elements for action in there.done if isinstance(action, End)]
    assert len(ends) == 3 and all(there.group_of(number) == "workers" for each in ends for number in each)
    standing = there.step().groups["workers"]
    assert "came back again and again, and finished no task" in (standing.paused or "") and standing.present == 0
    assert there.memory.of("others").brake is None


def test_a_group_that_finishes_tasks_is_not_stopped_for_some_of_its_elements() -> None:
    there = pool(group(per_node=1, count=3))
    there.settle(5)
    for turn in range(200):
        there.finished["workers"] = turn
        there.rejoins[max(there.connected)] = turn % 20
        there.step()
        there.ask()
        for number in list(there.waiting):
            there.start(number)
            there.connect(number)
    assert sum(isinstance(action, End) for action in there.done) > 3
    assert there.memory.of("workers").brake is None


def test_what_was_submitted_before_a_wish_does_not_count_against_it() -> None:
    there = pool(group(per_node=1, count=3))
    there.step()
    there.wish = Wish(1, targets={"workers": Fixed(3)})
    there.step()
    for number in (0, 1, 2):
        there.start(number)
        there.end(number)
    there.ask()
    assert there.step().actions == (Submit("workers", 3, 3),)
    assert there.memory.of("workers").failed == 0


def test_no_element_is_ended_or_judged_while_a_worker_is_there_that_nobody_can_place() -> None:
    there = pool(group(per_node=1, count=4))
    there.step()
    there.unknown = 1
    for number in (0, 1, 2, 3):
        there.start(number)
    for _ in range(300):
        there.ask()
        assert there.step().actions == ()
    for number in (0, 1, 2):
        there.end(number)
    there.ask()
    there.step()
    assert there.memory.of("workers").failed == 0
    there.unknown = 0
    for _ in range(2):
        there.ask()
        there.step()
    (end,) = [action for action in there.done if isinstance(action, End)]
    assert end == End(frozenset({3}), "no worker of theirs connected")


def test_a_submission_that_fails_is_tried_again_later_and_later() -> None:
    there = pool(refuses=True)
    for _ in range(300):
        decision = there.step()
    pauses = [b - a for a, b in pairwise(there.submitted_at)]
    assert pauses[:6] == [10, 20, 40, 80, 160, 320] and max(pauses) <= 600
    assert decision.groups["workers"].paused == "no"


def test_an_element_is_replaced_before_its_walltime_is_over() -> None:
    there = pool(group(per_node=2, count=2, walltime=600.0), longest=20.0)
    there.settle(5)
    there.busy = {0}
    began = there.began[0]
    while 0 not in there.retiring:
        there.step()
    assert 600 - 75 <= there.now - LOOK - began <= 600 - 70  # two looks of ten seconds until all have heard of it
    assert there.memory.retiring[0].close_at == began + 600 - 10
    there.settle(5)
    assert len(there.submissions) == 2 and there.memory.of("workers").replaced == 1
    there.busy.clear()
    there.settle(5)
    assert there.elements() == {1}


def test_elements_that_are_held_by_their_data_close_in_two_halves_at_least() -> None:
    there = pool(group(per_node=1, count=4, walltime=80.0))
    there.settle(5)
    began = there.began[0]
    while len(there.retiring) < 4:
        there.step()
    assert [there.memory.retiring[number].close_at for number in range(4)] == [
        began + 80 - before for before in (10, 35, 10 + 2, 35)
    ]


def test_it_is_not_replaced_if_the_run_ends_first() -> None:
    there = pool(group(count=2, walltime=600.0))
    there.run_ends = there.now + 500
    there.settle(95)
    assert len(there.submissions) == 1 and there.elements() == {0} and not there.retiring
    there.end(0)
    there.ask()
    assert there.step().groups["workers"].paused == "the walltime of the run is nearly over"
    assert len(there.submissions) == 1


def test_an_element_that_runs_without_a_worker_is_ended_at_last_but_not_while_it_is_suspended() -> None:
    there = pool(group(per_node=2, count=4))
    there.step()
    there.start(0)
    there.start(1)
    there.suspended = {1}
    before = there.now
    while not any(isinstance(action, End) for action in there.done):
        there.ask()
        there.step()
    assert there.now - LOOK - before >= 900
    assert there.done[-1] == End(frozenset({0}), "no worker of theirs connected")
    for _ in range(20):
        there.ask()
        there.step()
    assert 1 not in there.over


def test_a_group_that_is_refused_does_not_keep_another_from_growing() -> None:
    there = pool(group("a"), group("b"))
    there.memory = there.memory.with_group("a", not_before=there.now + 500, refusal="closed")
    decision = there.step()
    assert decision.actions == (Submit("b", 2, 4),) and decision.groups["a"].paused == "closed"


def test_an_unanswered_submission_counts_as_being_there() -> None:
    there = pool()
    there.step()
    there.submissions[1] = replace(there.submissions[1], job_id=None)
    there.waiting.clear()
    for _ in range(10):
        assert there.step().actions == ()
