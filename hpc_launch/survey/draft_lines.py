"""Lines of YAML with comments. What a machine says may hold anything: nothing of it can leave its value or comment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpc_launch.config.wording import printable

COLUMN = 44
"""Where comments begin, if the line leaves room."""
_LONGEST = 160
_CLOCK = re.compile(r"[0-9]{2,6}:[0-9]{2}:[0-9]{2}")


@dataclass(frozen=True)
class Line:
    """One line of a draft."""

    text: str
    not_found: str = ""
    """`KEY: why`: what a site profile could say of this key, and the draft does not."""


def flow(value: Any) -> str:
    """A value on one line, as site profiles are written: `{nodes: 3, walltime: 01:00:00}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value  # which the YAML of 2005 takes for a number to the base of 60; here it is a duration
    if isinstance(value, str):
        return _text(value)
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str) -> str:
    import yaml

    # within brackets, so that it is quoted where a comma or a brace wants it
    written = yaml.safe_dump([printable(value)], default_flow_style=True, width=2**20, allow_unicode=True).strip()
    return written.removeprefix("[").removesuffix("]")


def line(text: str, *comments: str, not_found: str = "") -> Line:
    """A line with what is to be said of it; comments that are empty are left out."""
    said = "; ".join(printable(part) for part in (*comments, not_found and f"not found: {not_found}") if part)
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}…"
    return Line(f"{text:{COLUMN - 1}} # {said}" if said else text, printable(not_found))


def absent(key: str, why: str, indent: int = 0) -> Line:
    """A line that only tells why there is no value for a key."""
    said = printable(f"{key}: {why}")
    shown = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return Line(f"{' ' * indent}# not found: {shown}", said)


def remark(text: str, indent: int = 0) -> Line:
    """A line that only tells something."""
    said = printable(text)
    return Line(f"{' ' * indent}# {said if len(said) <= _LONGEST else f'{said[:_LONGEST]}…'}")
