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
    written = _written(dialect, known, value, key)
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


def _written(dialect: Dialect, known: str, value: str, key: str) -> str | list[str]:
    """As the key has it what is the value of the batch system's option."""
    if key == "mail.on":
        return _mail_on(dialect, known, value)
    if key == "queue":
        return _queues(dialect, value)
    within = (
        re.fullmatch(dialect.constraint_within, value) if key == "constraint" and dialect.constraint_within else None
    )
    return within[1] if within else value


def _mail_on(dialect: Dialect, known: str, value: str) -> list[str]:
    theirs = [*dict.fromkeys(word for words in dialect.mail_on.values() for word in words)]
    letters = all(len(word) == 1 for word in theirs)
    said = [known] if known in theirs else [*value] if letters else re.split(r"[,\s]+", value)
    meant = [nearest(word, theirs) for word in said]
    return list(dict.fromkeys(on for word in meant for on, words in dialect.mail_on.items() if word in words))


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
