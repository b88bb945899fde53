"""Which keys a model knows at a place, to say what an unknown one was meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from hpc_launch.config.origin import KeyPath
from hpc_launch.config.other_words import ours
from hpc_launch.config.wording import dotted, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel


def keys_of(model: Any) -> dict[str, Any]:
    """Key as written in a file → type of its value."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def models_at(model: type[BaseModel], path: KeyPath) -> list[type[BaseModel]]:
    """The models of which a mapping at this key path may be an instance."""
    kinds: list[Any] = [model]
    for step in path:
        kinds = [below for kind in kinds for below in _step(kind, step)]
    return [found for kind in kinds for found in _models(kind)]


def leaves_of(model: type[BaseModel], above: KeyPath = ()) -> dict[str, Any]:
    """Dotted key → type of its value, of all keys that hold no mapping of keys themselves."""
    found: dict[str, Any] = {}
    for name, kind in keys_of(model).items():
        below = list(_models(kind))
        found |= {} if below and not choices(kind) else {dotted((*above, name)): kind}
        for each in below:
            found |= leaves_of(each, (*above, name))
    return found


def choices(kind: Any) -> list[str]:
    """The words that a value of this type may be; none where it may be anything of its kind."""
    found: list[str] = []
    for plain in _plain(kind):
        if get_origin(plain) is Literal:
            found += [str(word) for word in get_args(plain)]
        elif plain is bool:
            found += ["true", "false"]
    return found


def advice_on_unknown(model: type[BaseModel], path: KeyPath) -> str:
    """What the unknown key at the end of ``path`` was probably meant to be, and what is allowed there."""
    *parent, key = path
    allowed = sorted({name for found in models_at(model, tuple(parent)) for name in keys_of(found)})
    if not allowed:
        return ""
    guess = " and ".join(ours(str(key), dotted(tuple(parent)), partial(_is_key, model))) or _near(model, path, allowed)
    return f"{f'did you mean {guess}? ' if guess else ''}allowed here: {', '.join(allowed)}"


def _is_key(model: type[BaseModel], name: str) -> bool:
    *parent, key = name.split(".")
    return any(key in keys_of(found) for found in models_at(model, tuple(parent)))


def _near(model: type[BaseModel], path: KeyPath, allowed: Sequence[str]) -> str | None:
    """The key beside it that is spelled much the same, or one of the same name elsewhere."""
    *parent, key = path
    meant = nearest(str(key), allowed)
    return dotted((*parent, meant)) if meant else _elsewhere(model, str(key))


def _elsewhere(model: type[BaseModel], key: str) -> str | None:
    """The first key of this name in another mapping of the same document."""
    for section, kind in keys_of(model).items():
        if section == key:
            return key
        if any(key in keys_of(found) for found in _models(kind)):
            return f"{section}.{key}"
    return None


def _plain(kind: Any) -> Iterator[Any]:
    """The alternatives of a type, without `Annotated` and unions around them."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _plain(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for alternative in get_args(kind):
            yield from _plain(alternative)
    else:
        yield kind


def _step(kind: Any, step: str | int) -> Iterator[Any]:
    for plain in _plain(kind):
        arguments = get_args(plain)
        origin = get_origin(plain)
        if isinstance(plain, type) and hasattr(plain, "model_fields"):
            if (field := keys_of(plain).get(str(step))) is not None:
                yield field
        elif origin is not None and arguments and isinstance(origin, type):
            if issubclass(origin, dict) and isinstance(step, str):
                yield arguments[1]
            elif issubclass(origin, Sequence) and isinstance(step, int):
                yield arguments[0]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for plain in _plain(kind):
        if isinstance(plain, type) and hasattr(plain, "model_fields"):
            yield plain
