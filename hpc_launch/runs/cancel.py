"""Ending a run: first let its job end everything in order and record it, then insist."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from hpc_launch.errors import BatchSystemError, HpcLaunchError, Problem
from hpc_launch.models.record import Record
from hpc_launch.runs import evidence, status
from hpc_launch.runs.directory import update_record
from hpc_launch.runs.job_ids import batch_system
from hpc_launch.runs.settle import View


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds."""

    orderly: float = 35.0
    """For the job's own end after a TERM: its workload gets 5 s, its scheduler 10, its workers 5 or, with jobs of their
    own, 10."""
    gone: float = 15.0
    """For the batch system to say so after a cancel."""
    ask: float = 2.0
    look: float = 0.25


def cancel(directory: Path, say: Callable[[str], None], patience: Patience = Patience()) -> View:
    """End the run in `directory`, wherever it stands, and what is left of it; gives how it stands afterwards.

    Args:
        directory: the run directory.
        say: is told what happens.
        patience: how long to wait.

    Raises:
        BatchSystemError: refused or not answered; the wish is in the record.
        UsageError: the record cannot be read.
    """
    view = status.bring_up_to_date(directory)
    if view.standing.over and not view.standing.doubt:
        say(f"{view.record.id} is over already: {view.standing.outcome}")
        _sweep(view, say)
        return view
    queued_again = bool(view.standing.doubt)  # perhaps: its attempt has ended, and the batch system does not say more
    view = _intend(view)
    ids = view.record.job_ids
    if not ids:
        return _not_known(view, say)
    system = batch_system(view.record)
    if (main := view.record.main.job_id) and view.standing.state != "queued" and not queued_again:
        say("asking the job to end")
        system.interrupt([main])  # the others are its to end
        if ended_in_order(directory, patience):
            say("the job has ended everything in order")
            if len(ids) > 1:
                time.sleep(patience.ask)  # the job has just called off the others: PBS bears no second qdel at once
            _sweep(view, say)
            return look_until_over(directory, patience)
    # also if its shell is gone: then it was too early for the job to end in order what it had started
    say(f"cancelling {', '.join(ids)} in {view.record.batch_system}")
    system.cancel(ids)
    return look_until_over(directory, patience)


def _intend(view: View) -> View:
    """Put the wish into the record before anything is done, and look again: the job may be known by then."""

    def wished(record: Record) -> Record:
        asked = record.cancel_requested or datetime.now(timezone.utc)
        return replace(record, cancel_requested=asked)

    update_record(view.directory, wished)
    return status.bring_up_to_date(view.directory)


def _sweep(view: View, say: Callable[[str], None]) -> None:
    """End what the main job of a run that is over has left behind, where no batch system has done it.

    A workload may start processes in groups of their own, which the job's shell does not know; and a shell that
    was killed ended nothing at all. Jobs beside it may wait, or run, without it.
    """
    ids = view.record.job_ids
    try:
        system = batch_system(view.record)
        if view.record.taken_back and ids:
            system.cancel(ids)
        elif workers := view.record.worker_ids:
            system.cancel(workers)
        elif ids and "cancel" not in system.programs:  # it is done without a command, so it bothers nobody
            system.cancel(ids)
    except HpcLaunchError as fault:  # it ran on another machine
        say(f"whether it left processes behind cannot be told: {fault}")


def _not_known(view: View, say: Callable[[str], None]) -> View:
    said = [report.raw for report in view.reports.values() if report.raw]
    if view.standing.state == "unknown":
        raise BatchSystemError(
            Problem(
                f"{view.record.batch_system} has not said yet whether it has the job: {' '.join(said)}",
                hint=f"Try again: hpc-launch cancel {view.record.id}",
            )
        )
    say(f"{view.record.batch_system} knows no job of this run; if one still comes up, cancel again")
    return view


def ended_in_order(directory: Path, patience: Patience) -> bool:
    """Whether the job told, before patience was out, that everything of it is gone."""
    began = asked = time.monotonic()
    while (now := time.monotonic()) - began < patience.orderly:
        if evidence.read(directory).ended is not None:
            return True
        if now - asked >= patience.ask:
            asked = now
            if status.bring_up_to_date(directory).standing.over:
                break
        time.sleep(patience.look)
    return evidence.read(directory).ended is not None


def look_until_over(directory: Path, patience: Patience) -> View:
    """Look until the run is over, or it has taken too long."""
    until = time.monotonic() + patience.gone
    while True:
        view = status.bring_up_to_date(directory)
        if view.standing.over or time.monotonic() >= until:
            return view
        time.sleep(patience.ask if view.reports else patience.look)
