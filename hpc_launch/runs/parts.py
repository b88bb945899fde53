"""The parts of a run that write output."""

from __future__ import annotations

from enum import Enum


class Part(str, Enum):
    """Whose output it is."""

    workload = "workload"
    scheduler = "scheduler"
    workers = "workers"
    job = "job"
    jupyter = "jupyter"

    @property
    def several(self) -> bool:
        """Whether it has a file for each node."""
        return self is Part.workers

    @property
    def files(self) -> str:
        """The pattern of its files in logs/."""
        return f"{self.value}-*.log" if self.several else f"{self.value}.log"
