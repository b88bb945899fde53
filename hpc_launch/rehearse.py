"""What the batch system says to a submission that is not made: `check` on the machine itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hpc_launch import batch, sites
from hpc_launch.batch.faults import NotConfigured, NotStarted
from hpc_launch.context import Context
from hpc_launch.prepare import Prepared
from hpc_launch.runs.files import write_files


def rehearse(prepared: Prepared, context: Context) -> dict[str, str]:
    """Name of a job → what is said of it, of arrays that are alike the first one; nothing where nobody is here to ask.

    Raises:
        BatchSystemError: it would be refused, or it cannot be told.
    """
    if not sites.may_be_here(prepared.resolved.site, context):
        return {}
    rendered = prepared.rendered
    system = batch.get(prepared.plan.batch_system, rendered.commands, rendered.submit_stdin)
    said = {}
    with tempfile.TemporaryDirectory(prefix="hpc-launch-check-") as place:
        write_files(Path(place), rendered.files)
        for job in prepared.plan.kinds_of_jobs:
            try:
                said[job.name] = system.rehearse(Path(place), job.file)
            except NotConfigured:
                raise
            except NotStarted:  # we are not on the machine
                return {}
    return {name: words for name, words in said.items() if words}
