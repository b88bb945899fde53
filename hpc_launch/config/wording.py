"""How values and names from outside are spoken of in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hpc_launch.config.origin import KeyPath

_LONGEST = 60


def printable(text: str) -> str:
    """``text``, escaped where it holds what a terminal would act on or cannot show."""
    return text if text.isprintable() else repr(text)


def shown_value(value: object) -> str:
    """A value as YAML spells it, short enough for one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    words = repr(value)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def as_word(value: object) -> str | None:
    """The word that a text or a number was written as (`queue: 1`, `conda: 3.11`); None for any other value."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def dotted(path: KeyPath) -> str:
    """A key path in one word: ``workers.count``, ``options[2]``; keys that are not plain words are quoted."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            name = step if re.fullmatch(r"[\w@:+/-]+", step) else repr(step)
            words += f".{name}" if words else name
    return words


def nearest(word: str, among: Iterable[str], likeness: float = 0.6) -> str | None:
    """The name that ``word`` was probably meant to be, whatever its case and its dashes."""
    from difflib import get_close_matches  # only a message needs it, and it takes a while to start

    names = {_folded(name): name for name in among}
    found = get_close_matches(_folded(word), names, n=1, cutoff=likeness)
    return names[found[0]] if found else None


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


def listed(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *most, end = list(words) or ["nothing"]
    return f"{', '.join(most)} {last} {end}" if most else end
