"""The ``--set a.b=v`` options of a command line as one document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.reading import Reading, read
from hpc_launch.config.wording import dotted, printable
from hpc_launch.errors import InvalidConfiguration, Problem, UsageError

_EXAMPLE = "for example: --set workers.count=24"
_KEY = re.compile(r"""[^\s.=\[\]{}'"]+""")


def parse_assignments(words: Sequence[str]) -> Document:
    """Read ``a.b=v`` words, v as YAML; later ones win over earlier ones.

    Null stays in the data as None, for `layers.merge` to remove the value of the layers below. Raises
    `UsageError` with everything that is wrong with the words.
    """
    data: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {(): Origin("--set")}
    problems: list[Problem] = []
    for word in words:
        origin = Origin(f"--set {printable(word)}")
        try:
            path, reading = _parse(word, origin)
            _set(data, _nested(path, reading.value), (), origin)
        except InvalidConfiguration as error:
            problems += error.problems
            continue
        for depth in range(1, len(path)):
            origins.setdefault(path[:depth], origin)
        origins.update((path + below, origin) for below in reading.origins)
    if problems:
        raise UsageError(*problems)
    return Document(data, {path: origin for path, origin in origins.items() if _exists(path, data)}, ())


def _parse(word: str, origin: Origin) -> tuple[tuple[str, ...], Reading]:
    dotted_key, equals, text = word.partition("=")
    if not equals:
        raise InvalidConfiguration(Problem("expected KEY=VALUE", origin, _EXAMPLE))
    if re.search(r"\[-?\d*\]", dotted_key):
        hint = "set the whole list: --set workers.options=[--lifetime, 1h]"
        raise InvalidConfiguration(Problem("a single item of a list cannot be set", origin, hint))
    path = tuple(dotted_key.split("."))
    if not all(_KEY.fullmatch(key) and key.isprintable() for key in path):
        raise InvalidConfiguration(Problem("before the '=' stand keys joined by dots", origin, _EXAMPLE))
    reading = read(text, lambda line, shown: origin)
    if reading.empty and text.strip():
        hint = "put a value that begins with # in quotes, once more within those of the shell"
        raise InvalidConfiguration(Problem("the value is a YAML comment", origin, hint))
    if reading.problems:
        raise InvalidConfiguration(*reading.problems)
    return path, reading


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """``a.b=1`` as ``a={b: 1}``, so that one rule holds for both."""
    for key in reversed(path[1:]):
        value = {key: value}
    return {path[0]: value}


def _set(data: dict[str, Any], above: dict[str, Any], at: KeyPath, origin: Origin) -> None:
    """Merge one assignment; a key below one that was set to a plain value can only be a mistake."""
    for key, value in above.items():
        path = (*at, key)
        if not isinstance(value, dict) or key not in data:
            data[key] = value
        elif isinstance(data[key], dict):
            _set(data[key], value, path, origin)
        else:
            message = f"{dotted(path)} was set to a plain value by an earlier --set and cannot have keys too"
            raise InvalidConfiguration(Problem(message, origin, "keep one of the two"))


def _exists(path: KeyPath, data: Any) -> bool:
    for step in path:
        if isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return False
    return True
