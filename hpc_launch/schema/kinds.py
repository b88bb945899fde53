"""What may be written for each kind of value, as JSON Schema. The kinds are those of `models.fields` and `units`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from hpc_launch import units
from hpc_launch.models import fields

Json: TypeAlias = dict[str, Any]


def whole(pattern: str) -> str:
    """A pattern for all of a text: JSON Schema looks for it anywhere."""
    return f"^{pattern}$"


def without(pattern: str) -> Json:
    """A text in which this is nowhere found; said of texts alone, for null and numbers are no match either."""
    return {"not": {"type": "string", "pattern": pattern}}


def both(schema: Json, more: Json) -> Json:
    """What both allow."""
    if schema.keys().isdisjoint(more):
        return {**schema, **more}
    return {**schema, "allOf": [*schema.get("allOf", []), more]}


def text_matching(schema: Json, pattern: str) -> Json:
    """A text of which all matches; numbers are texts too, where their digits are allowed."""
    numbers = {
        (True, True): schema,
        (True, False): {**schema, "minimum": 0},
        (False, True): {**schema, "exclusiveMaximum": 0},
        (False, False): {**schema, "type": "string"},
    }
    positive, negative = (re.fullmatch(pattern, number) is not None for number in ("1", "-1"))
    return both(numbers[positive, negative], {"pattern": whole(pattern)})


_NOT_NOTHING = {"pattern": "[1-9]"}
"""Memory and durations of nothing are refused."""

MEMORY: Json = {
    "type": "string",
    "pattern": whole(units.MEMORY),
    "allOf": [_NOT_NOTHING],
    "examples": ["60 GiB", "1.5 TB"],
}
DURATION: Json = {
    "type": "string",
    "pattern": whole(units.WALLTIME),
    "allOf": [_NOT_NOTHING],
    "examples": ["12:00:00", "1-12:00:00", "90m", "2h30m"],
}
SHARE: Json = {
    "type": ["string", "number"],
    "minimum": 0,
    "exclusiveMaximum": 1,
    "pattern": whole(units.SHARE),
    "examples": ["5%", 0.05],
}


def _name_alone(schema: Json) -> Json:
    """A mapping with a name, or the name in its place."""
    return {"anyOf": [{**schema["properties"]["name"], "type": "string"}, schema]}


AS_WRITTEN: dict[Callable[[Any], Any], Callable[[Json], Json]] = {
    fields.text: lambda schema: {"type": ["string", "number"], **without(fields.CONTROL)},
    fields.shell_lines: lambda schema: {"type": "string", **without(fields.CONTROL_IN_LINES)},
    fields.date: lambda schema: {"type": "string", "format": "date", "pattern": whole(fields.DATE)},
    fields.named: _name_alone,
    units.parse_memory: lambda schema: MEMORY,
    units.parse_walltime: lambda schema: DURATION,
    units.parse_fraction: lambda schema: SHARE,
}
"""By what reads a value as written: what that takes, given the schema of what it makes of it."""

ALSO: dict[Callable[[Any], Any], Json] = {fields.regular_expression: {"format": "regex"}, fields.ports: {}}
"""By what checks a text: what else holds of it, as far as it can be said."""
