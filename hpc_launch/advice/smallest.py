"""The smallest change that makes a run fit, for each of its problems and for all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hpc_launch.advice.changes import Attempts, Change, Changes, Enough, Problems
from hpc_launch.advice.room import Rooms
from hpc_launch.advice.search import Search
from hpc_launch.checks.misfit import Misfit
from hpc_launch.errors import Problem
from hpc_launch.models.plan import Planned

MOST_CHOICES = 2
MOST_TOGETHER = 5


def with_smallest_changes(refused: Problems, attempts: Attempts, nowhere: bool) -> Problems:
    """The same problems; each also says what would mend it, and the last one what would mend them all.

    Args:
        nowhere: whether it is known that no other queue and no other layout takes the run as it is.
    """
    changes = together(attempts) if len(refused) > 1 else ()  # first, for not all that could be said may be looked for
    found = [_smallest(problem, attempts, nowhere) for problem in refused]
    *problems, last = [problem.also(hint) for problem, (hint, _) in zip(refused, found, strict=True)]
    if not all(mended for _, mended in found):
        changes = together(attempts)
    return (*problems, last.also(f"all of it fits with: {' '.join(map(str, changes))}") if changes else last)


def _smallest(problem: Problem, attempts: Attempts, nowhere: bool) -> tuple[str, bool]:
    """What would mend a problem, and whether that is one change, or nothing to look for."""
    if not (isinstance(problem, Misfit) and problem.kind):
        return "", True
    found: list[Change] = []
    rooms, all_tried = Rooms(attempts.resolved, attempts.context), True
    try:
        found.extend(islice(_changes(Search(attempts, (), problem), rooms), MOST_CHOICES))
    except Enough:
        all_tried = False
    if found:
        return f"smallest change: {', or '.join(map(str, found))}", True
    if not (ways := [f"{_word(key, problem)} {key}" for key in _keys(problem, attempts, rooms)]):
        return "", False
    alone = "one change alone does not do; " if nowhere and all_tried and rooms.all_tried else ""
    return f"{alone}what counts: {', '.join(ways)}", False


def together(attempts: Attempts, changes: Changes = ()) -> Changes:
    """Changes after which the run fits, those that are given among them; none where they are not found so."""
    try:
        for _ in range(MOST_TOGETHER + 1):
            refused = attempts.outcome(changes)
            if isinstance(refused, Planned):
                return tuple({change.key: change for change in changes}.values())
            if (change := _next(refused, attempts, changes)) is None:
                return ()
            changes = (*changes, change)
    except Enough:
        pass
    return ()


def _next(refused: Problems, attempts: Attempts, changes: Changes) -> Change | None:
    """One that mends a problem; if need be one that breaks something else, which comes next."""
    misfits = [problem for problem in refused if isinstance(problem, Misfit) and problem.kind]
    rooms = Rooms(attempts.run(changes), attempts.context)
    searches = (Search(attempts, changes, misfit, strict) for strict in (True, False) for misfit in misfits)
    return next((change for search in searches for change in _changes(search, rooms)), None)


def _changes(search: Search, rooms: Rooms) -> Iterator[Change]:
    """For each of the keys that decide it the change nearest to what is asked for; raises Enough."""
    found = (search.change(key, rooms.of(key)) for key in _keys(search.misfit, search.attempts, rooms))
    return (change for change in found if change is not None)


def _keys(misfit: Misfit, attempts: Attempts, rooms: Rooms) -> list[str]:
    """Those that can still be changed, and that the site lets users set; at last the one that loses workers."""
    keys = [key for key in dict.fromkeys((*misfit.lower, *misfit.higher)) if attempts.may_set(key)]
    left = [
        key for key in keys if key in misfit.higher or rooms.of(key).asked(key) not in (None, rooms.of(key).least(key))
    ]
    return sorted(left, key=lambda key: key.startswith("workers.") and key.endswith(".count"))


def _word(key: str, misfit: Misfit) -> str:
    if key in misfit.lower:
        return "change" if key in misfit.higher else "lower"
    return "raise"
