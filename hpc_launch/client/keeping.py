"""The keeper of worker jobs beside a cluster object: where a run's own jobs may not speak to the batch system."""

from __future__ import annotations

import sys
from pathlib import Path

from hpc_launch.client.companion import Companion


def keep_beside(directory: Path) -> Companion:
    """`hpc-launch keep`, until it is closed. Where another one keeps the run it ends at once."""
    return Companion([sys.executable, "-m", "hpc_launch", "keep", str(directory)], own_session=True)
