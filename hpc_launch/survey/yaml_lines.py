"""Lines of YAML with comments. What a machine says may hold anything: nothing of it can leave its value or comment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hpc_launch.config.wording import printable

COLUMN = 44
"""Where comments begin, if the line leaves room."""
_LONGEST = 160
_CLOCK = re.compile(r"\d{2,6}:\d{2}:\d{2}")


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


def line(text: str, *comments: str) -> str:
    """A line with what is to be said of it; comments that are empty are left out."""
    said = "; ".join(printable(comment) for comment in comments if comment)
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}…"
    return f"{text:{COLUMN}}# {said}".rstrip() if said else text
