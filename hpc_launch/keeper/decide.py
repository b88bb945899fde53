"""From what is known at one moment to what is to be done. A pure function: no clock, no files, no batch system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hpc_launch.keeper import leave
from hpc_launch.keeper.actions import Action, CallOff, Decision, End, Retire, Standing, Submit
from hpc_launch.keeper.brake import judge
from hpc_launch.keeper.elements import Element, Phase, elements
from hpc_launch.keeper.groups import with_overflow, within_shared_limits
from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.memory import Memory, OfGroup
from hpc_launch.keeper.missing import submission
from hpc_launch.keeper.silence import hopeless, looping, noticed
from hpc_launch.keeper.target import is_settled, target, wish_of
from hpc_launch.keeper.values import Group, Look, Retirement, Run


def decide(run: Run, look: Look, memory: Memory, intervals: Intervals) -> Decision:
    """What is to be done now, and what is to be remembered."""
    there = elements(run, look)
    memory = noticed(look, there, judge(run, look, there, memory))
    if look.demand is not None:
        look = replace(look, demand=with_overflow(run, look.wish, look.demand))
    groups = [within_shared_limits(group, run, there) for group in run.groups.values()]
    plans = [_plan(group, _alive(there, group), look, memory, intervals) for group in groups]
    retiring = {number: why for plan in plans for number, why in plan.retiring.items()}
    call_off = {number for plan in plans for number in plan.call_off} | _still_waiting(there, look, memory)
    silent, loops = hopeless(look, there, memory, intervals), looping(look, there, memory, intervals)
    submit = next((plan.submit for plan in plans if plan.submit), None)
    actions: list[Action | None] = [
        Retire(retiring) if retiring != memory.retiring else None,
        CallOff(frozenset(call_off)) if call_off else None,
        End(silent, "no worker of theirs connected") if silent else None,
        End(loops, "their workers come back again and again, and finish no task") if loops else None,
        submit,
    ]
    remembered = replace(
        memory,
        groups={plan.standing.group.name: plan.remembered for plan in plans},
        retiring=retiring,
        leaving=(memory.leaving | retiring.keys()) - _called_back(there, memory, retiring),
        looping=memory.looping | loops,
        ended={**memory.ended, **dict.fromkeys(call_off | silent | loops, look.now)},
    )
    done = tuple(action for action in actions if action)
    changing = bool(done or retiring) or any(_is_changing(plan) for plan in plans)
    ends = [leave.next_to_retire(group, _alive(there, group), look, intervals) for group in run.groups.values()]
    again = min((end for end in ends if end is not None), default=None)
    standings = {plan.standing.group.name: plan.standing for plan in plans}
    return Decision(done, remembered, there, standings, changing, again)


@dataclass(frozen=True)
class _Plan:
    """What is to become of one group."""

    standing: Standing
    retiring: Mapping[int, Retirement]
    call_off: frozenset[int]
    submit: Submit | None
    remembered: OfGroup


def _plan(group: Group, alive: list[Element], look: Look, memory: Memory, intervals: Intervals) -> _Plan:
    retiring = _retiring(group, alive, look, memory, intervals)
    staying = [each for each in alive if not _is_on_its_way_out(each, retiring, memory)]
    present, wish = _workers(staying), wish_of(look.wish, group)
    wanted, remembered = target(wish, group.name, memory.of(group.name), look.demand, present, look.now)
    worn_out = sum(not why.surplus for number, why in retiring.items() if number not in memory.retiring)
    remembered = replace(remembered, lost=remembered.lost + worn_out)
    surplus = [
        each for each in alive if each.number in retiring and retiring[each.number].surplus and not each.called_off
    ]
    back = leave.may_stay(wanted - present, surplus, look.demand)
    certain = [each for each in staying if each.phase is not Phase.LEAVING]
    too_many = leave.too_many(_workers(certain) - wanted, wish, certain, look.demand)
    grace = None if remembered.target is not None else getattr(wish, "grace", None)
    retiring = {number: why for number, why in retiring.items() if number not in back}
    retiring |= {each.number: Retirement(True, grace) for each in certain if each.number in too_many and each.runs}
    present += _workers(each for each in surplus if each.number in back)
    present -= _workers(each for each in certain if each.number in too_many)
    submit, paused = submission(group, wanted - present, alive, look, memory, intervals)
    return _Plan(
        Standing(group, wish, wanted, present, tuple(alive), paused),
        retiring,
        frozenset(too_many - retiring.keys()),
        submit,
        remembered,
    )


def _is_on_its_way_out(element: Element, retiring: Mapping[int, Retirement], memory: Memory) -> bool:
    """Whether it is not counted on any more. One that has ended of itself may be put back into the queue, and is."""
    sent_away = element.phase is Phase.LEAVING and element.number in memory.leaving
    return sent_away or element.called_off or element.number in retiring


def _retiring(
    group: Group, alive: Iterable[Element], look: Look, memory: Memory, intervals: Intervals
) -> dict[int, Retirement]:
    """The group's elements that are on their way out already, or have to be now."""
    running = {each.number: each for each in alive if each.runs}
    begun = {number: why for number, why in memory.retiring.items() if number in running}
    late = {number: Retirement(True) for number, each in running.items() if each.called_off}  # it began all the same
    worn = leave.near_their_end(group, running.values(), look, intervals)
    new = {number: why for number, why in worn.items() if number not in begun or begun[number].surplus}
    return {**late, **begun, **new}


def _still_waiting(elements: Mapping[int, Element], look: Look, memory: Memory) -> set[int]:
    """Elements that were called off, and wait all the same: the batch system was not told, or did not hear."""
    found = set()
    for number, each in elements.items():
        if each.called_off and each.phase is Phase.WAITING:
            tried, told = memory.ended.get(number), look.told.get(number)
            if tried is None or (told and told.waits and told.asked > tried):
                found.add(number)
    return found


def _is_changing(plan: _Plan) -> bool:
    """Whether a group is not what it should be, or something of it is on its way."""
    standing = plan.standing
    on_their_way = any(each.phase is not Phase.CONNECTED for each in standing.elements)
    short = standing.present < standing.target and not plan.remembered.brake
    return on_their_way or short or not is_settled(standing.wish, plan.remembered)


def _alive(elements: Mapping[int, Element], group: Group) -> list[Element]:
    return [each for each in elements.values() if each.alive and each.group == group.name]


def _called_back(elements: Mapping[int, Element], memory: Memory, retiring: Mapping[int, Retirement]) -> set[int]:
    return {number for number in memory.retiring.keys() - retiring.keys() if elements[number].runs}


def _workers(elements: Iterable[Element]) -> int:
    return sum(each.workers for each in elements)
