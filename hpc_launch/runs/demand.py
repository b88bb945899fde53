"""What the scheduler says of its tasks and, in a run that can grow, of groups of workers (`state/N/demand.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpc_launch.config.wording import printable


@dataclass(frozen=True)
class Unsatisfiable:
    """Tasks that wait for resources which no worker of the run will ever have."""

    resources: Mapping[str, float]
    tasks: int

    def as_json(self) -> dict[str, Any]:
        """As `status --json` has it."""
        return {"resources": dict(self.resources), "tasks": self.tasks}

    @property
    def asked(self) -> str:
        """`gold=2`."""
        return ", ".join(f"{printable(name)}={amount:g}" for name, amount in self.resources.items())

    def sentence(self) -> str:
        """For people."""
        return f"{self.tasks} task{'s ask' if self.tasks > 1 else ' asks'} for {self.asked}, which no worker has"


@dataclass(frozen=True)
class Told:
    connected: Mapping[str, int] = field(default_factory=dict)
    """Group → workers."""
    unsatisfiable: tuple[Unsatisfiable, ...] = ()


def read_demand(state: Path) -> Told:
    """What stands in an attempt's state directory; nothing where nothing was told yet. Never raises."""
    try:
        found = json.loads((state / "demand.json").read_text(encoding="utf-8"))
        connected = {str(name): int(each["connected"]) for name, each in found["groups"].items()}
        return Told(connected, read_unsatisfiable(found))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Told()


def read_unsatisfiable(found: Mapping[str, Any]) -> tuple[Unsatisfiable, ...]:
    """What a document of the scheduler says of them; nothing where it is not what it should be. Never raises."""
    try:
        return tuple(_unsatisfiable(each) for each in found.get("unsatisfiable") or ())
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return ()


def _unsatisfiable(told: Mapping[str, Any]) -> Unsatisfiable:
    resources = {str(name): float(amount) for name, amount in told["resources"].items()}
    return Unsatisfiable(resources, int(told["tasks"]))
