"""Where a value came from."""

from __future__ import annotations

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""The keys (and list indices) that lead to a value, from the top of a document."""


@dataclass(frozen=True)
class Origin:
    """One place where a value was set: a line of a file, a ``--set`` option, or nowhere (a built-in default)."""

    source: str
    """A file as the user named it, ``--set workers.count=24``, or ``built-in default``."""
    line: int | None = None
    """Counted from 1; None where the source has no lines."""
    text: str = ""
    """The line itself, to be shown in a message."""

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


BUILT_IN = Origin("built-in default")
