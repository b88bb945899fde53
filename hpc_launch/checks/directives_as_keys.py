"""What a directive would say as a key of a profile: told where hpc-launch has that directive to say itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hpc_launch.batch.dialect import Dialect
from hpc_launch.config.wording import nearest
from hpc_launch.models.profile import Profile

QUOTES = "\"' "
LEAST: Mapping[str, Any] = {"workers": {"count": 1}, "workload": {"command": ["x"]}}
"""Enough of a profile to try a key in."""
VALUES = (
    *("walltime", "queue", "account", "qos", "constraint", "reservation", "name", "mail.to", "mail.on"),
    "workload.directory",
)
"""Keys whose value is what the batch system's own option has, too."""
ON = ("begin", "end", "fail")
LETTERS = {"b": "begin", "e": "end", "a": "fail"}
"""Of `-m` of PBS and Grid Engine."""


def assignment(dialect: Dialect, known: str, option: str, part: str, key: str) -> str:
    """`KEY: VALUE` in place of a directive; empty where its value is none of the key's.

    Args:
        dialect: the batch system's.
        known: the option as the dialect has it: `--time`, `-l walltime`.
        option: as it was written, perhaps shortened.
        part: the same with its value.
        key: dotted.
    """
    value = _value(known, option, part)
    if key == "constraint" and (select := re.fullmatch(r"select\[([^\[\]]+)\]", value)):
        value = select[1]
    written = _mail_on(known, value) if key == "mail.on" else _queues(dialect, value) if key == "queue" else value
    if not written or key not in VALUES or not _fits(dialect, key, written):
        return ""
    return f"{key}: " + (_quoted(written) if isinstance(written, str) else f"[{', '.join(written)}]")


def _quoted(value: str) -> str:
    """As YAML takes it for a text."""
    plain = re.fullmatch(r"[\w./][\w./:@,=&|<>+-]*", value)
    return value if plain else "'" + value.replace("'", "''") + "'"


def _value(known: str, option: str, part: str) -> str:
    _, _, resource = known.partition(" ")
    rest = part.removeprefix(option).lstrip("= ").strip(QUOTES)
    if not resource:
        return rest
    found = re.search(rf"(?:^|[\s,]){re.escape(resource)}=([^,\s]*)", rest)
    return found[1] if found else ""


def _mail_on(known: str, value: str) -> list[str]:
    if known in ("-B", "-N"):  # LSF's, without a value
        return ["begin" if known == "-B" else "end"]
    if known == "-m":
        return [LETTERS[letter] for letter in value if letter in LETTERS]
    words = [nearest(word, ON) for word in re.split(r"[,\s]+", value)]
    return [*ON] if value.casefold() == "all" else [word for word in words if word]


def _queues(dialect: Dialect, value: str) -> str | list[str]:
    several = [] if dialect.between_queues is None else value.split(dialect.between_queues)
    return several if len(several) > 1 else value


def _fits(dialect: Dialect, key: str, value: object) -> bool:
    if key == "constraint" and dialect.constraint_pattern and not re.fullmatch(dialect.constraint_pattern, str(value)):
        return False
    *above, last = key.split(".")
    data: dict[str, Any] = {last: value}
    for name in reversed(above):
        data = {name: {**LEAST.get(name, {}), **data}}
    try:
        Profile.model_validate({**LEAST, **data})
    except ValidationError:
        return False
    return True
