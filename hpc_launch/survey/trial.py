"""The smallest job of every kind, rendered for a site: what of its profile only the templates know to be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.layers import merge
from hpc_launch.config.validation import validate
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, Problem
from hpc_launch.models.profile import Profile
from hpc_launch.plan import make_plan
from hpc_launch.render import render
from hpc_launch.resolve import Resolved
from hpc_launch.sites import SiteFile

LONGEST = 600
"""Seconds; a queue may allow less."""


def problems(found: SiteFile, context: Context) -> list[Problem]:
    """Each mistake once, at its line. That a job does not fit is none: users are told what does."""
    mistakes: dict[Problem, None] = {}
    own = set(found.document.origins.values())
    for profile in _profiles(found):
        try:
            resolved = _resolved(found, profile)
            render(make_plan(resolved, context), resolved, _with_variables(found, context))
        except InvalidConfiguration as wrong:
            mistakes |= dict.fromkeys(each for each in wrong.problems if each.origin in own)
        except DoesNotFit:
            continue
    return sorted(mistakes, key=lambda mistake: (mistake.origin.line or 0) if mistake.origin else 0)


def _profiles(found: SiteFile) -> Iterator[dict[str, Any]]:
    """What each says beside the site's defaults: every queue in one layout, and every layout in one queue."""
    site = found.site
    queues: list[str | None] = list(site.queues) or [None]
    pairs = [(site.layouts[0], queue) for queue in queues] if site.layouts else []
    for layout, queue in [*pairs, *((layout, queues[0]) for layout in site.layouts[1:])]:
        most = site.queues[queue].walltime if queue else None
        yield {
            "name": "trial",
            "layout": layout,
            "account": "trial",
            "queue": queue,
            "walltime": f"{min(LONGEST, most or LONGEST)}s",
            # for what a site's defaults say of these there may be no room in one of its queues
            "workers": {"count": 1, "threads": 1, "memory": "100 MiB", "minimum": None, "per_node": None},
            "scheduler": {"memory": "1 MiB"},
            "workload": {"command": ["true"], "directory": "/", "memory": "1 MiB"},
            "environment": {"python": "python", "conda": None, "venv": None, "container": None},
        }


def _resolved(found: SiteFile, profile: dict[str, Any]) -> Resolved:
    """As `resolve` makes it of a file; raises InvalidConfiguration."""
    given = found.document.data.get("defaults") or {}
    document = merge([Document(given, {}, ()), Document(profile, {}, ())])
    checked, wrong = validate(Profile, document)
    if checked is None:
        raise InvalidConfiguration(*wrong)
    return Resolved(checked, found.site, document, Path("trial.yaml"), "", found.document, found.text)


def _with_variables(found: SiteFile, context: Context) -> Context:
    """The same with every variable that paths of the site name: the machine sets them, this one may be another."""
    named = re.findall(r"\$\{?(\w+)", found.site.storage.runs)
    return replace(context, environment={**dict.fromkeys(named, "/"), **context.environment})
