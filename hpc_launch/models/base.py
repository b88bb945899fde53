"""What models are made of: pydantic's BaseModel with our rules, and marks that check a value and say so to editors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticUndefined, core_schema
from pydantic_core.core_schema import CoreSchema

Json: TypeAlias = dict[str, Any]


class Model(BaseModel):
    """A mapping with known keys; a key that nobody knows is an error. Instances do not change."""

    # Built when first needed: of most models that is as a part of another one.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def key(default: Any = PydanticUndefined, description: str = "", alias: str | None = None) -> Any:
    """A key of a model, for the right side of its declaration.

    Args:
        default: where it is a model, an instance of that; left out: the key is required.
        alias: the key as written in a file, where it is no good name in Python.
    """
    if isinstance(default, type) and issubclass(default, BaseModel):
        # Nothing in it is to be checked: `default()` would build what checks it.
        return Field(default_factory=default.model_construct, description=description, alias=alias)
    return Field(default, description=description, alias=alias)


@dataclass(frozen=True)
class _Rule:
    """About texts."""

    pattern: str
    otherwise: str
    """The sentence about {value!r}."""

    def holds(self, value: str) -> bool:
        raise NotImplementedError

    def check(self, value: str) -> str:
        if not self.holds(value):
            raise ValueError(self.otherwise.format(value=value))
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


class Matching(_Rule):
    """All of a text is as the pattern says."""

    def holds(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        """Numbers are texts too, where their digits are allowed."""
        inner = handler(schema)
        numbers: dict[tuple[bool, bool], Json] = {
            (True, True): {},
            (True, False): {"minimum": 0},
            (False, True): {"exclusiveMaximum": 0},
            (False, False): {"type": "string"},
        }
        positive, negative = map(self.holds, ("1", "-1"))
        return both({**inner, **numbers[positive, negative]}, {"pattern": whole(self.pattern)})


class Without(_Rule):
    """The pattern is nowhere found in a text."""

    def holds(self, value: str) -> bool:
        return re.search(self.pattern, value) is None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return both(handler(schema), without(self.pattern))


class PassedOn:
    """A word or a time that becomes a directive as it is: nothing else depends on it."""


class OrName:
    """A mapping with a `name`, or that name in its place."""

    def read(self, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        mapping = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [{**mapping["properties"]["name"], "type": "string"}, mapping]}


class OrSwitch:
    """A mapping of which every key has a default: `true` is all of these, `false` is none at all."""

    def read(self, value: Any) -> Any:
        return ({} if value else None) if isinstance(value, bool) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"anyOf": [{"type": "boolean"}, handler(schema)]}


@dataclass(frozen=True)
class OrList:
    """A word, or a list of such, each once: held as one text, with commas between."""

    each: Without
    """What is not in a word of a list: the comma."""
    alone: str
    """A word that stands in no list with others."""

    def read(self, words: list[str]) -> str:
        if twice := [word for number, word in enumerate(words) if word in words[:number]]:
            raise ValueError(f"{twice[0]!r} is in the list twice")
        if self.alone in words and len(words) > 1:
            raise ValueError(f"{self.alone!r} stands alone, in no list with others")
        return ",".join(words)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        word = handler(source)
        each = core_schema.no_info_after_validator_function(self.each.check, word)
        several = core_schema.list_schema(each, min_length=1)
        read = core_schema.no_info_after_validator_function(self.read, several)
        return core_schema.union_schema([word, read])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        word = handler(schema)
        alone = {"anyOf": [{"maxItems": 1}, {"not": {"contains": {"const": self.alone}}}]}
        items = both(word, without(self.each.pattern))
        several = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True, **alone}
        return {"anyOf": [word, several]}


@dataclass(frozen=True)
class OrNone:
    """A mapping, or the word `none` in its place, which becomes an instance of this kind of it."""

    nothing: type[BaseModel]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        word = core_schema.literal_schema(["none"])
        none = core_schema.no_info_after_validator_function(lambda _: self.nothing(), word)
        written = core_schema.wrap_serializer_function_ser_schema(
            lambda value, usual: "none" if isinstance(value, self.nothing) else usual(value)
        )
        return core_schema.union_schema([handler(source), none], serialization=written)


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
