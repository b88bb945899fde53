"""`hpc-launch keep`: the keeper of a run on this host."""

from __future__ import annotations

import typer

from hpc_launch.cli.options import JSON
from hpc_launch.cli.runs import RUN


def keep(run: RUN = None, json: JSON = False) -> None:
    """Keep the workers of a run at the number that is wanted, from this host, until it is over.

    For sites whose jobs may not speak to the batch system. Ended and started again it goes on where it was.
    """
    from hpc_launch import context
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.runs import describe
    from hpc_launch.runs.choice import find_unfinished
    from hpc_launch.runs.keep import keep
    from hpc_launch.runs.status import bring_up_to_date
    from hpc_launch.runs.wait import follow

    directory = find_unfinished(context.current(), run)
    view = bring_up_to_date(directory)
    ended_by = keep(view, say)
    if ended_by is None:
        *_, view = follow(directory)  # what is left to be seen of its end
        return print_json(describe.as_json(view)) if json else say(describe.headline(view))
    if json:
        print_json(describe.as_json(bring_up_to_date(directory)))
    say(f"told to end; the run goes on. Look after it again: hpc-launch keep {view.record.id}")
    raise typer.Exit(128 + ended_by)
