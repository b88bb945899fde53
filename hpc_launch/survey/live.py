"""Which batch system is here, and what it says."""

from __future__ import annotations

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.machine import Machine
from hpc_launch.errors import BatchSystemError, InvalidConfiguration, Problem, UsageError


def names() -> list[str]:
    """Every batch system that there is a module for, those from outside too."""
    from importlib.metadata import entry_points

    return sorted({*batch.BUILT_IN, *(entry.name for entry in entry_points(group=batch.GROUP))})


def machine(name: str | None = None) -> Machine:
    """The machine as its batch system tells it.

    Args:
        name: the batch system, as in a site profile; None: the one that answers.

    Raises:
        UsageError: there is none of this name, or nothing that it could be asked; or several answer.
        BatchSystemError: none answers.
    """
    if name is not None:
        return _named(name)
    found: list[Machine] = []
    silent: list[Problem] = []
    for each in names():
        try:
            answer = batch.get(each).survey()
        except NotStarted:
            continue
        except (NoAnswer, InvalidConfiguration) as fault:  # one from outside may not even load
            silent += fault.problems
            continue
        if answer is not None:
            found.append(answer)
    if len(found) > 1:
        here = " and ".join(each.batch_system for each in found)
        choice = " or ".join(f"--batch-system {each.batch_system}" for each in found)
        raise UsageError(Problem(f"several batch systems answer on this host: {here}", hint=f"say {choice}"))
    if not found:
        raise BatchSystemError(Problem("no batch system answers on this host", hint=_hint()), *silent)
    return found[0]


def _hint() -> str:
    return f"go to a login host of the machine; looked for: {', '.join(names())}"


def _named(name: str) -> Machine:
    try:
        answer = batch.get(name).survey()
    except InvalidConfiguration as fault:
        raise UsageError(*fault.problems) from None
    if answer is None:
        raise UsageError(Problem(f"--batch-system {name}: it has no machine to tell about", hint=_hint()))
    return answer
