"""JSON Schema (draft 2020-12) of profiles and site profiles, for editors: pydantic makes it of the models.

It says what the models say of one file, with two additions of the layers: in a profile, and in a site profile that
extends another, `null` takes away what a lower layer has set; and in the latter nothing is required. What it cannot
say is left to the program: rules over several keys, that hours in `1-12:00:00` are less than 24, that a date or a
regular expression is one, that the first of some ports is not behind the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DictSchema, WithDefaultSchema

from hpc_launch.models.base import Json, Model
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULL: Json = {"type": "null"}


def profile_schema() -> Json:
    """The schema of profile.yaml."""
    return {"$schema": DIALECT, "title": "hpc-launch profile", **_schema(Profile, nulls=True, complete=True)}


def site_schema() -> Json:
    """The schema of a site profile."""
    extending, whole = _schema(Site, nulls=True, complete=False), _schema(Site, nulls=False, complete=True)
    for schema in (extending, whole):
        # The defaults are a layer below the user's profile: any of its keys, none of them required.
        described = schema["properties"]["defaults"]["description"]
        schema["properties"]["defaults"] = {"description": described, "$ref": "#/$defs/layer"}
    return {
        "$schema": DIALECT,
        "title": "hpc-launch site profile",
        "type": "object",
        "if": {"properties": {"extends": {"type": "string"}}, "required": ["extends"]},
        "then": extending,
        "else": whole,
        "$defs": {"layer": _schema(Profile, nulls=True, complete=False)},
    }


def _schema(model: type[Model], nulls: bool, complete: bool) -> Json:
    schema = model.model_json_schema(schema_generator=_AsWritten)
    return _Layer(schema.pop("$defs"), nulls, complete).of(schema)


class _AsWritten(GenerateJsonSchema):
    """Pydantic's own; keys that one chooses oneself are judged whole, and defaults are as they would be written."""

    def dict_schema(self, schema: DictSchema) -> Json:
        key = self.generate_inner(schema["keys_schema"])
        names = {word: rule for word, rule in key.items() if word not in ("type", "minimum")}  # a key is a text
        values = self.generate_inner(schema["values_schema"])
        return {"type": "object", **({"propertyNames": names} if names else {}), "additionalProperties": values}

    def default_schema(self, schema: WithDefaultSchema) -> Json:
        said = super().default_schema(schema)
        inner: Json = {**schema["schema"]}
        if "default" in said and "serialization" in inner:
            said["default"] = inner["serialization"]["function"](schema["default"])
        return said


@dataclass(frozen=True)
class _Layer:
    """Pydantic's schema of a whole document to that of one layer, with inner models where they are used.

    Args:
        nulls: whether `null` stands for a key that is not set.
        complete: whether what is required must be there; otherwise it may come from another layer.
    """

    models: dict[str, Json]
    nulls: bool
    complete: bool

    def of(self, schema: Json) -> Json:
        """The same for a layer, without titles: they only repeat the names of keys."""
        if "$ref" in schema:
            schema = {**self.models[schema["$ref"].rpartition("/")[2]], **schema}
        said = {word: rule for word, rule in schema.items() if word not in ("$ref", "title", "anyOf")}
        if "properties" in schema:
            said["properties"] = {name: self._key(schema, name) for name in schema["properties"]}
        if not self.complete:
            said.pop("required", None)
        if (other := said.pop("in_place_of_required", None)) and self.complete:
            said |= _needed_without(other, said.pop("required"))
        if "items" in schema:  # lists replace what is below: their items are no layers
            said["items"] = _Layer(self.models, nulls=False, complete=True).of(schema["items"])
        if isinstance(values := schema.get("additionalProperties"), dict):
            said["additionalProperties"] = self._or_null(values)
        if "anyOf" in schema:
            choices = [self.of(choice) for choice in schema["anyOf"] if choice != NULL]
            one = choices[0] if len(choices) == 1 else {"anyOf": choices}
            said = {**(_or_null(one) if NULL in schema["anyOf"] else one), **said}
        return said

    def _key(self, model: Json, name: str) -> Json:
        schema: Json = model["properties"][name]
        return self.of(schema) if name in model.get("required", []) else self._or_null(schema)

    def _or_null(self, schema: Json) -> Json:
        return _or_null(self.of(schema)) if self.nulls else self.of(schema)


def _needed_without(other: str, needed: list[str]) -> Json:
    """That these keys are, unless there is something in the other one."""
    there = {"required": [other], "properties": {other: {"type": "object", "minProperties": 1}}}
    return {"if": {"not": there}, "then": {"required": needed}}


def _or_null(schema: Json) -> Json:
    """The same, or null."""
    if "anyOf" in schema:
        return schema if NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], NULL]}
    if words := schema.get("enum", [schema["const"]] if "const" in schema else []):
        said = {word: rule for word, rule in schema.items() if word not in ("const", "enum", "type")}
        return {**said, "enum": [*(word for word in words if word is not None), None]}
    if "type" not in schema:  # anything
        return schema
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*(name for name in types if name != "null"), "null"]}
