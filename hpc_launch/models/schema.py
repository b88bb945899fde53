"""Models on pydantic's engine alone.

``pydantic.BaseModel`` and what it imports would make every start of every command longer by a quarter to a third of
a whole ``render`` (benchmarks/README.md). The engine, ``pydantic_core``, checks and reports in the same way; what it
needs is a schema, made here from the annotations of a class.
"""

import re
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic_core import SchemaValidator, core_schema
from pydantic_core.core_schema import CoreSchema

Kind = TypeVar("Kind", bound="Model")
REQUIRED: Any = object()


class Key(NamedTuple):
    """One key of a model: the type of its value, what it is when left out, and what it means."""

    default: Any = REQUIRED
    """Where it is a class or a function, what that returns."""
    description: str = ""
    alias: str | None = None
    """The key as written in a file, where it is no good name in Python."""
    annotation: Any = None


def key(default: Any = REQUIRED, description: str = "", alias: str | None = None) -> Any:
    """A key of a model, for the right side of its declaration."""
    return Key(default, description, alias)


class Before(NamedTuple):
    """Gets the value as written; returns what it means or raises ValueError with a sentence."""

    function: Callable[[Any], Any]
    but_for: str | None = None
    """A word that is taken as it is."""

    def around(self, schema: CoreSchema) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self.function if self.but_for is None else self.read, schema
        )

    def read(self, value: Any) -> Any:
        return value if value == self.but_for else self.function(value)


class After(NamedTuple):
    """Gets the value once it has its type; returns it or raises ValueError with a sentence."""

    function: Callable[[Any], Any]

    def around(self, schema: CoreSchema) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.function, schema)


class Matching(NamedTuple):
    """All of a text is as the pattern says; otherwise this sentence about {value!r}."""

    pattern: str
    otherwise: str

    def around(self, schema: CoreSchema) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, schema)

    def check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(self.otherwise.format(value=value))
        return value


class Without(NamedTuple):
    """The pattern is nowhere found in a text; otherwise this sentence about {value!r}."""

    pattern: str
    otherwise: str

    def around(self, schema: CoreSchema) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, schema)

    def check(self, value: str) -> str:
        if re.search(self.pattern, value):
            raise ValueError(self.otherwise.format(value=value))
        return value


class Bound:
    """Constraints of the engine's own, such as ``ge=1`` or ``min_length=1``."""

    def __init__(self, **constraints: Any) -> None:
        self.constraints = constraints

    def around(self, schema: CoreSchema) -> CoreSchema:
        return {**schema, **self.constraints}


class Model:
    """A mapping with known keys; a key that nobody knows is an error. Instances do not change."""

    # What the engine sets on an instance.
    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")
    model_fields: ClassVar[dict[str, Key]] = {}
    _schema: ClassVar[CoreSchema | None] = None
    _validator: ClassVar[SchemaValidator | None] = None

    def __init_subclass__(cls) -> None:
        fields = {}
        for name, annotation in cls.__annotations__.items():
            given = cls.__dict__.get(name, REQUIRED)
            fields[name] = (given if isinstance(given, Key) else Key(given))._replace(annotation=annotation)
        cls.model_fields = fields
        cls._schema = cls._validator = None

    def __init__(self, **values: Any) -> None:
        self.validator().validate_python(values, self_instance=self)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    __hash__ = None  # type: ignore[assignment]

    def check(self) -> None:
        """What is wrong with the keys together; raises ValueError with a sentence."""

    @classmethod
    def model_validate(cls: type[Kind], data: Any) -> Kind:
        """An instance from a mapping; raises pydantic_core.ValidationError with all that is wrong."""
        instance: Kind = cls.validator().validate_python(data)
        return instance

    @classmethod
    def validator(cls) -> SchemaValidator:
        """The engine for this model; built when first needed, inner models included."""
        cls._validator = cls._validator or SchemaValidator(cls.core_schema())
        return cls._validator

    @classmethod
    def core_schema(cls) -> CoreSchema:
        """This model as the engine wants it."""
        if cls._schema is None:
            fields = {
                name: core_schema.model_field(_with_default(field), validation_alias=field.alias)
                for name, field in cls.model_fields.items()
            }
            inner = core_schema.model_fields_schema(fields, extra_behavior="forbid")
            cls._schema = core_schema.no_info_after_validator_function(_checked, core_schema.model_schema(cls, inner))
        return cls._schema

    def replaced(self: Kind, **values: Any) -> Kind:
        """The same with other values, which are taken as they are."""
        copy = object.__new__(type(self))
        object.__setattr__(copy, "__dict__", {**self.__dict__, **values})
        return copy


def _checked(instance: Kind) -> Kind:
    instance.check()
    return instance


def _with_default(field: Key) -> CoreSchema:
    schema = schema_of(field.annotation)
    if field.default is REQUIRED:
        return schema
    if callable(field.default):
        return core_schema.with_default_schema(schema, default_factory=field.default)
    return core_schema.with_default_schema(schema, default=field.default)


_PLAIN: dict[Any, Callable[[], CoreSchema]] = {
    str: lambda: core_schema.str_schema(strict=True),
    int: lambda: core_schema.int_schema(strict=True),
    bool: lambda: core_schema.bool_schema(strict=True),
    float: core_schema.float_schema,
    Any: core_schema.any_schema,
}


def schema_of(annotation: Any) -> CoreSchema:
    """The engine's schema of a type; strict, but for floats, which may be written without a dot."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        schema = schema_of(arguments[0])
        for mark in arguments[1:]:
            schema = mark.around(schema)
        return schema
    if origin in (Union, UnionType):
        choices = [schema_of(kind) for kind in arguments if kind is not type(None)]
        schema = choices[0] if len(choices) == 1 else core_schema.union_schema(choices)  # type: ignore[arg-type]
        return core_schema.nullable_schema(schema) if type(None) in arguments else schema
    if origin is Literal:
        return core_schema.literal_schema(list(arguments))
    if origin is list:
        return core_schema.list_schema(schema_of(arguments[0]), strict=True)
    if origin is dict:
        return core_schema.dict_schema(schema_of(arguments[0]), schema_of(arguments[1]), strict=True)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation.core_schema()
    return _PLAIN[annotation]() if annotation in _PLAIN else core_schema.is_instance_schema(annotation)
