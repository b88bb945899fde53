"""The one place where what a user wrote is made safe for a shell or a directive."""

from __future__ import annotations

import re
import shlex

_VARIABLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})")
_SPECIAL = re.compile(r'[\\"`$]')


def word(value: str) -> str:
    """One shell word that is taken literally."""
    return shlex.quote(value)


def words(values: list[str]) -> str:
    """Shell words, each taken literally."""
    return " ".join(map(word, values))


def path(value: str) -> str:
    """One shell word in which ``$NAME`` and ``${NAME}`` are expanded and nothing else; ``~/`` is the home directory."""
    if value == "~" or value.startswith("~/"):
        value = "$HOME" + value[1:]
    if not _VARIABLE.search(value):
        return shlex.quote(value)
    pieces, end = [], 0
    for variable in _VARIABLE.finditer(value):
        pieces += [_SPECIAL.sub(r"\\\g<0>", value[end : variable.start()]), variable.group()]
        end = variable.end()
    return '"' + "".join([*pieces, _SPECIAL.sub(r"\\\g<0>", value[end:])]) + '"'


def has_variable(value: str) -> bool:
    """Whether `path` would expand anything in it."""
    return bool(_VARIABLE.search(value))


def expand(value: str, environment: dict[str, str]) -> str:
    """The same expansion as `path`, done here and now; raises KeyError with the name of a variable that is not set."""
    if value == "~" or value.startswith("~/"):
        value = "$HOME" + value[1:]
    return _VARIABLE.sub(lambda match: environment[match.group().strip("${}")], value)
