"""The way of the data up to the batch system: load, resolve, plan, render, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, Problem
from hpc_launch.models.plan import Job, Plan
from hpc_launch.plan import make_plan
from hpc_launch.render import Rendered, render
from hpc_launch.resolve import Resolved, resolve


@dataclass(frozen=True)
class Prepared:
    """Everything that can be known of a run before it is submitted."""

    resolved: Resolved
    plan: Plan
    rendered: Rendered

    def submissions(self) -> list[dict[str, Any]]:
        """One entry per call of the submit command, in order; what only submitting can tell stands as ``{run}``."""
        from hpc_launch import batch

        system = batch.get(self.plan.batch_system, self.rendered.commands, self.rendered.submit_stdin)
        names = {job.name: "{run}" if job.after is None else f"{{run}}-{job.name}" for job in self.plan.jobs}
        return [
            {
                "name": job.name,
                "file": job.file,
                "command": system.submit_command(job.file, names[job.name], job.array, after(job)),
                "array": job.array,
                "nodes": job.nodes,
                "cores_per_node": job.cores_per_node,
                "memory_bytes_per_node": job.memory_bytes_per_node,
                "walltime_seconds": job.walltime_seconds,
            }
            for job in self.plan.jobs
        ]

    def as_json(self) -> dict[str, Any]:
        """`render --json`."""
        return {"schema": 1, "files": dict(self.rendered.files), "submissions": self.submissions()}


def after(job: Job) -> str | None:
    """For the submit command's line, as long as nobody knows the id of the job that has to start before."""
    return None if job.after is None else f"{{job:{job.after}}}"


def prepare(
    file: Path,
    context: Context,
    site: str | None = None,
    assignments: Sequence[str] = (),
    to_submit: bool = False,
) -> Prepared:
    """A profile, prepared for a site; raises InvalidConfiguration or DoesNotFit.

    `to_submit`: a site that is retired is refused, before anything else is said of it.
    """
    resolved = resolve(file, context, site, assignments)
    if to_submit:
        refuse_retired(resolved)
    rendered = render(make_plan(resolved, context), resolved, context)
    return Prepared(resolved, rendered.plan, rendered)


def refuse_retired(resolved: Resolved) -> None:
    """A machine that is no more can be rendered for, not submitted to."""
    site = resolved.site
    if site.status == "retired":
        successor = f"its successor is {site.successor}: --site {site.successor}" if site.successor else ""
        origin = resolved.site_document.origins.get(("status",))
        raise DoesNotFit(Problem(f"{site.name} is retired and takes no jobs", origin, successor))
