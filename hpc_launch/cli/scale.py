"""`hpc-launch scale`: how many workers a run is to have from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON
from hpc_launch.cli.runs import THIS_RUN
from hpc_launch.errors import Problem, UsageError

if TYPE_CHECKING:
    from hpc_launch.runs.scale import Group, Target


def scale(
    run: THIS_RUN,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", min=0, help="so many workers")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=0, help="so many worker jobs")] = None,
    minimum: Annotated[
        int | None, typer.Option("--minimum", metavar="A", min=0, help="as the tasks need, at least A workers")
    ] = None,
    maximum: Annotated[
        int | None, typer.Option("--maximum", metavar="B", min=0, help="as the tasks need, at most B workers")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="G", help="of this group of workers", autocompletion=completion.groups),
    ] = None,
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="TIME", help="tasks get so long; left out: as long as they need")
    ] = None,
    json: JSON = False,
) -> None:
    """Let a run of the layout job-array grow or shrink."""
    from hpc_launch import context
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.client.wake import tell_of_wish
    from hpc_launch.runs import scale as scaling
    from hpc_launch.runs.choice import find_unfinished
    from hpc_launch.runs.describe import pools
    from hpc_launch.runs.status import bring_up_to_date

    here = context.current()
    directory = find_unfinished(here, run)
    _refuse_words(workers, jobs, minimum, maximum, grace)
    view = bring_up_to_date(directory)
    chosen = scaling.group_of(view, group)
    target = _target(chosen, workers, jobs, minimum, maximum, grace)
    serial = scaling.ask_for(view, here, chosen, target)
    notes = scaling.notes(chosen, target)
    if json:
        wish = {"serial": serial, "group": chosen.name, **target.as_json()}
        print_json({"schema": 1, "run": view.record.id, "wish": wish, "pools": pools(view), "notes": notes})
    else:
        for note in notes:
            say(f"note: {note}")
        say(scaling.sentence(view, chosen, target))
    tell_of_wish(view)


def _refuse_words(
    workers: int | None, jobs: int | None, minimum: int | None, maximum: int | None, grace: str | None
) -> None:
    ways = [workers is not None, jobs is not None, minimum is not None or maximum is not None]
    if sum(ways) != 1:
        cause = "these options exclude each other" if any(ways) else "how many workers are wanted?"
        raise UsageError(Problem(cause, hint="One of: --workers N, --jobs N, --minimum A --maximum B"))
    if ways[2] and (minimum is None or maximum is None):
        raise UsageError(Problem("--minimum and --maximum go together", hint="Name both."))
    if minimum is not None and maximum is not None and minimum > maximum:
        raise UsageError(Problem(f"--minimum {minimum} is more than --maximum {maximum}"))
    if ways[2] and grace is not None:
        hint = "Leave it out: elements with tasks are left alone then."
        raise UsageError(Problem("--grace does not go with --minimum and --maximum", hint=hint))


def _target(
    group: Group, workers: int | None, jobs: int | None, minimum: int | None, maximum: int | None, grace: str | None
) -> Target:
    from hpc_launch.runs.scale import Target
    from hpc_launch.units import parse_walltime

    if minimum is not None:
        return Target(minimum=minimum, maximum=maximum)
    number = workers if workers is not None else (jobs or 0) * group.per_node
    try:
        return Target(number, None if grace is None else parse_walltime(grace))
    except ValueError as fault:
        raise UsageError(Problem(f"--grace: {fault}")) from fault
