"""`hpc-launch close`: a standing cluster has done its work."""

from __future__ import annotations

import typer

from hpc_launch.cli.options import JSON
from hpc_launch.cli.runs import THIS_RUN, show


def close(run: THIS_RUN, json: JSON = False) -> None:
    """End a standing cluster, which has done its work; its outcome is succeeded."""
    from hpc_launch import context
    from hpc_launch.cli.output import say
    from hpc_launch.client.wake import wake_job
    from hpc_launch.runs.choice import find_unfinished
    from hpc_launch.runs.close import close
    from hpc_launch.runs.unanswered import exit_code_unless_known

    view = close(find_unfinished(context.current(), run, to_end=True), say, wake_job)
    show(view, json)
    raise typer.Exit(exit_code_unless_known(view))
