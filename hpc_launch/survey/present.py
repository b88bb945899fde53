"""What a batch system says of its machine, with a plug-in's own faults kept apart from ours."""

from __future__ import annotations

from collections.abc import Callable

from hpc_launch.batch import BUILT_IN
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.machine import Machine
from hpc_launch.errors import HpcLaunchError


def survey(name: str, system: Callable[[], BatchSystem]) -> Machine | None:
    """What the live machine says of itself; None where this kind of batch system has nothing to say.

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
        if name in BUILT_IN:
            raise
        raise NoAnswer(f"batch_system: {name!r}: its plug-in broke: {type(fault).__name__}: {fault}") from fault
    if answer is not None and not isinstance(answer, Machine):
        raise NoAnswer(f"batch_system: {name!r}: its plug-in tells of no machine, but {type(answer).__name__}")
    return answer
