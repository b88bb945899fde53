"""What `hpc-launch submit` does once everything is prepared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hpc_launch.cli.wait import exit_code_of_run, next_steps, tell_where_to_look
from hpc_launch.errors import Problem, UsageError

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.prepare import Prepared
    from hpc_launch.runs.settle import View


def announce_and_wait(prepared: Prepared, here: Context, run_dir: Path | None, wait: bool, as_json: bool) -> None:
    """Submit what was prepared, say so, and wait for its end if asked to."""
    from hpc_launch.cli.live import StoppedWaiting
    from hpc_launch.cli.output import print_json, say, tell
    from hpc_launch.explain.sentences import submitted
    from hpc_launch.runs import describe
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
        tell(record.id)
    elif wait:
        say(record.id)
    if wait or not as_json:
        say(submitted(prepared.plan, record.main.job_id, directory))
    if not wait and not as_json:
        return say(next_steps(record))
    # the record in hand: that it cannot be read again is no reason to keep the job's id to ourselves
    try:
        view = _end_of(directory, record.id) if wait else bring_all_up_to_date([(directory, record)])[0]
    except StoppedWaiting as stopped:
        if as_json:
            view = stopped.view or bring_all_up_to_date([(directory, record)])[0]
            print_json({**prepared.as_json(), **describe.as_json(view)})
        raise
    if as_json:
        print_json({**prepared.as_json(), **describe.as_json(view)})
    if wait:
        say(describe.headline(view))
        tell_where_to_look(view)
        raise typer.Exit(exit_code_of_run(view))


def _end_of(directory: Path, run_id: str) -> View:
    from hpc_launch.cli.live import left_alone, watch
    from hpc_launch.runs.keep import kept_meanwhile

    with kept_meanwhile(directory), left_alone(run_id):
        return watch(directory)
