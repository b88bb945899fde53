"""How the worker jobs of a run stand by groups, as its keeper told it last (`pool/status.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""A file that is not there, not readable, or not what was agreed."""


@dataclass(frozen=True)
class Pool:
    """All worker jobs of a group; an element is one of them, or one of an array."""

    target: int = 0
    """Workers that are wanted now."""
    mode: Literal["fixed", "adaptive"] = "fixed"
    minimum: int | None = None
    maximum: int | None = None
    connected: int = 0
    """Workers."""
    starting: int = 0
    """Elements that run, and have no worker yet."""
    queued: int = 0
    suspended: int = 0
    draining: int = 0
    """Elements that are to leave, and get no new tasks."""
    held_by_data: int = 0
    """Elements that are to leave, and whose data have no room elsewhere."""
    ended: int = 0
    failed: int = 0
    """Elements that ended before a worker of theirs was connected."""
    replaced: int = 0
    paused: str | None = None
    """Why no further ones are submitted."""

    def as_json(self) -> dict[str, Any]:
        """As `status --json` has it."""
        return asdict(self)

    def sentence(self) -> str:
        """For people."""
        parts = [there_of(self.connected, self.target)]
        parts += [f"{self.minimum} to {self.maximum} as the tasks need"] if self.mode == "adaptive" else []
        words = {"starting": self.starting, "queued": self.queued, "suspended": self.suspended}
        words |= {"draining": self.draining, "held by data": self.held_by_data, "failed": self.failed}
        parts += [f"{number} {word}" for word, number in words.items() if number]
        return ", ".join(parts) + (f"; {self.paused}" if self.paused else "")


def there_of(connected: int, wanted: int) -> str:
    """`18 of 24 connected`; where some are to leave, `3 connected, 1 wanted`."""
    if connected > wanted:
        return f"{connected} connected, {wanted or 'none'} wanted"
    return f"{connected} of {wanted} connected"


def read_pools(directory: Path, connected: Mapping[str, int] | None = None) -> dict[str, Pool]:
    """Group → its pool. Never raises.

    Where no keeper has told anything yet: none, or of several groups what was planned, and how many are `connected`.
    """
    try:
        return {str(name): _pool(each) for name, each in _groups(directory / "pool" / "status.json").items()}
    except UNREADABLE:
        pass
    try:
        groups = _groups(directory / "pool" / "groups.json")
        found = {
            str(name): Pool(int(each["count"]), connected=(connected or {}).get(name, 0))
            for name, each in groups.items()
        }
    except UNREADABLE:
        return {}
    return found if len(found) > 1 else {}


def _groups(file: Path) -> Mapping[str, Any]:
    """Raises one of UNREADABLE."""
    groups: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["groups"]
    return groups


def _pool(told: Mapping[str, Any]) -> Pool:
    usual = asdict(Pool())
    known: dict[str, Any] = {key: value for key, value in told.items() if key in usual and value is not None}
    numbers = {key: int(value) for key, value in known.items() if key not in ("mode", "paused")}
    mode = "adaptive" if known.get("mode") == "adaptive" else "fixed"
    paused = str(known["paused"]) if "paused" in known else None
    values: dict[str, Any] = {**numbers, "mode": mode, "paused": paused}
    return Pool(**values)
