"""The errors of pydantic, one list for each wrong value.

For a value that may be of several types pydantic reports an error for every type, under a key path that
holds the type's name too: ``('count', 'int')`` and ``('count', "literal['auto']")`` for one wrong ``count``.
Here those names are taken out, and only the type that the value was probably meant to be is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from hpc_launch.config.origin import KeyPath

KEY = "[key]"
"""What pydantic writes behind a key that is itself wrong."""


class Fault(NamedTuple):
    """An error and where it is; ``branches``: the type names on the way, each with the path of its value."""

    path: KeyPath
    error: ErrorDetails
    branches: tuple[tuple[KeyPath, str], ...] = ()


def faults_by_path(errors: Iterable[ErrorDetails], data: Any) -> dict[KeyPath, list[ErrorDetails]]:
    """For each wrong value its errors; more than one means that any of them could be mended."""
    grouped: dict[KeyPath, list[ErrorDetails]] = {}
    for fault in _likely([_located(error, data) for error in errors]):
        grouped.setdefault(fault.path, []).append(fault.error)
    return grouped


def _located(error: ErrorDetails, data: Any) -> Fault:
    """Walk the data along the error's path: what is no key there is the name of a type."""
    path: list[str | int] = []
    branches: list[tuple[KeyPath, str]] = []
    steps = error["loc"]
    for n, step in enumerate(steps):
        if isinstance(data, dict) and step in data:
            path.append(step)
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int):
            path.append(step)
            data = data[step] if step < len(data) else None
        elif error["type"] == "missing" and n == len(steps) - 1:
            path.append(step)
        elif step != KEY:
            branches.append((tuple(path), str(step)))
    return Fault(tuple(path), error, tuple(branches))


def _likely(faults: list[Fault]) -> list[Fault]:
    """Keep, of every value that may be of several types, the errors of one, or those about it as a whole."""
    certain = [fault for fault in faults if not fault.branches]
    values: dict[KeyPath, dict[str, list[Fault]]] = {}
    for fault in faults:
        if fault.branches:
            (path, name), *rest = fault.branches
            values.setdefault(path, {}).setdefault(name, []).append(Fault(fault.path, fault.error, tuple(rest)))
    for path, alternatives in values.items():
        candidates = [_likely(alternative) for alternative in alternatives.values()]
        certain += _best(path, candidates)
    return certain


def _best(path: KeyPath, candidates: Sequence[list[Fault]]) -> list[Fault]:
    """The type that took the value's shape and found fewest faults in it; if none did, what each expected."""
    shaped = [faults for faults in candidates if all(fault.path != path for fault in faults)]
    if shaped:
        return min(shaped, key=len)
    return [fault for faults in candidates for fault in faults if fault.path == path]
