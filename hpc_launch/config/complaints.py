"""What pydantic found, as problems with places and next steps; needed only where something is wrong."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hpc_launch.config.branches import KEY, faults_by_path
from hpc_launch.config.document import Document
from hpc_launch.config.expectations import MAPPING, advice, allowed_words, lists_meant, sentence, write_one_of
from hpc_launch.config.keys import advice_on_unknown, keys_of, models_at
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.syntax import WITHOUT_COLON, WRITE_COLON
from hpc_launch.config.wording import dotted, listed, nearest
from hpc_launch.errors import Problem


def complaints(model: type[BaseModel], document: Document, errors: list[ErrorDetails]) -> list[Problem]:
    """One problem for each wrong value, however many errors pydantic reports about it."""
    faults = faults_by_path(errors, document.data)
    return [_problem(model, document, path, faults[path]) for path in faults]


def _problem(model: type[BaseModel], document: Document, path: KeyPath, errors: list[ErrorDetails]) -> Problem:
    origin = _origin(path, document)
    kinds = {error["type"] for error in errors}
    name = dotted(path)
    if "missing" in kinds:
        if origin is not None and len(path) == 1:
            origin = replace(origin, text="")  # the document's first line has nothing to do with it
        return Problem(f"{name} is missing", origin, _description(model, path))
    if "extra_forbidden" in kinds:
        return Problem(f"{name} is not a known key", origin, advice_on_unknown(model, path))
    if kinds & MAPPING and (meant := _key_without_colon(model, path, errors[0]["input"])):
        return Problem(f"{dotted((*path, meant))}: {WITHOUT_COLON}", origin, WRITE_COLON)
    where = f"the name of {name}: " if errors[0]["loc"][-1:] == (KEY,) else f"{name}: " if path else ""
    lists = lists_meant(errors)
    told = _lists_that_hold(model, document, path, lists) if lists else advice(errors)
    advised = told or _in_quotes(errors, path, origin)
    return Problem(f"{where}{sentence(errors)}", origin, advised or _keys_below(model, path, kinds))


def _in_quotes(errors: list[ErrorDetails], path: KeyPath, origin: Origin | None) -> str:
    """How to write a text that YAML takes for a switch, in the letters in which it stands there."""
    value = errors[0]["input"]
    if not isinstance(value, bool) or not sentence(errors).startswith("expected text"):
        return ""
    written, line = str(value).lower(), (origin.text or origin.source) if origin else ""
    key = rf"{re.escape(str(path[-1]))}['\"]?\s*[:=]\s*" if path and isinstance(path[-1], str) else r"\b"
    found = re.search(rf"{key}({written})\b", line, re.IGNORECASE)
    return f"write '{found[1] if found else written}' in quotes: without them YAML takes it for a switch"


def _lists_that_hold(model: type[BaseModel], document: Document, path: KeyPath, lists: list[list[str]]) -> str:
    """Advice to write those of some lists that are taken; where none is, the words that a list there may hold."""
    faults = [_faults_of(model, document, path, words) for words in lists]
    if good := [words for words, found in zip(lists, faults, strict=True) if not found]:
        return write_one_of(good)
    allowed = list(dict.fromkeys(word.strip("'") for each in faults[0] for word in allowed_words(each)))
    words = [word for text in lists[0] for word in text.split(",")]
    near = [found for word in words if (found := nearest(word, allowed))]
    some = allowed if words[0].casefold() == "all" else near
    return f"write [{', '.join(some)}]" if some else f"a list of {listed(allowed)}" if allowed else ""


def _faults_of(model: type[BaseModel], document: Document, path: KeyPath, words: list[str]) -> list[ErrorDetails]:
    """What would be wrong in this place with these words there."""
    data = deepcopy(document.data)
    above: Any = data
    for step in path[:-1]:
        above = above[step]
    above[path[-1]] = words
    try:
        model.model_validate(data)
    except ValidationError as error:
        found = faults_by_path(error.errors(include_url=False), data)
        return [fault for place, faults in found.items() if place[: len(path)] == path for fault in faults]
    return []


def _key_without_colon(model: type[BaseModel], path: KeyPath, value: object) -> str | None:
    """The key with which a text begins that was found in place of a mapping, also of one that takes any key."""
    names = {name for found in models_at(model, path) for name in keys_of(found)}
    if not isinstance(value, str) or not (match := re.match(r"(\w+)(\s*[=:]\s*|\s+)[^\s=]", value)):
        return None
    if names and match[1] not in names:
        return None
    return None if not names and "=" in value else match[1]  # `A=1` of any key is told how to write it


def _keys_below(model: type[BaseModel], path: KeyPath, kinds: set[str]) -> str:
    """What may be written where a mapping is wanted and something else was found."""
    names = sorted({name for found in models_at(model, path) for name in keys_of(found)})
    return f"write its keys, {{key: value}}: {', '.join(names)}" if names and kinds <= MAPPING else ""


def _origin(path: KeyPath, document: Document) -> Origin | None:
    """Of the value, or of the nearest mapping or list around it that has one."""
    return document.nearest(*path) or document.origins.get(())


def _description(model: type[BaseModel], path: KeyPath) -> str:
    """What a missing key is for, as the model describes it."""
    *parent, key = path
    for found in models_at(model, tuple(parent)):
        for name, field in found.model_fields.items():
            if key == (field.alias or name) and field.description:
                words = "".join(f", or {word}" for word in _words_of(field.annotation))
                return f"add {key}: {_least(model, path) or field.description}{words}"
    return ""


def _words_of(annotation: Any) -> list[str]:
    """The words that may stand in place of a mapping."""
    choices = [kind for kind in get_args(annotation) if get_origin(kind) is Literal]
    return [word for kind in choices for word in get_args(kind)]


def _least(model: type[BaseModel], path: KeyPath) -> str:
    """The keys that a missing mapping has to have: they tell more than what the mapping is; empty for other values."""
    for below in models_at(model, path):
        needed = {field.alias or name: field for name, field in below.model_fields.items() if field.is_required()}
        for first, field in needed.items():
            keys = ", ".join(f"{name}: …" for name in needed)
            return f"{{{keys}}}" + (f" ({first}: {field.description})" if field.description else "")
    return ""
