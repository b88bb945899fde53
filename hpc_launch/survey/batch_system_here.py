"""Which batch system is here, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hpc_launch import batch, locations
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer, NotConfigured, NotStarted
from hpc_launch.batch.machine import LiveQueue, Machine, Node
from hpc_launch.errors import BatchSystemError, HpcLaunchError, InvalidConfiguration, Problem, UsageError


@dataclass(frozen=True)
class Heard:
    """The machine as its batch system tells it."""

    machine: Machine
    notes: tuple[str, ...] = ()
    """Of each other batch system that is here and does not answer, a sentence."""


def names() -> list[str]:
    """Every batch system that there is a module for, those from outside too."""
    return sorted({*batch.BUILT_IN, *locations.plug_ins()})


def listen(name: str | None = None) -> Heard:
    """Ask the batch system of this machine.

    Args:
        name: the batch system, as in a site profile; None: the one that answers.

    Raises:
        UsageError: there is none of this name, or nothing that it could be asked; or several answer.
        BatchSystemError: none answers; NotStarted where none is here, or has a configuration here.
    """
    if name is not None:
        return Heard(_named(name))
    found: list[Machine] = []
    silent: dict[str, HpcLaunchError] = {}
    for each in names():
        try:
            answer = survey(each, partial(batch.get, each))
        except HpcLaunchError as fault:
            if isinstance(fault, NotConfigured) or not isinstance(fault, NotStarted):
                silent[each] = fault
            continue
        if answer is not None:
            found.append(answer)
    if len(found) > 1:
        here = " and ".join(each.batch_system for each in found)
        choice = " or ".join(f"--batch-system {each.batch_system}" for each in found)
        raise UsageError(Problem(f"several batch systems answer on this host: {here}", hint=f"say {choice}"))
    if not found:
        kind = NotStarted if all(isinstance(each, NotStarted) for each in silent.values()) else BatchSystemError
        problems = [problem for each in silent.values() for problem in each.problems]
        raise kind(Problem("no batch system answers on this host", hint=_hint()), *problems)
    return Heard(found[0], tuple(_note(each, fault.problems) for each, fault in silent.items()))


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


def survey(name: str, system: Callable[[], BatchSystem]) -> Machine | None:
    """What the live machine says of itself; None where this kind of batch system has nothing to say.

    A plug-in's own faults are kept apart from ours.

    Args:
        name: the batch system's.
        system: makes it.

    Raises:
        NotStarted: the batch system is not here.
        NoAnswer: it is here, and a command is missing or does not answer; or a plug-in is broken.
    """
    try:
        answer = system().survey()
    except HpcLaunchError:
        raise
    except Exception as fault:
        if name in batch.BUILT_IN:
            raise
        raise NoAnswer(f"batch_system: {name!r}: its plug-in broke: {type(fault).__name__}: {fault}") from fault
    if answer is None or name in batch.BUILT_IN:
        return answer
    if lacks := _lacks(answer):
        raise NoAnswer(f"batch_system: {name!r}: its plug-in tells of no machine, but {lacks}")
    return answer


def _lacks(answer: object) -> str:
    """What keeps the answer of a plug-in from being a machine; empty: it is one."""
    if not isinstance(answer, Machine):
        return type(answer).__name__
    if not _all(LiveQueue, answer.queues):
        return f"of queues that are {answer.queues!r:.60}"
    if not all(queue.nodes is None or _all(Node, queue.nodes) for queue in answer.queues):
        return "of nodes that are none"
    if not isinstance(answer.commands, Mapping) or not _all(str, [*answer.commands, *answer.commands.values()]):
        return f"of commands that are {answer.commands!r:.60}"
    return "" if _all(str, (answer.batch_system, answer.version, answer.queue_option)) else "of names that are no texts"


def _all(kind: type, values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, kind) for value in values)
