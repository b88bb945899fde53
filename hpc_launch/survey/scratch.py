"""Directories that could be node-local scratch, and what they are made of: proc(5), /proc/mounts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpc_launch.file_systems import StorageKind, kind_of

PLACES = ("/local_scratch", "/localscratch", "/local/scratch", "/lscratch", "/scratch", "/local", "/tmp", "/dev/shm")
"""Where sites have scratch, the likeliest to be a node's own first."""
MOUNTS = Path("/proc/mounts")


@dataclass(frozen=True)
class Scratch:
    """A place for scratch, and what is there."""

    path: str
    kind: StorageKind | None
    """As in a site profile; None: a file system that is none of those known."""
    filesystem: str
    """As the kernel calls it; empty where there is no such directory."""


def candidates(places: Sequence[str] = PLACES, mounts: Path = MOUNTS) -> Iterator[Scratch]:
    """Those of the usual places that are here."""
    for place in places:
        if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
            yield look(place, mounts)


def existing(place: str) -> str:
    """The nearest directory that is there."""
    while not os.path.isdir(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return place


def look(place: str, mounts: Path = MOUNTS) -> Scratch:
    """A directory, and what it is made of."""
    filesystem = _filesystem(os.path.realpath(place), mounts) if os.path.isdir(place) else ""
    return Scratch(place, kind_of(filesystem), filesystem)


def _filesystem(path: str, mounts: Path) -> str:
    """The type of the file system that holds a path; of several at one place the last is on top."""
    best, found = -1, "unknown"
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return found
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1])  # `\040` is a blank
        if len(point) >= best and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, found = len(point), words[2]
    return found
