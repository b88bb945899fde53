"""The commands around runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON
from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs.parts import Part

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.runs.settle import View

RUN = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="id, name, beginning of an id, or run directory; default: the latest",
        show_default=False,
        autocompletion=completion.runs,
    ),
]
THIS_RUN = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="id, name, beginning of an id, or run directory",
        show_default=False,
        autocompletion=completion.runs,
    ),
]


def _directory(run: str | None) -> Path:
    from hpc_launch import context
    from hpc_launch.runs import index

    return index.find(context.current(), run)


def status(
    run: RUN = None,
    watch: Annotated[bool, typer.Option("--watch", help="look again until the run is over")] = False,
    json: JSON = False,
) -> None:
    """Show where a run stands."""
    from hpc_launch.cli import live
    from hpc_launch.cli.output import print_json
    from hpc_launch.runs import describe
    from hpc_launch.runs.directory import read_record
    from hpc_launch.runs.status import bring_up_to_date
    from hpc_launch.runs.unanswered import exit_code_unless_known

    directory = _directory(run)
    if not watch:
        view = bring_up_to_date(directory)
        show(view, json)
        raise typer.Exit(exit_code_unless_known(view))
    as_lines = (lambda view: print_json(describe.as_json(view), lines=True)) if json else None
    with live.left_alone(read_record(directory).id):
        view = live.watch(directory, as_lines, full=True)
    if not json:
        show(view, json)


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
    from hpc_launch import context
    from hpc_launch.cli.output import say
    from hpc_launch.runs.cancel import cancel
    from hpc_launch.runs.choice import find_unfinished
    from hpc_launch.runs.unanswered import exit_code_unless_known

    view = cancel(find_unfinished(context.current(), run, to_end=True), say)
    show(view, json)
    raise typer.Exit(exit_code_unless_known(view))


def list_(
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="N", help="those of this name; 'pi-*' is a pattern", autocompletion=completion.names
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="S", help="those in this state; any number of times", autocompletion=completion.states
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option("--site", metavar="S", help="those on this site", autocompletion=completion.sites),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="the newest N")] = None,
    json: JSON = False,
) -> None:
    """List your runs, newest first."""
    from hpc_launch import context
    from hpc_launch.cli.output import cut_to_terminal, print_json, say, table
    from hpc_launch.runs.listing import LAUNCH_FAILED, Wanted, listed

    wanted = Wanted(name, state or (), site, limit)
    here = context.current()
    found = listed(here, wanted, documents=json)
    if site and not found.rows:
        _refuse_unless_known(site, here)
    if json:
        return print_json({"schema": 1, "runs": [row.document for row in found.rows]})
    if found.never_began:
        say(f"{found.never_began} more never began their workload: --state {LAUNCH_FAILED}")
    if found.rows:
        print(cut_to_terminal(table(["RUN", "STATE", "SITE"], [(row.id, row.shown, row.site) for row in found.rows])))
    elif found.never_began:
        return
    elif wanted == Wanted(limit=limit):
        say("there is no run yet; start one: hpc-launch submit profile.yaml")
    else:
        say("there is no such run; `hpc-launch list` shows all")


def _refuse_unless_known(site: str, here: Context) -> None:
    """Refuse a site that has no profile here, and none of the runs."""
    from hpc_launch.runs.listing import Wanted, listed
    from hpc_launch.sites import search

    known = search.names(here)
    if site not in known and not listed(here, Wanted(site=site, limit=1)).rows:
        cause = f"--site: no run of yours is there, and {search.none_is_called(site, known)}"
        raise UsageError(Problem(cause, hint=search.known_sites(known)))


def show(view: View, as_json: bool) -> None:
    from hpc_launch.cli.output import listing, print_json
    from hpc_launch.runs import describe

    if as_json:
        return print_json(describe.as_json(view))
    print(view.record.id)
    print(listing(describe.facts(view)))
