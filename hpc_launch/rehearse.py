"""What `submit` would answer, without making anything: `check` on a host of the machine itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hpc_launch import batch, sites
from hpc_launch.batch.environment import locate
from hpc_launch.context import Context
from hpc_launch.prepare import Prepared
from hpc_launch.runs import creation, index, space
from hpc_launch.runs.files import write_files
from hpc_launch.runs.submit import cannot_write


def rehearse(prepared: Prepared, context: Context) -> dict[str, str]:
    """Name of a job → what the batch system says of it, of arrays that are alike the first one.

    Nothing on a host that is none of the site's: what the machine would say is not known there.

    Raises:
        UsageError: the run directory could not be made, or the run not be kept in the index.
        NotStarted: the submit command is not here.
        BatchSystemError: the batch system would refuse it, or it cannot be told.
    """
    if not sites.may_be_here(prepared.resolved.site, context):
        return {}
    rendered = prepared.rendered
    place_of_run = Path(rendered.runs_directory) / prepared.plan.name
    space.require(place_of_run, rendered.files)
    creation.try_out(place_of_run)
    try:
        index.try_out(context)
    except OSError as fault:
        raise cannot_write(fault, place_of_run, context) from fault
    system = batch.get(prepared.plan.batch_system, rendered.commands, rendered.submit_stdin)
    if command := system.commands.get("submit"):
        locate(command[0])
    with tempfile.TemporaryDirectory(prefix="hpc-launch-check-") as place:
        write_files(Path(place), rendered.files)
        said = {job.name: system.rehearse(Path(place), job.file) for job in prepared.plan.kinds_of_jobs}
    return {name: words for name, words in said.items() if words}
