"""The commands around runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli.options import JSON
from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs.parts import Part

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.models.record import Record
    from hpc_launch.prepare import Prepared
    from hpc_launch.runs.settle import View

RUN = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="id, beginning of an id, or run directory; default: the latest",
        show_default=False,
    ),
]
THIS_RUN = Annotated[
    str, typer.Argument(metavar="RUN", help="id, beginning of an id, or run directory", show_default=False)
]


def _directory(run: str | None) -> Path:
    from hpc_launch import context
    from hpc_launch.runs import index

    return index.find(context.current(), run)


def _unfinished(run: str | None) -> Path:
    from hpc_launch import context
    from hpc_launch.runs.choice import find_unfinished

    return find_unfinished(context.current(), run)


def status(
    run: RUN = None,
    watch: Annotated[bool, typer.Option("--watch", help="look again until the run is over")] = False,
    json: JSON = False,
) -> None:
    """Show where a run stands."""
    from hpc_launch.cli.output import print_json
    from hpc_launch.runs import describe
    from hpc_launch.runs.status import bring_up_to_date

    directory = _directory(run)
    if not watch:
        view = bring_up_to_date(directory)
        show(view, json)
        raise typer.Exit(5 if view.standing.state == "unknown" else 0)
    as_lines = (lambda view: print_json(describe.as_json(view), lines=True)) if json else None
    view = _watch(directory, as_lines, full=True)
    if not json:
        show(view, json)


def wait(run: RUN = None, json: JSON = False) -> None:
    """Wait until a run is over; ends with the workload's exit code."""
    directory = _unfinished(run)
    _tell_if_it_stands(directory)
    view = _watch(directory)
    if json:
        show(view, json)
    else:
        from hpc_launch.runs import describe

        print(describe.headline(view))
    _where_to_look(view)
    raise typer.Exit(_exit_code(view))


def _tell_if_it_stands(directory: Path) -> None:
    from hpc_launch.cli.output import say
    from hpc_launch.runs.directory import read_record

    record = read_record(directory)
    if record.plan.stands and not record.outcome:
        say(f"a standing cluster: {_next_steps(record)}")


def logs(
    run: RUN = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run is over")] = False,
    of: Annotated[Part, typer.Option("--of", help="whose output")] = Part.workload,
    json: JSON = False,
) -> None:
    """Show the output of a run: the workload's, or another part's."""
    from hpc_launch.cli.output import copy, print_json, say
    from hpc_launch.runs import describe, logs
    from hpc_launch.runs.directory import read_record
    from hpc_launch.runs.status import bring_up_to_date

    if json and follow:
        raise UsageError(
            Problem(
                "--json does not go with --follow: it prints one document of all the output there is",
                hint="Leave out one of them; `hpc-launch wait` waits for the run's end.",
            )
        )
    tail = logs.Tail(_directory(run), of)
    if json:
        return print_json(tail.as_json(read_record(tail.directory).id))
    if tail.is_empty():
        say(describe.silence(bring_up_to_date(tail.directory), of))
    copy(logs.following(tail) if follow else tail.new())


def cancel(run: THIS_RUN, json: JSON = False) -> None:
    """End a run, queued or running."""
    from hpc_launch.cli.output import say
    from hpc_launch.runs.cancel import cancel

    view = cancel(_unfinished(run), say)
    show(view, json)
    raise typer.Exit(5 if view.standing.state == "unknown" else 0)


def list_(json: JSON = False) -> None:
    """List your runs, newest first."""
    from hpc_launch import context
    from hpc_launch.cli.output import print_json, say, table
    from hpc_launch.runs.listing import listed

    rows = listed(context.current())
    if json:
        return print_json({"schema": 1, "runs": [row.as_json() for row in rows]})
    if not rows:
        return say("there is no run yet; start one: hpc-launch submit profile.yaml")
    print(table(["RUN", "STATE", "SITE", "CREATED"], [row.cells() for row in rows]))


def announce_and_wait(prepared: Prepared, here: Context, run_dir: Path | None, wait: bool, as_json: bool) -> None:
    """Submit what was prepared, say so, and wait for its end if asked to."""
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.explain.sentences import submitted
    from hpc_launch.runs import describe
    from hpc_launch.runs.keep import kept_meanwhile
    from hpc_launch.runs.status import bring_all_up_to_date
    from hpc_launch.runs.submit import submit

    if wait and prepared.plan.stands:
        hint = "Leave out --wait. `hpc-launch wait` waits for its end, `hpc-launch close` ends it."
        raise UsageError(Problem("--wait: a standing cluster does not end by itself", hint=hint))
    if prepared.rendered.message:
        say(prepared.rendered.message.rstrip())
    try:
        directory, record = submit(prepared.rendered, here, run_dir)
    except KeyboardInterrupt:
        say("interrupted while submitting: it may be queued or not. `hpc-launch status` looks for it")
        raise
    if not as_json:
        print(record.id, flush=True)
    if wait or not as_json:
        say(submitted(prepared.plan, record.main.job_id, directory))
    if not wait and not as_json:
        return say(_next_steps(record))
    # the record in hand: that it cannot be read again is no reason to keep the job's id to ourselves
    if wait:
        with kept_meanwhile(directory):
            view = _watch(directory)
    else:
        view = bring_all_up_to_date([(directory, record)])[0]
    if as_json:
        print_json({**prepared.as_json(), **describe.as_json(view)})
    if wait:
        say(describe.headline(view))
        _where_to_look(view)
        raise typer.Exit(_exit_code(view))


def _next_steps(record: Record) -> str:
    from hpc_launch.runs.describe import stands

    if record.plan.stands:
        return f"it stands {stands(record)} · how it goes: hpc-launch status"
    return "how it goes: hpc-launch status · its output: hpc-launch logs · to its end: hpc-launch wait"


def _watch(directory: Path, as_lines: Callable[[View], object] | None = None, full: bool = False) -> View:
    from hpc_launch.cli import live
    from hpc_launch.cli.output import say
    from hpc_launch.runs.directory import read_record

    try:
        return live.watch(directory, as_lines, full)
    except KeyboardInterrupt:
        say(live.left_alone(read_record(directory).id))
        raise


def _where_to_look(view: View) -> None:
    from hpc_launch.cli.output import say

    if view.standing.outcome in ("failed", "out-of-memory", "timeout"):
        part = " --of scheduler" if view.record.plan.stands else ""
        say(f"what it printed: hpc-launch logs {view.record.id}{part}")
    elif view.standing.outcome in ("launch-failed", "lost"):
        say(f"what the job printed: hpc-launch logs {view.record.id} --of job    (or --of workers, --of scheduler)")


def _exit_code(view: View) -> int:
    return 1 if view.standing.exit_code is None else view.standing.exit_code


def show(view: View, as_json: bool) -> None:
    from hpc_launch.cli.output import listing, print_json
    from hpc_launch.runs import describe

    if as_json:
        return print_json(describe.as_json(view))
    print(view.record.id)
    print(listing(describe.facts(view)))
