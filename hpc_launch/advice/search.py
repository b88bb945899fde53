"""The number nearest to what is asked for with which a run fits."""

from __future__ import annotations

from dataclasses import dataclass

from hpc_launch.advice.changes import Attempts, Change, Changes, in_its_group, worse
from hpc_launch.advice.room import Room
from hpc_launch.checks.misfit import Misfit
from hpc_launch.units import MIB

MOST_GUESSES = 4
PER_NODE = "workers.per_node"


@dataclass(frozen=True)
class Search:
    """For a change of one key that mends a misfit of a run."""

    attempts: Attempts
    made: Changes
    """Those after which the run has this misfit."""
    misfit: Misfit
    strict: bool = True
    """Whether nothing else may become worse."""

    def change(self, key: str, room: Room) -> Change | None:
        """The smallest one of this key; None: none was found. Raises Enough."""
        if key.endswith("walltime"):
            return Change(key, self.misfit.limit) if self._mends(key, self.misfit.limit) else None
        if (asked := room.asked(key)) is None:
            return None
        is_per_node = in_its_group(key)[1] == PER_NODE
        number = self._per_node(key, room, asked) if is_per_node else self._lowered(key, room, asked)
        return None if number is None else self._as_change(key, number)

    def _lowered(self, key: str, room: Room, asked: int) -> int | None:
        least = room.memories() if in_its_group(key)[1] == "workers.memory" else [room.least(key)]
        good = next((number for number in least if number < asked and self._mends(key, number)), None)
        return None if good is None else self._border(key, asked, good)

    def _per_node(self, key: str, room: Room, asked: int) -> int | None:
        """The nearest one; where one makes too many nodes smaller ones do so, too."""
        numbers, too_few = room.even(), 0
        all_there_are = len(numbers) == max(numbers)
        for number in sorted(numbers, key=lambda number: abs(number - asked)):
            keys = self.misfit.higher if number > asked else self.misfit.lower
            if number == asked or number < too_few or key not in keys:
                continue
            if self._mends(key, number):
                return number if all_there_are else self._border(key, asked, number)
            if self._makes_too_many_nodes(key, number):
                too_few = max(too_few, number)
        return None

    def _makes_too_many_nodes(self, key: str, number: int) -> bool:
        left = self.attempts.faults((*self.made, Change(key, number))).values()
        misfits = (fault for fault in left if isinstance(fault, Misfit))
        return any(key in misfit.higher and key not in misfit.lower for misfit in misfits)

    def _border(self, key: str, bad: int, good: int) -> int:
        """The number next to one that does not mend it, between the two."""
        before, guesses, step, guessed_well = bad, 0, 1, False
        while abs(good - bad) > 1:
            number = self._guess(key, bad, before) if guesses < MOST_GUESSES else good
            guesses += 1
            is_guess = min(good, bad) < number < max(good, bad)
            if not is_guess:
                away = min(step, abs(bad - good) // 2) if guessed_well else abs(bad - good) // 2
                number, step = good + (away if bad > good else -away), step * 2
            if self._mends(key, number):
                good, guessed_well = number, guessed_well or is_guess
            else:
                before, bad = bad, number
        return good

    def _guess(self, key: str, bad: int, before: int) -> int:
        """What would do if what is asked for grew evenly with the number; of one number by the rule of three."""
        limit, now, then = self.misfit.limit, self._asked_with(key, bad), self._asked_with(key, before)
        if key in self.misfit.higher:
            return -(-bad * now // limit)
        if then == now:
            return bad * limit // now if now else bad
        return bad - -(-(now - limit) * (before - bad) // (then - now))

    def _asked_with(self, key: str, number: int) -> int:
        """How much of what the misfit is about; its limit where that is mended."""
        fault = self.attempts.faults((*self.made, self._as_change(key, number))).get(self.misfit.kind)
        return fault.asked if isinstance(fault, Misfit) else self.misfit.limit

    def _mends(self, key: str, number: int) -> bool:
        known, left = self.attempts.faults(self.made), self.attempts.faults((*self.made, self._as_change(key, number)))
        if self.misfit.kind in left:
            return False
        return not self.strict or all(kind in known and not worse(left[kind], known[kind]) for kind in left)

    def _as_change(self, key: str, number: int) -> Change:
        return Change(key, number * MIB if key.endswith("memory") else number)
