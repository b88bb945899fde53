"""Lines of YAML with comments. What a machine says may hold anything: nothing of it can leave its value or comment.

And nothing that a site profile does not take gets into one: `fits` and `is_known` say what does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.wording import printable
from hpc_launch.models.site import Site
from hpc_launch.sites.rules import problems

COLUMN = 44
"""Where comments begin, if the line leaves room."""
_LONGEST = 160
_CLOCK = re.compile(r"[0-9]{2,6}:[0-9]{2}:[0-9]{2}")
_LEAST: Mapping[str, Any] = {"name": "x", "batch_system": "x", "queues": {"x": {}}}
"""Enough of a site profile to try a key in; that there is no batch system called x is not the key's fault."""


@dataclass(frozen=True)
class Line:
    """One line of a draft."""

    text: str
    not_found: str = ""
    """`KEY: why`: what a site profile could say of this key, and the draft does not."""


def fits(path: Sequence[str], value: Any) -> bool:
    """Whether a site profile takes a value, as written in a file, at this key: the schema alone."""
    return Site.validator().isinstance_python(_least_with(path, value))


def is_known(path: Sequence[str], value: Any) -> bool:
    """The same with the rules beyond the schema: is there a launcher, a batch system of this name?"""
    return fits(path, value) and _against(_least_with(path, value)) <= _against(_LEAST)


def _least_with(path: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(path[1:]):
        value = {key: value}
    return {**_LEAST, path[0]: value}


def _against(data: Mapping[str, Any]) -> set[str]:
    return {problem.message for problem in problems(Document(dict(data), {}, ()))}


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
