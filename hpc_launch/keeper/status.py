"""`pool/status.json`: how the groups stand, for everybody; and for the next keeper what it could not know otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hpc_launch.keeper.actions import Decision, Standing
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.memory import Memory, OfGroup
from hpc_launch.keeper.reading import SCHEMA, Document, numbers, ranges
from hpc_launch.keeper.values import Adaptive, Demand


def document(decision: Decision, demand: Demand | None, keeper: str) -> dict[str, Any]:
    """All but the time."""
    groups = {name: _of_group(standing, decision, demand) for name, standing in decision.groups.items()}
    memory = decision.memory
    return {
        "schema": SCHEMA,
        "keeper": keeper,
        "serial": memory.serial,
        "wished": memory.wished,
        "groups": groups,
        "ever_connected": ranges(memory.connected),
        "ends_counted": ranges(memory.judged),
    }


def _of_group(standing: Standing, decision: Decision, demand: Demand | None) -> dict[str, Any]:
    name, wish, memory = standing.group.name, standing.wish, decision.memory
    remembered = memory.of(name)
    over = [each for each in decision.elements.values() if each.group == name and not each.alive]
    present = {each.number for each in standing.elements}
    adaptive = isinstance(wish, Adaptive)
    return {
        "target": standing.target,
        "mode": "adaptive" if adaptive else "fixed",
        "minimum": wish.minimum if isinstance(wish, Adaptive) else None,
        "maximum": wish.maximum if isinstance(wish, Adaptive) else None,
        "connected": demand.workers.get(name, 0) if demand else 0,
        **_counted(standing.elements),
        "ended": sum(each.submission.refused is None for each in over),
        "failed": remembered.failed,
        "replaced": remembered.replaced,
        "draining": len(present & memory.retiring.keys()),
        "held_by_data": len(present & demand.held & (present if adaptive else memory.retiring.keys())) if demand else 0,
        "paused": standing.paused,
        "brake": remembered.brake,
        "failures": remembered.failures,
        "loops": remembered.loops,
    }


def _counted(elements: tuple[Element, ...]) -> dict[str, int]:
    phases = [each.phase for each in elements if not each.suspended]
    return {
        "starting": phases.count(Phase.STARTING),
        "queued": phases.count(Phase.WAITING) + phases.count(Phase.ASKED),
        "suspended": sum(each.suspended for each in elements),
    }


def remembered(before: Document, memory: Memory) -> Memory:
    """The memory of a keeper that takes over from the one which wrote this document."""
    groups: Mapping[str, Document] = before["groups"]
    known = {
        name: OfGroup(
            brake=each.get("brake"),
            failures=int(each.get("failures") or 0),
            loops=int(each.get("loops") or 0),
            failed=int(each.get("failed") or 0),
            replaced=int(each.get("replaced") or 0),
        )
        for name, each in groups.items()
    }
    return replace(
        memory,
        serial=before["serial"],
        wished=float(before.get("wished") or 0.0),
        groups=known,
        connected=frozenset(numbers(before["ever_connected"])),
        judged=frozenset(numbers(before["ends_counted"])),
    )
