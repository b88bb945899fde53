"""How often and how long, in seconds; `HPC_LAUNCH_INTERVALS=look=0.2,quiet=1` sets some of it, for tests, notebooks."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Intervals:
    look: float = 5.0
    """Between two looks at the run directory while something changes."""
    quiet: float = 10.0
    """… while nothing does."""
    ask: float = 30.0
    """Between two questions to the batch system."""
    submit: float = 10.0
    """Between two submissions, and before the next one after one that failed; then twice that, and so on."""
    patience: float = 600.0
    """At most, between submissions that fail."""
    find: float = 240.0
    """So long a job is looked for by its name whose submission was not answered."""
    worker: float = 300.0
    """An element that runs and has had no worker for so long is asked about; after three times that it is ended."""
    drain: float = 35.0
    """Before its walltime an element has so long to move its data, once its tasks are done."""
    renew: float = 20.0
    """Between two renewals of the lease."""
    stale: float = 120.0
    """A lease that was not renewed for so long is nobody's; what the scheduler said so long ago does not count."""


def read(text: str | None = None) -> Intervals:
    """The usual intervals, but for those that the text names, or the environment; names of others are passed over."""
    given = {}
    known = {each.name for each in fields(Intervals)}
    for part in (os.environ.get("HPC_LAUNCH_INTERVALS", "") if text is None else text).split(","):
        name, _, value = part.partition("=")
        if name.strip() in known:
            with suppress(ValueError):
                given[name.strip()] = max(0.01, float(value))
    return replace(Intervals(), **given)
