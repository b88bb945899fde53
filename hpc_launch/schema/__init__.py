"""JSON Schema (draft 2020-12) of profiles and site profiles, for editors: made from the models, which know the keys.

It says what the models say of one file, with two additions of the layers: in a profile, and in a site profile that
extends another, `null` takes away what a lower layer has set; and in the latter nothing is required. What it cannot
say is left to the program: rules over several keys (`Model.check`), that hours in `1-12:00:00` are less than 24,
that a date or a regular expression is one, that the first of some ports is not behind the last.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from hpc_launch import units
from hpc_launch.models.profile import Profile
from hpc_launch.models.schema import REQUIRED, Before, Bound, Key, Matching, Model, Without
from hpc_launch.models.site import Site
from hpc_launch.schema.kinds import ALSO, AS_WRITTEN, MEMORY, both, text_matching, without

Json: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULL: Json = {"type": "null"}
_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    # Written 0.10, a number keeps its text (config.reading.resolved).
    float: {"type": ["number", "string"], "pattern": r"^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$"},
    Any: {},
    Fraction: {},  # of these a mark knows what is written
    date: {},
}
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "min_length": "minItems",  # of lists alone: no text has a bound
    "pattern": "pattern",
}
LAYERS: dict[tuple[type[Model], str], str] = {(Site, "defaults"): "#/$defs/layer"}
"""Keys that hold a layer below the user's profile: any of its keys, none of them required."""


def profile_schema() -> Json:
    """The schema of profile.yaml."""
    return {"$schema": DIALECT, "title": "hpc-launch profile", **_Writer(nulls=True, complete=True).model(Profile)}


def site_schema() -> Json:
    """The schema of a site profile."""
    return {
        "$schema": DIALECT,
        "title": "hpc-launch site profile",
        "type": "object",
        "if": {"properties": {"extends": {"type": "string"}}, "required": ["extends"]},
        "then": _Writer(nulls=True, complete=False).model(Site),
        "else": _Writer(nulls=False, complete=True).model(Site),
        "$defs": {"layer": _Writer(nulls=True, complete=False).model(Profile)},
    }


class _Writer:
    """Types to JSON Schema.

    Args:
        nulls: whether `null` stands for a key that is not set.
        complete: whether what is required must be there; otherwise it may come from another layer.
    """

    def __init__(self, nulls: bool, complete: bool) -> None:
        self.nulls, self.complete = nulls, complete

    def model(self, model: type[Model]) -> Json:
        """A mapping with these keys and no others."""
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        required = [name for name, field in fields.items() if field.default is REQUIRED]
        return {
            "type": "object",
            "properties": {name: self._key(model, name, field) for name, field in fields.items()},
            "additionalProperties": False,
            **({"required": required} if required and self.complete else {}),
        }

    def _key(self, model: type[Model], name: str, field: Key) -> Json:
        layer = LAYERS.get((model, name))
        plain = {"$ref": layer} if layer else self.of(field.annotation)
        schema = _or_null(plain) if self.nulls and field.default is not REQUIRED else plain
        described = {"description": field.description} if field.description else {}
        return {**described, **schema, **_default(field, plain)}

    def of(self, annotation: Any) -> Json:
        """What may be written for a value of this type."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            schema = self.of(arguments[0])
            for mark in arguments[1:]:
                schema = _marked(schema, mark)
            return schema
        if origin in (Union, UnionType):
            choices = [self.of(kind) for kind in arguments if kind is not type(None)]
            schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
            return _or_null(schema) if type(None) in arguments else schema
        if origin is Literal:
            return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        if origin is list:  # lists replace what is below: their items are no layers
            return {"type": "array", "items": _Writer(nulls=False, complete=True).of(arguments[0])}
        if origin is dict:
            return self._mapping(*arguments)
        if isinstance(annotation, type) and issubclass(annotation, Model):
            return self.model(annotation)
        return _PLAIN[annotation]

    def _mapping(self, key: Any, value: Any) -> Json:
        names = {word: rule for word, rule in self.of(key).items() if word not in ("type", "minimum")}
        values = _or_null(self.of(value)) if self.nulls else self.of(value)
        return {"type": "object", **({"propertyNames": names} if names else {}), "additionalProperties": values}


def _marked(schema: Json, mark: Any) -> Json:
    if isinstance(mark, Bound):
        return both(schema, {_BOUNDS[bound]: value for bound, value in mark.constraints.items()})
    if isinstance(mark, Matching):
        return text_matching(schema, mark.pattern)
    if isinstance(mark, Without):
        return both(schema, without(mark.pattern))
    if isinstance(mark, Before):
        written = AS_WRITTEN[mark.function](schema)
        return {"anyOf": [{"const": mark.but_for}, written]} if mark.but_for else written
    return both(schema, ALSO[mark.function])


def _or_null(schema: Json) -> Json:
    """The same, or null."""
    if schema == {} or NULL in schema.get("anyOf", []):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], NULL]}
    if "enum" in schema:
        return {"enum": [*(word for word in schema["enum"] if word is not None), None]}
    if "type" not in schema or "allOf" in schema:
        return {"anyOf": [schema, NULL]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*(name for name in types if name != "null"), "null"]}


def _default(field: Key, schema: Json) -> Json:
    """The default as it would be written; none for a mapping of keys, which have defaults of their own."""
    default = field.default
    if default is REQUIRED or callable(default):
        return {}
    if isinstance(default, Fraction):
        return {"default": f"{float(default * 100):g}%"}
    return {"default": units.exact_memory(default) if schema is MEMORY else default}
