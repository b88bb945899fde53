"""What a site profile's schema cannot know: names that must be found elsewhere, and what does not go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hpc_launch.checks.site import directives, layouts, limits, names, policy, profile_keys, resources, slots
from hpc_launch.checks.site.doubtful import doubts
from hpc_launch.checks.site.profile_keys import defaults, layer
from hpc_launch.config.document import Document
from hpc_launch.errors import Problem

__all__ = ["defaults", "doubts", "layer", "problems"]

Rule = Callable[[Document], Iterator[Problem]]

OF_ONE_VALUE: tuple[Rule, ...] = (
    names.batch_system,
    names.launchers,
    names.containers,
    names.auto,
    layouts.loads,
    directives.options,
    directives.optional,
    directives.request,
    directives.numbers,
    policy.keys,
    profile_keys.values,
    profile_keys.site,
    resources.names,
    resources.numbers,
)
"""Rules that hold whatever else the profile says, or inherits."""
OF_SEVERAL: tuple[Rule, ...] = (
    names.at_least_one_queue,
    names.queues,
    names.qos,
    names.retired,
    names.successor,
    layouts.default,
    layouts.ruled_out,
    directives.refused,
    directives.account,
    limits.submitted,
    limits.largest,
    slots.fixed,
    policy.clashes,
)
"""Rules about what goes together: only where all of it is known."""


def problems(document: Document, *, whole: bool = True) -> list[Problem]:
    """All that is wrong beyond the schema, by line; works on what is written, to be told along with its errors.

    Args:
        whole: False where what it inherits is not to be had.
    """
    found = [problem for rule in (*OF_ONE_VALUE, *(OF_SEVERAL if whole else ())) for problem in rule(document)]
    return sorted(found, key=lambda problem: (problem.origin.line or 0) if problem.origin else 0)
