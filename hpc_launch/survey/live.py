"""Which batch system is here, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hpc_launch import batch
from hpc_launch.batch.faults import NotStarted
from hpc_launch.batch.machine import Machine
from hpc_launch.errors import BatchSystemError, HpcLaunchError, InvalidConfiguration, Problem, UsageError
from hpc_launch.survey.present import survey


@dataclass(frozen=True)
class Heard:
    """The machine as its batch system tells it."""

    machine: Machine
    notes: tuple[str, ...] = ()
    """Of each other batch system that is here and does not answer, a sentence."""


def names() -> list[str]:
    """Every batch system that there is a module for, those from outside too."""
    from importlib.metadata import entry_points

    return sorted({*batch.BUILT_IN, *(entry.name for entry in entry_points(group=batch.GROUP))})


def listen(name: str | None = None) -> Heard:
    """Ask the batch system of this machine.

    Args:
        name: the batch system, as in a site profile; None: the one that answers.

    Raises:
        UsageError: there is none of this name, or nothing that it could be asked; or several answer.
        BatchSystemError: none answers.
    """
    if name is not None:
        return Heard(_named(name))
    found: list[Machine] = []
    silent: dict[str, Sequence[Problem]] = {}
    for each in names():
        try:
            answer = survey(each, partial(batch.get, each))
        except NotStarted:
            continue
        except HpcLaunchError as fault:
            silent[each] = fault.problems
            continue
        if answer is not None:
            found.append(answer)
    if len(found) > 1:
        here = " and ".join(each.batch_system for each in found)
        choice = " or ".join(f"--batch-system {each.batch_system}" for each in found)
        raise UsageError(Problem(f"several batch systems answer on this host: {here}", hint=f"say {choice}"))
    if not found:
        problems = [problem for each in silent.values() for problem in each]
        raise BatchSystemError(Problem("no batch system answers on this host", hint=_hint()), *problems)
    return Heard(found[0], tuple(_note(each, problems) for each, problems in silent.items()))


def _note(name: str, problems: Sequence[Problem]) -> str:
    said = " ".join(" ".join(problem.message.split()) for problem in problems)
    return f"{name} was asked too, and did not answer: {said}"


def _hint() -> str:
    return f"go to a login host of the machine; looked for: {', '.join(names())}"


def _named(name: str) -> Machine:
    try:
        answer = survey(name, partial(batch.get, name))
    except InvalidConfiguration as fault:
        raise UsageError(*fault.problems) from None
    if answer is None:
        raise UsageError(Problem(f"--batch-system {name}: it has no machine to tell about", hint=_hint()))
    return answer
