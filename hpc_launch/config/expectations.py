"""Pydantic's error types in plain words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from pydantic_core import ErrorDetails

from hpc_launch.config.reading import resolved
from hpc_launch.config.wording import listed, nearest, shown_value

MAPPING = {"dict_type", "model_type", "model_attributes_type", "mapping_type", "dataclass_type"}
"""What pydantic says where a mapping is wanted."""
LONGEST = 60
"""Characters of what is advised to be written."""
_KINDS = {
    "a whole number": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "a number": ("float_type", "float_parsing", "finite_number"),
    "true or false": ("bool_type", "bool_parsing"),
    "text": ("string_type",),
    "a list": ("list_type", "tuple_type", "set_type"),
    "a mapping": tuple(sorted(MAPPING)),
    "null": ("none_required",),
}
_KIND_OF_TYPE = {error_type: kind for kind, error_types in _KINDS.items() for error_type in error_types}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_LENGTHS = {
    "too_short": ("min_length", "a list of at least {}"),
    "too_long": ("max_length", "a list of at most {}"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
}
# what YAML 1.1 takes for true and false
_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_ALLOWED = ("literal_error", "enum")


def sentence(errors: list[ErrorDetails]) -> str:
    """What was expected and what was found; several errors are alternatives for one value."""
    found = shown_value(errors[0]["input"])
    # It is a list, but not a long enough one: what else might have stood there is of no use.
    errors = [error for error in errors if error["type"] in _LENGTHS] or errors
    own = [text for error in errors if (text := _own_text(error))]
    expected = [words for error in errors for words in _expected(error)]
    for text in own:
        # a sentence of ours that lists with the rest, "expected shell lines, got 5"
        if len(errors) > 1 and (match := re.fullmatch(r"expected ([^,:]+), got .*", text, re.DOTALL)):
            expected.append(match[1])
        else:
            return text
    return f"expected {listed(dict.fromkeys(expected))}, got {found}"


def advice(errors: list[ErrorDetails]) -> str:
    """The nearest of the words that are allowed, or how to write what was meant."""
    words = list(dict.fromkeys(word for error in errors for word in allowed_words(error)))
    value = errors[0]["input"]
    own = [error for error in errors if _own_text(error)]
    if words and isinstance(value, str) and (meant := nearest(value, [w.strip("'") for w in words])):
        return f"did you mean {meant}?"
    if words and own:
        return f"also allowed: {', '.join(words)}"
    if isinstance(value, str) and any(error["type"].startswith("bool_") for error in errors):
        switch = _SWITCHES.get(value.casefold())
        return f"did you mean {switch}?" if switch else ""
    if lists := lists_meant(errors):
        return write_one_of(lists)
    if pairs := _pairs(value) if _kinds(errors) == {"a mapping"} else "":
        return f"write {{{pairs}}}"
    wants_text = any(error["type"] == "string_type" for error in errors)
    if wants_text and isinstance(value, (int, float)):
        return f"a number or true and false need quotes to be text: '{shown_value(value)}'"
    return ""


def lists_meant(errors: list[ErrorDetails]) -> list[list[str]]:
    """Lists that a text may mean where a list is wanted: of its words, and of itself alone; none for other values."""
    value = errors[0]["input"]
    if _kinds(errors) != {"a list"} or not isinstance(value, (str, int, float)):
        return []
    text = value if isinstance(value, str) else shown_value(value)
    words = _words(text)
    return [words, [text]] if len(words) > 1 else [[text]]


def write_one_of(lists: list[list[str]]) -> str:
    """The same as advice. Text with blanks may be one word of a list, or not."""
    return f"write {', or '.join(map(_listed, lists))}"


def _kinds(errors: list[ErrorDetails]) -> set[str | None]:
    return {_KIND_OF_TYPE.get(error["type"]) for error in errors}


def _pairs(value: Any) -> str:
    """``A=1`` as it stands in a mapping; empty for what is no such text."""
    if not isinstance(value, str):
        return ""
    words = [re.sub(r"\s*=\s*", "=", value, count=1)] if re.fullmatch(r"\S+\s*=\s*\S+", value) else _words(value)
    pairs = [pair for word in words if (pair := re.fullmatch(r"([\w.-]+)=(.+)", word))]
    if len(pairs) < len(words):
        return ""
    return _short(", ".join(f"{pair[1]}: {_in_flow(pair[2])}" for pair in pairs))


def _words(text: str) -> list[str]:
    """As a shell takes it apart; empty where a quote is not closed."""
    if not re.search(r"\s", text):
        return [text]
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _listed(words: list[str]) -> str:
    one = " if that is one" if len(words) == 1 and re.search(r"\s", words[0]) else ""
    return f"[{_short(', '.join(map(_in_flow, words)))}]{one}"


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else "…"


def _in_flow(word: str) -> str:
    """A word between brackets or braces, in quotes where YAML would take it for more than a word."""
    plain = re.fullmatch(r"([\w./+]|-(?=[\w-]))([\w./@+%= -]*[\w./@+%=-])?", word)
    quoted = "'" + word.replace("'", "''") + "'"
    shown = word if plain and not isinstance(resolved(word), bool | None) else quoted
    return _short(shown) if word.isprintable() else "…"


def _own_text(error: ErrorDetails) -> str:
    """The sentence of a validator of ours, empty for pydantic's own errors."""
    if error["type"] in ("value_error", "assertion_error"):
        return str(error.get("ctx", {}).get("error", error["msg"]))
    return ""


def _expected(error: ErrorDetails) -> Iterator[str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _KIND_OF_TYPE:
        yield from _KIND_OF_TYPE[kind].split(" or ")
    elif kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        yield f"{words} {context[key]}"
    elif kind in _LENGTHS:
        key, words = _LENGTHS[kind]
        yield words.format(context[key])
    elif kind == "string_pattern_mismatch":
        yield f"text that matches {context['pattern']}"
    elif kind in _ALLOWED:
        yield from allowed_words(error)
    elif not _own_text(error):
        yield re.sub(r"^Input should (be|have) ", "", error["msg"])


def allowed_words(error: ErrorDetails) -> list[str]:
    """The words that a choice takes; pydantic gives them as one text, ``'tls' or 'none'``."""
    if error["type"] not in _ALLOWED:
        return []
    listing = str(error.get("ctx", {}).get("expected", ""))
    words = re.findall(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s,'\"]+", listing)
    return [word for word in words if word != "or"]
