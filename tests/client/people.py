"""A user of notebooks on this machine: their clusters live in runs whose keeper looks often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.commands import user_of_this_process
from tests.local.living import INTERVALS
from tests.local.runs import Here

SITE = "schema: 1\nname: here\nextends: local\nlimits: {running: {jobs: 4}}\n"
UNTIL_STOPPED = """
import os, time
from dask.distributed import Client
Client()
while not os.path.exists("stop"):
    time.sleep(0.2)
"""


class Person(Here):
    """Four of whose worker jobs run at once."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Meanwhile this process is theirs."""
        with user_of_this_process(self.project, self.environment()):
            yield
