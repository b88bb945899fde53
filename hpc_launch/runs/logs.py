"""The output of a run's parts."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpc_launch.runs.parts import Part
from hpc_launch.runs.wait import Pace, follow

PIECE = 2**16
"""Bytes that are read at a time: a log may be larger than the memory."""


@dataclass
class Tail:
    """Reads what was added to the logs of a part since it was asked last."""

    directory: Path
    part: Part
    positions: dict[Path, int] = field(default_factory=dict)
    decoders: dict[Path, codecs.IncrementalDecoder] = field(default_factory=dict)
    shown: Path | None = None

    def files(self) -> list[Path]:
        """The files that are there; one of several gets a header line, as `tail` does it."""
        return sorted((self.directory / "logs").glob(self.part.files))

    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not any(file.stat().st_size for file in self.files())

    def as_json(self, run: str) -> dict[str, Any]:
        """What `logs --json` prints: all of each file; what is not UTF-8 in them is marked."""
        files = [{"name": file.name, "text": _all(file)} for file in self.files()]
        return {"schema": 1, "run": run, "of": self.part.value, "files": files}

    def new(self) -> Iterator[str]:
        """Pieces of text, in the order of the files; whatever is not UTF-8 in them is marked."""
        for file in self.files():
            yield from self._of(file)

    def _of(self, file: Path) -> Iterator[str]:
        try:
            with open(file, "rb") as log:
                if file.stat().st_size < self.positions.get(file, 0):  # written anew
                    self.positions[file] = 0
                log.seek(self.positions.get(file, 0))
                while piece := log.read(PIECE):
                    self.positions[file] = log.tell()
                    yield from self._header(file)
                    yield self._decoder(file).decode(piece)
        except OSError:  # removed meanwhile, or a file server that is away for a moment
            return

    def _header(self, file: Path) -> Iterator[str]:
        if self.part.several and self.shown != file:
            yield ("\n" if self.shown else "") + f"==> {file.name} <==\n"
        self.shown = file

    def _decoder(self, file: Path) -> codecs.IncrementalDecoder:
        # a character may be cut in two by the end of a piece
        return self.decoders.setdefault(file, codecs.getincrementaldecoder("utf-8")(errors="replace"))


def _all(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:  # removed meanwhile
        return ""


def following(tail: Tail, pace: Pace | None = None) -> Iterator[str]:
    """Text as it comes, until the run is over and all was read.

    Raises:
        BatchSystemError, UsageError: as `hpc_launch.runs.wait.follow`.
    """
    for _ in follow(tail.directory, pace):
        yield from tail.new()
    time.sleep(0.1)
    yield from tail.new()
