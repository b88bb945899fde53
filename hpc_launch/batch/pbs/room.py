"""Whether hosts could hold a job at all: PBS tells some that never fit that they have to wait for resources."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hpc_launch.batch.asking import mapping
from hpc_launch.batch.machine import count
from hpc_launch.batch.pbs.limits import size

Fields = Mapping[str, Any]
Room = Mapping[str, Mapping[str, int]]
"""Host → what it has in all: `ncpus`, `ngpus`, and `mem` in bytes."""

COUNTED = ("ncpus", "ngpus", "mem")
_WAITS = re.compile(r"Not Running: (Insufficient amount of resource.*)", re.S)


def hosts_of(answer: Fields) -> Room:
    """Of `pbsnodes -a -F json`: the virtual nodes of a host together, whether they take jobs just now or not."""
    room: dict[str, Counter[str]] = {}
    for name, fields in mapping(answer.get("nodes")).items():
        node = mapping(fields)
        has = mapping(node.get("resources_available"))
        host = room.setdefault(str(has.get("host", name)), Counter())
        host.update({word: _amount(word, has.get(word, 0)) for word in COUNTED})
    return room


def without_room(jobs: Mapping[str, Fields], room: Callable[[], Room]) -> dict[str, Fields]:
    """The jobs, with PBS's own words for one that can never run where it only says that resources are missing.

    Args:
        room: asks for the hosts; only where a job waits for resources. An empty answer: not known.
    """
    return {job: _judged(fields, room) for job, fields in jobs.items()}


def _judged(fields: Fields, room: Callable[[], Room]) -> Fields:
    waits = _WAITS.fullmatch(str(fields.get("comment", "")))
    asked = _resources(fields)
    if not waits or "select" not in asked or not (hosts := room()):
        return fields
    if fits(str(asked["select"]), "scatter" in str(asked.get("place", "")), hosts):
        return fields
    return {**fields, "comment": f"Can Never Run: {waits[1]}"}


def _resources(fields: Fields) -> Fields:
    """`Resource_List`, which a plain `qstat -f` has as `Resource_List.NAME`."""
    flat = {key.partition(".")[2]: value for key, value in fields.items() if key.startswith("Resource_List.")}
    return {**flat, **mapping(fields.get("Resource_List"))}


def fits(select: str, scattered: bool, room: Room) -> bool:
    """Whether the hosts, all of them free, could hold the chunks of a `select`; scattered: each on one of its own."""
    for chunk in select.split("+"):
        first, _, rest = chunk.partition(":")
        number = count(first)
        asked = _asked(chunk if number is None else rest)
        each = [_times(asked, host) for host in room.values()]
        if sum(min(1, times) if scattered else times for times in each) < (number or 1):
            return False
    return True


def _asked(chunk: str) -> Mapping[str, int]:
    """What is counted of a chunk's resources, `ncpus=8:mem=2gb`."""
    pairs = (part.partition("=")[::2] for part in chunk.split(":"))
    return {word: amount for word, value in pairs if word in COUNTED and (amount := _amount(word, value))}


def _times(asked: Mapping[str, int], host: Mapping[str, int]) -> int:
    """How often a host could hold a chunk; one that asks for nothing that is counted is held by any."""
    return min((host[word] // amount for word, amount in asked.items()), default=sys.maxsize)


def _amount(word: str, value: object) -> int:
    return (size(value) if word == "mem" else count(str(value))) or 0
