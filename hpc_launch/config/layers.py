"""Several documents as one, each value from the highest that sets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.wording import dotted

__all__ = ["dotted", "flatten", "merge"]


def merge(layers: Sequence[Document]) -> Document:
    """Merge documents, the lowest first.

    Mappings merge key by key; texts, numbers and lists replace what is below. Null means "as if no layer had
    set it": it removes the value that the layers below gave (higher layers may set it again), so that no null
    is left in the result but within lists.
    """
    data: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    nothing: dict[KeyPath, Origin] = {}
    for layer in layers:
        _take_origin((), layer.origins, origins)
        _overlay(data, origins, layer.data, layer.origins, ())
        nulls = [path for path, value in flatten(layer.data) if value is None and path in layer.origins]
        nothing |= {**layer.nothing, **{path: layer.origins[path] for path in nulls}}
    return Document(data, origins, tuple(problem for layer in layers for problem in layer.problems), nothing)


def at(data: Any, path: KeyPath) -> Any:
    """The value at a key path; None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def flatten(data: dict[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every leaf with its key path, in order; lists and empty mappings are leaves."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, (*above, key))
        else:
            yield (*above, key), value


def _overlay(
    data: dict[str, Any],
    origins: dict[KeyPath, Origin],
    above: dict[str, Any],
    above_origins: dict[KeyPath, Origin],
    place: KeyPath,
) -> None:
    for key, value in above.items():
        path = (*place, key)
        if isinstance(value, dict):
            if not isinstance(data.get(key), dict):
                _remove(data, origins, place, key)
                data[key] = {}
            _take_origin(path, above_origins, origins)
            _overlay(data[key], origins, value, above_origins, path)
            continue
        _remove(data, origins, place, key)
        if value is not None:
            data[key] = deepcopy(value)
            for below in _paths(value, path):
                _take_origin(below, above_origins, origins)


def _remove(data: dict[str, Any], origins: dict[KeyPath, Origin], place: KeyPath, key: str) -> None:
    if key in data:
        for below in _paths(data.pop(key), (*place, key)):
            origins.pop(below, None)


def _paths(value: Any, place: KeyPath) -> Iterator[KeyPath]:
    """``place`` and every key path below it."""
    yield place
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _paths(below, (*place, key))
    elif isinstance(value, list):
        for n, below in enumerate(value):
            yield from _paths(below, (*place, n))


def _take_origin(path: KeyPath, above: dict[KeyPath, Origin], origins: dict[KeyPath, Origin]) -> None:
    """A mapping that several layers set belongs to the highest *file*: there a missing key is to be added."""
    origin = above.get(path)
    if origin is not None and (origin.line is not None or path not in origins):
        origins[path] = origin
