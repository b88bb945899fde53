"""How the worker jobs of a run stand by groups: as its keeper told it last, and what is wanted of them since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
    pending: bool = False
    """Whether the keeper has not yet taken up what is wanted."""

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
        parts += ["not taken up yet"] if self.pending else []
        return ", ".join(parts) + (f"; {self.paused}" if self.paused else "")


def there_of(connected: int, wanted: int) -> str:
    """`18 of 24 connected`; where some are to leave, `3 connected, 1 wanted`."""
    if connected > wanted:
        return f"{connected} connected, {wanted or 'none'} wanted"
    return f"{connected} of {wanted} connected"


def read_pools(directory: Path, connected: Mapping[str, int] | None = None) -> dict[str, Pool]:
    """Group → its pool, with what is wanted of it since the keeper told of it. Never raises.

    Where no keeper has told anything yet: of several groups, and of those of which something is wanted, what was
    planned. How many are `connected` the scheduler tells sooner than the keeper does.
    """
    serial, told = _told(directory)
    planned = _planned(directory)
    wish_serial, wish = _wish(directory)
    wanted = wish if wish_serial > serial else {}
    shown = told or (planned if len(planned) > 1 else {name: planned[name] for name in wanted if name in planned})
    return {
        name: replace(_with_wish(pool, wanted.get(name)), connected=(connected or {}).get(name, pool.connected))
        for name, pool in shown.items()
    }


def _told(directory: Path) -> tuple[int, dict[str, Pool]]:
    """By the keeper, and the number of the wish that it went by."""
    try:
        document = _read(directory / "pool" / "status.json")
        return int(document["serial"] or 0), {str(name): _pool(each) for name, each in document["groups"].items()}
    except UNREADABLE:
        return 0, {}


def _planned(directory: Path) -> dict[str, Pool]:
    try:
        groups = _read(directory / "pool" / "groups.json")["groups"]
        return {str(name): Pool(int(each["count"])) for name, each in groups.items()}
    except UNREADABLE:
        return {}


def _wish(directory: Path) -> tuple[int, Mapping[str, Any]]:
    try:
        document = _read(directory / "control" / "scale.json")
        return int(document["serial"]), {str(name): dict(each) for name, each in document["groups"].items()}
    except UNREADABLE:
        return 0, {}


def _with_wish(pool: Pool, wish: Mapping[str, Any] | None) -> Pool:
    try:
        if wish is None:
            return pool
        if wish.get("target") is not None:
            return replace(pool, target=int(wish["target"]), mode="fixed", pending=True)
        least, most = int(wish["minimum"]), int(wish["maximum"])
        target = min(max(pool.target, least), most)
        return replace(pool, target=target, mode="adaptive", minimum=least, maximum=most, pending=True)
    except UNREADABLE:
        return pool


def _read(file: Path) -> Mapping[str, Any]:
    """Raises one of UNREADABLE."""
    document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def _pool(told: Mapping[str, Any]) -> Pool:
    usual = asdict(Pool())
    known: dict[str, Any] = {key: value for key, value in told.items() if key in usual and value is not None}
    numbers = {key: int(value) for key, value in known.items() if key not in ("mode", "paused", "pending")}
    mode = "adaptive" if known.get("mode") == "adaptive" else "fixed"
    paused = str(known["paused"]) if "paused" in known else None
    values: dict[str, Any] = {**numbers, "mode": mode, "paused": paused}
    return Pool(**values)
