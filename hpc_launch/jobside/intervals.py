"""How often the job side looks at things, in seconds; ``HPC_LAUNCH_INTERVALS=look=0.2,quiet=1`` sets some of it."""

from __future__ import annotations

import os
from contextlib import suppress


def seconds(name: str, usual: float) -> float:
    """The interval of that name: what the variable says (the last word counts), otherwise the usual one."""
    given = usual
    for part in os.environ.get("HPC_LAUNCH_INTERVALS", "").split(","):
        key, _, value = part.partition("=")
        if key.strip() == name:
            with suppress(ValueError):
                given = max(0.01, float(value))
    return given
