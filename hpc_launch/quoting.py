"""The one place where what a user wrote is made safe for a shell or a directive."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

_NAMED = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})"
_VARIABLE = re.compile(_NAMED)
_IN_A_VALUE = re.compile(rf"\$\$|{_NAMED}")
NOT_IN_A_PATH = rf"(?!{_NAMED})[$`]"
"""What a shell would act on, and `path` does not."""
A_VALUE = rf"(?:[^$`]|\$\$|{_NAMED})*"
"""All of what `value` understands."""
_SPECIAL = re.compile(r'[\\"`$]')


def word(value: str) -> str:
    """One shell word that is taken literally."""
    return shlex.quote(value)


def words(values: list[str]) -> str:
    """Shell words, each taken literally."""
    return " ".join(map(word, values))


def path(value: str) -> str:
    """One shell word in which ``$NAME`` and ``${NAME}`` are expanded and nothing else; ``~/`` is the home directory."""
    return _expanded(_at_home(value), _VARIABLE, lambda variable: variable)


def value(written: str) -> str:
    """One shell word for a variable: as in a path, but one that is not set is nothing, and ``$$`` is a dollar."""
    return _expanded(_at_home(written), _IN_A_VALUE, lambda found: r"\$" if found == "$$" else f"${{{_name(found)}-}}")


def names_in(written: str) -> list[str]:
    """The variables that `value` would expand in it."""
    return [_name(found) for found in _IN_A_VALUE.findall(_at_home(written)) if found != "$$"]


def _expanded(text: str, pattern: re.Pattern[str], shell: Callable[[str], str]) -> str:
    """One shell word in which what the pattern finds stands in the ``shell``'s own words, and all else as it is."""
    if not pattern.search(text):
        return shlex.quote(text)
    pieces, end = [], 0
    for found in pattern.finditer(text):
        pieces += [_SPECIAL.sub(r"\\\g<0>", text[end : found.start()]), shell(found.group())]
        end = found.end()
    return '"' + "".join([*pieces, _SPECIAL.sub(r"\\\g<0>", text[end:])]) + '"'


def _at_home(text: str) -> str:
    return "$HOME" + text[1:] if text == "~" or text.startswith("~/") else text


def _name(found: str) -> str:
    return found.strip("${}")


def has_variable(value: str) -> bool:
    """Whether `path` would expand anything in it."""
    return bool(_VARIABLE.search(value))


def expand(value: str, environment: dict[str, str]) -> str:
    """The same expansion as `path`, done here and now; raises KeyError with the name of a variable that is not set."""
    return _VARIABLE.sub(lambda found: environment[_name(found.group())], _at_home(value))
