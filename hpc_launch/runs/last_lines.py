"""The end of what a part of a run has printed, as a terminal can show it."""

from __future__ import annotations

from pathlib import Path

from hpc_launch.runs.parts import Part

LINES = 10
LONGEST = 200
"""Characters of a line that are shown."""
BYTES = 8192
"""That are read: the lines may be longer than what is shown of them."""


def last_lines(directory: Path, part: Part) -> list[str]:
    """The last lines of a part that has one file, without those that are empty. Never raises."""
    text = last_bytes(directory / "logs" / part.files, BYTES).decode(errors="replace")
    lines = [line for line in map(_shown, text.replace("\r", "\n").split("\n")) if line.strip()]
    return lines[-LINES:]


def last_bytes(file: Path, most: int) -> bytes:
    """The end of a file, from the beginning of a line on where it holds more; nothing where it cannot be read."""
    try:
        with open(file, "rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - most))
            text = log.read(most)
    except OSError:
        return b""
    return text.partition(b"\n")[2] or text if size > most else text


def _shown(line: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in line.expandtabs().rstrip())
    return printable if len(printable) <= LONGEST else f"{printable[:LONGEST]}…"
