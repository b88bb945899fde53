"""Values of plain dataclasses as JSON keeps them: read with a look at the type of each key, and written.

A dataclass that inherits from `Kept` keeps what a later version has added, and writes it back; others ignore it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""Takes a value of JSON; gives ours, or raises Unfit."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A mapping of which keys that are not known are kept, too."""

    unknown: Mapping[str, Any] = field(default_factory=dict)


class Unfit(ValueError):
    """A stored value is not what is known here."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message, *path)
        self.message, self.path = message, path

    def below(self, name: str) -> Unfit:
        """The same of a mapping or list that holds the value by this name."""
        return Unfit(self.message, name, *self.path)

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


def read(kind: type[T], data: object) -> T:
    """The value of a dataclass from a mapping of JSON; raises Unfit."""
    if not isinstance(data, dict):
        raise Unfit("should be a mapping")
    readers, required, keeps = _known(kind)  # type: ignore[arg-type]  # classes are hashable, which mypy does not see
    if missing := [name for name in required if name not in data]:
        raise Unfit("is missing", missing[0])
    values, unknown = {}, {}
    for name, value in data.items():
        try:
            if name in readers:
                values[name] = readers[name](value)
            else:
                unknown[name] = value
        except Unfit as fault:
            raise fault.below(name) from None
    if keeps:
        values["unknown"] = unknown
    return kind(**values)


def written(value: Any) -> Any:
    """As JSON has it: mappings, lists, text and numbers; times as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        known = {each.name: written(getattr(value, each.name)) for each in fields(value) if each.name != "unknown"}
        return {**known, **(value.unknown if isinstance(value, Kept) else {})}
    if isinstance(value, Mapping):
        return {name: written(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [written(each) for each in value]
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


@cache
def _known(kind: type) -> tuple[dict[str, Reader], list[str], bool]:
    """Of a dataclass: key → what reads it; the keys that must be there; whether it keeps further ones."""
    hints = get_type_hints(kind)
    known = [each for each in fields(kind) if each.name != "unknown"]
    required = [each.name for each in known if each.default is MISSING and each.default_factory is MISSING]
    return {each.name: _reader(hints[each.name]) for each in known}, required, issubclass(kind, Kept)


def _reader(hint: Any) -> Reader:
    kind, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if hint in _PLAIN:
        return _plain(*_PLAIN[hint])
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: read(hint, value)
    if kind in (Union, UnionType) and len(inner) == 2 and inner[1] is NoneType:
        return _or_null(_reader(inner[0]))
    if kind in (Union, UnionType):
        return _one_of([_reader(each) for each in inner])
    if kind is Literal:
        return _word(inner)
    if kind in (tuple, list):
        return _several(kind, _reader(inner[0]))
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return _mapping(_reader(inner[1]))
    if hint is datetime:
        return _time
    raise TypeError(f"values of type {hint} are not stored")


_PLAIN: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    NoneType: ((NoneType,), "null"),
}


def _plain(types: tuple[type, ...], what: str) -> Reader:
    def reader(value: Any) -> Any:
        if type(value) not in types:  # a bool is an int to isinstance
            raise Unfit(f"should be {what}")
        return value

    return reader


def _or_null(one: Reader) -> Reader:
    return lambda value: None if value is None else one(value)


def _one_of(readers: list[Reader]) -> Reader:
    def reader(value: Any) -> Any:
        unfit = []
        for each in readers:
            try:
                return each(value)
            except Unfit as fault:
                unfit.append(fault)
        raise unfit[0]

    return reader


def _word(words: tuple[Any, ...]) -> Reader:
    def reader(value: Any) -> Any:
        if isinstance(value, list | dict) or value not in words:
            raise Unfit(f"should be {' or '.join(map(repr, words))}")
        return value

    return reader


def _several(kind: Callable[[list[Any]], Any], one: Reader) -> Reader:
    def reader(value: Any) -> Any:
        if not isinstance(value, list):
            raise Unfit("should be a list")
        return kind([_named(str(number), one, each) for number, each in enumerate(value)])

    return reader


def _mapping(one: Reader) -> Reader:
    def reader(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unfit("should be a mapping")
        return {name: _named(name, one, each) for name, each in value.items()}

    return reader


def _time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        raise Unfit("should be a date and time") from None
    if time.tzinfo is None:
        raise Unfit("should have a time zone")
    return time


def _named(name: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except Unfit as fault:
        raise fault.below(name) from None
