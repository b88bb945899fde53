"""Small jobs, rendered for a site as those of users are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hpc_launch.checks import site as site_checks
from hpc_launch.checks.misfit import Misfit
from hpc_launch.config.document import Document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import Origin
from hpc_launch.config.validation import validate
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.job import names_of
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Queue
from hpc_launch.plan.several_queues import smallest
from hpc_launch.prepare import plan_or_refuse
from hpc_launch.render import render
from hpc_launch.resolve import Resolved
from hpc_launch.sites import SiteFile

LONGEST = 600
"""Seconds; a queue, or a quality of service, may allow less."""


@dataclass(frozen=True)
class Refusal:
    """Why a job cannot be had."""

    problems: Sequence[Problem]
    mistakes: tuple[Problem, ...]
    """Those that are at a line of the site profile; where there is none, the job is only larger than the site."""


class SmallJobs:
    """One worker of one thread and 100 MiB, for ten minutes at most, in a directory that any host has.

    Where a queue wants several nodes, one on each of them.
    """

    def __init__(self, found: SiteFile, context: Context) -> None:
        self.found = found
        # The machine sets the variables that paths of the site name, and this one may be another.
        named = re.findall(r"\$\{?(\w+)", found.site.storage.runs)
        variables = {**dict.fromkeys(named, "/"), **context.environment}
        self.context = replace(context, environment=variables, directory=Path("/"))
        self._lines = set(found.document.origins.values())

    def refusal(
        self,
        layout: str,
        queue: str | None,
        defaults: bool = False,
        walltime: bool = True,
        directives: Sequence[str] = (),
    ) -> Refusal | None:
        """Why the job cannot be had; None: it can.

        Args:
            queue: None: this machine.
            defaults: with what the site's `defaults` say for all profiles.
            walltime: whether the profile says one, which is short enough for the queue.
            directives: the profile's.
        """
        least = self._profile(layout, queue, defaults) | ({"directives": list(directives)} if directives else {})
        if not walltime:
            del least["walltime"]
        try:
            resolved = self._resolved(least, defaults)
            render(plan_or_refuse(resolved, self.context), resolved)
        except (DoesNotFit, InvalidConfiguration) as refused:
            sure = [each for each in refused.problems if defaults or not isinstance(each, Misfit)]
            return Refusal(refused.problems, tuple(filter(self.is_own, sure)))
        return None

    def script(self, layout: str, queue: str | None, resource: str) -> str:
        """The script of the job that holds workers, which asks for a resource in these words.

        Raises:
            DoesNotFit, InvalidConfiguration: as `refusal` tells.
        """
        resolved = self._resolved(self._profile(layout, queue, False), False)
        planned = plan_or_refuse(resolved, self.context)
        jobs = tuple(replace(job, resources=(resource,)) for job in planned.plan.jobs)
        of_workers = next(job for job in jobs if job.group)
        return render(replace(planned, plan=replace(planned.plan, jobs=jobs)), resolved)[of_workers.file]

    def is_own(self, problem: Problem) -> bool:
        """Whether it is at a line of the site profile."""
        return problem.origin in self._lines

    def origin(self, *path: str) -> Origin | None:
        """Where a key stands in the site profile; of its nearest parent where it does not."""
        document = self.found.document
        return document.nearest(*path) or document.origins.get(())

    def _profile(self, layout: str, queue: str | None, defaults: bool) -> dict[str, Any]:
        site = self.found.site
        told = site.defaults.get("qos") if defaults else None
        queues = [site.queues[name] for name in names_of(queue)] or [Queue()]
        place = smallest(queues)
        rule = site.qos.get(told or place.qos or "")
        most = (rule.walltime if rule else None) or place.walltime
        nodes = max(each.least.nodes or 1 for each in queues)
        return {
            "name": "trial",
            "layout": layout,
            "account": "trial",
            "queue": queue,
            "walltime": f"{min(LONGEST, most or LONGEST)}s",
            "workers": {"count": nodes, "per_node": 1, "threads": 1, "memory": "100 MiB"},
            "scheduler": {"memory": "1 MiB"},
            "workload": {"command": ["true"], "directory": "/", "memory": "1 MiB"},
        }

    def _resolved(self, profile: dict[str, Any], defaults: bool) -> Resolved:
        """As `resolve` makes it of a file; raises InvalidConfiguration."""
        layers = [Document(profile, {}, ())]
        if defaults:
            # of any number of workers: `minimum` is compared with that of users
            forced = {"layout": profile["layout"], "queue": profile["queue"], "workers": {"minimum": None}}
            layers += [site_checks.layer(self.found.document), Document(forced, {}, ())]
        document = merge(layers)
        checked, wrong = validate(Profile, document)
        if checked is None:
            raise InvalidConfiguration(*wrong)
        found = self.found
        return Resolved(checked, found.site, document, Path("trial.yaml"), "", found.document, found.text)
