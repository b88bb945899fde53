"""Ends jobs of this machine, and their elements: TERM first, then KILL."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from hpc_launch.batch import processes
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.local.ledger import Ledger
from hpc_launch.batch.local.told import index_of, ledger_of, without_index

HEARD_WITHIN = 5.0
"""Seconds in which a job that has begun tells of its elements, and the end of one that was killed is told."""


def leaders(ids: Iterable[str]) -> list[tuple[int, bool]]:
    """First processes of the jobs' sessions, and whether they live; never a pid that is another's by now.

    Raises Refused for what is no id, or one of another machine.
    """
    parts = [(job, *processes.parts(job)) for job in dict.fromkeys(ids)]
    if strange := [job for job, _, pid, start, _ in parts if pid < 2 or not start]:
        raise Refused(f"not the id of a local job: {', '.join(map(repr, strange))}")
    if elsewhere := [f"{job} runs on {there}" for job, there, *_ in parts if there != processes.host()]:
        raise Refused(f"this is {processes.host()}; {', '.join(elsewhere)}: cancel it there")
    now = [(pid, start, processes.started(pid)) for _, _, pid, start, boot in parts if processes.is_this_boot(boot)]
    return [(pid, alive is not None) for pid, start, alive in now if alive in (start, None)]


def end_sessions(leaders: Sequence[tuple[int, bool]], grace: float) -> None:
    """TERM, and after so many seconds KILL to all that is left of these sessions.

    Not of their process groups only: a job's shell gives each of its parts a group of its own. TERM goes to the first
    process, which ends the others in order; to them when it is gone.
    """
    told = set[int]()
    until = time.monotonic() + grace
    while (left := _members(leaders)) and time.monotonic() < until:
        news = {pid for leader, _ in leaders for pid in _hearers(leader)} - told
        send(news, signal.SIGTERM)
        told |= news
        time.sleep(0.05)
    for _ in range(100):  # what starts processes faster than they can be killed has to be asked again
        if not left:
            return
        send(left, signal.SIGKILL)
        time.sleep(0.05)
        left = _members(leaders)


def end_elements(ids: Sequence[str], grace: float) -> None:
    """The same for elements: those that wait are called off, of those that run their process groups are ended.

    Raises NoAnswer where the process that starts them does not say that they have ended.
    """
    wanted: dict[str, set[int]] = {}
    for each in ids:
        wanted.setdefault(without_index(each), set()).add(index_of(each) or 0)
    leaders(wanted)
    for job, indices in wanted.items():
        if ledger := _ledger_once_told(job):
            _end_elements_of(ledger, indices, grace)


def _ledger_once_told(job: str) -> Ledger | None:
    """That of a job that may only just have begun; None: the job is over. Raises NoAnswer where none comes."""
    until = time.monotonic() + HEARD_WITHIN
    while processes.lives(job):
        if ledger := ledger_of(job):
            return ledger
        if time.monotonic() > until:
            raise NoAnswer(f"{job} does not tell how its elements stand")
        time.sleep(0.05)
    return None


def _end_elements_of(ledger: Ledger, indices: set[int], grace: float) -> None:
    for index in indices:
        ledger.call_off(index)
    ledger.wake()
    told = set[int]()
    until = time.monotonic() + grace
    while left := [step for index, step in ledger.steps().items() if index in indices and not step.over]:
        shells = {step.number for step in left if step.start and processes.started(step.number) == step.start}
        if time.monotonic() < until:
            send(shells - told, signal.SIGTERM)
            told |= shells
        else:
            for shell in shells:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(shell, signal.SIGKILL)
        if time.monotonic() > until + HEARD_WITHIN:
            raise NoAnswer(f"process {ledger.pid}, which starts these elements, does not say that they have ended")
        time.sleep(0.05)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal what is there of these processes."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _hearers(leader: int) -> list[int]:
    return [leader] if processes.started(leader) else processes.session(leader)


def _members(leaders: Iterable[tuple[int, bool]]) -> list[int]:
    return [member for pid, _ in leaders for member in processes.session(pid)]
