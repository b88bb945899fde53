"""`hpc-launch wait`, and what is said at the end of a run that somebody has waited for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON

if TYPE_CHECKING:
    from hpc_launch.models.record import Record
    from hpc_launch.runs.settle import View


def wait(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN…",
            help="ids, names, beginnings of ids, or run directories; default: the latest",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    json: JSON = False,
) -> None:
    """Wait until a run, or each of several, is over; ends with the first exit code that is not 0."""
    from hpc_launch import context
    from hpc_launch.cli.live import StoppedWaiting, left_alone
    from hpc_launch.runs.choice import find_unfinished
    from hpc_launch.runs.directory import read_record
    from hpc_launch.runs.status import bring_all_up_to_date

    here = context.current()
    found = dict.fromkeys(find_unfinished(here, run) for run in runs or (None,))
    records = {directory: read_record(directory) for directory in found}
    views: list[View] = []
    try:
        with left_alone(*(record.id for record in records.values())):
            for directory, record in records.items():
                views.append(_end_of(directory, record, json, len(records) > 1))
    except StoppedWaiting as stopped:
        if json:
            known = [*views, *filter(None, [stopped.view])]
            _print_json([*known, *bring_all_up_to_date([*records.items()][len(known) :])])
        raise
    if json:
        _print_json(views)
    raise typer.Exit(next(filter(None, map(exit_code_of_run, views)), 0))


def _end_of(directory: Path, record: Record, as_json: bool, one_of_several: bool) -> View:
    """Wait for the end of a run, and tell it; programs are told of all of them together."""
    from hpc_launch.cli.live import watch
    from hpc_launch.cli.output import say, tell
    from hpc_launch.runs.describe import headline

    if one_of_several:
        say(f"waiting for {record.id}")
    if record.plan.stands and not record.outcome:
        say(f"a standing cluster: {next_steps(record)}")
    view = watch(directory)
    if not as_json:
        tell(f"{record.id}: {headline(view)}" if one_of_several else headline(view))
    tell_where_to_look(view)
    return view


def _print_json(views: Sequence[View]) -> None:
    from hpc_launch.cli.output import print_json
    from hpc_launch.runs.describe import as_json

    described = [as_json(view) for view in views]
    print_json(described[0] if len(described) == 1 else {"schema": 1, "runs": described})


def next_steps(record: Record) -> str:
    """What can be done with a run that goes on."""
    from hpc_launch.runs.describe import stands

    if record.plan.stands:
        return f"it stands {stands(record)} · how it goes: hpc-launch status"
    return "how it goes: hpc-launch status · its output: hpc-launch logs · to its end: hpc-launch wait"


def tell_where_to_look(view: View) -> None:
    """Say where the cause of a bad end is to be found."""
    from hpc_launch.cli.output import say

    if view.standing.hint:
        say(f"hint: {view.standing.hint}")
    if view.standing.outcome in ("failed", "out-of-memory", "timeout"):
        part = " --of scheduler" if view.record.plan.stands else ""
        say(f"what it printed: hpc-launch logs {view.record.id}{part}")
    elif view.standing.outcome in ("launch-failed", "lost") and any(job.job_id for job in view.record.jobs):
        say(f"what the job printed: hpc-launch logs {view.record.id} --of job    (or --of workers, --of scheduler)")


def exit_code_of_run(view: View) -> int:
    """With which a command ends that has waited for this end."""
    return 1 if view.standing.exit_code is None else view.standing.exit_code
