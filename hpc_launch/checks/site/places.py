"""What is written at a place of a site profile, whatever kind of value it is: rules see it before the schema does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hpc_launch import batch
from hpc_launch.batch.dialect import Dialect
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import dotted, nearest
from hpc_launch.errors import InvalidConfiguration, Problem

NUMBERS = frozenset({"queue", "qos"})
"""Keys whose word may look like a number: YAML makes one of `qos: 2026`."""


def word(document: Document, path: KeyPath) -> str | None:
    """The word at a place; None: there is none."""
    value = at(document.data, path)
    if isinstance(value, str):
        return value
    return _number(value) if path[-1] in NUMBERS else None


def text(document: Document, path: KeyPath) -> str | None:
    """The text at a place; numbers are texts here, as they are to the schema."""
    value = at(document.data, path)
    return value if isinstance(value, str) else _number(value)


def words(document: Document, path: KeyPath) -> list[tuple[KeyPath, str]]:
    """The words of a list, each with its own place; numbers are texts here, as they are to the schema."""
    value = at(document.data, path)
    found = [((*path, n), each) for n, each in enumerate(value if isinstance(value, list) else [])]
    texts = [(place, each if isinstance(each, str) else _number(each)) for place, each in found]
    return [(place, text) for place, text in texts if text is not None]


def mapping(document: Document, path: KeyPath) -> dict[str, Any]:
    """The mapping at a place; empty where there is none."""
    value = at(document.data, path)
    return value if isinstance(value, dict) else {}


def count(document: Document, path: KeyPath) -> int | None:
    """The whole number at a place."""
    value = at(document.data, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dialect(document: Document) -> Dialect | None:
    """The batch system's; None: there is none, which `names` tells."""
    try:
        return batch.dialect_of(word(document, ("batch_system",)) or "")
    except InvalidConfiguration:
        return None


def member(document: Document, path: KeyPath, among: Iterable[str], what: str) -> Iterator[Problem]:
    """A word that is none of those there are, which is told with the nearest of them."""
    name, known = word(document, path), list(among)
    if name is not None and name not in known:
        near = nearest(name, known)
        cause = f"{dotted(path)}: {name!r} is not one of {what}" + (f"; did you mean {near!r}?" if near else "")
        yield Problem(cause, document.origins.get(path), f"there are: {', '.join(known)}")


def stands_against(document: Document, one: KeyPath, other: KeyPath) -> bool:
    """Whether what is said at one place contradicts the other: not where a child overrules what its parent says.

    That is so where one file says both, or where the first is the child's own.
    """
    places = [document.origins.get(path) for path in ((), one, other)]
    child, first, second = (place.source if place else None for place in places)
    return first in (child, second)


def _number(value: Any) -> str | None:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
