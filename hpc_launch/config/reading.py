"""YAML as people write it: every value with its place, and only few words that are not just words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import yaml

from hpc_launch.config import nodes
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.syntax import explain
from hpc_launch.config.wording import dotted
from hpc_launch.errors import InvalidConfiguration, Problem

MOST_NODES = 20_000
_SHOWN = 200
"""Characters of a line that are kept for messages."""

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
# 18 digits are exact in every program that may read the number again; what is longer is no count of anything
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
# C0 but tab and line ends, DEL, C1 and two line separators: invisible in editors, line breaks to libyaml
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_TAG = "tag:yaml.org,2002:"
_TAGS_OF_KIND = {
    nodes.Scalar: ("null", "bool", "int", "float", "str"),
    nodes.Sequence: ("seq",),
    nodes.Mapping: ("map",),
}


@dataclass
class Reading:
    """A value of any kind with the origin of every key path in it."""

    value: Any = None
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    empty: bool = False
    """Nothing but comments."""


def read(text: str, place: Callable[[int, str], Origin]) -> Reading:
    """Read one YAML document.

    ``place`` makes the origin of a line (number from 1, its text). What leaves a document to go on with is
    listed in ``problems``; everything else (syntax errors, control characters, no end of aliases) is raised
    as `InvalidConfiguration`.
    """
    text = text.removeprefix("\ufeff")
    lines = _LINE_END.split(text)

    def at(line: int) -> Origin:
        return place(line, lines[line - 1][:_SHOWN] if line <= len(lines) else "")

    _refuse_control_characters(lines, place)
    try:
        stream = nodes.compose(text)
    except yaml.YAMLError as error:
        line, message, hint = explain(error, lines)
        raise InvalidConfiguration(Problem(message, at(line), hint)) from None
    except nodes.Unreadable as error:
        raise InvalidConfiguration(Problem(error.message, at(error.line), error.hint)) from None
    if stream.root is None:
        return Reading(None, {(): at(1)}, [], empty=True)
    reader = _Reader(at)
    value = reader.value(stream.root, (), at(stream.root.line))
    if stream.second_document is not None:
        hint = "keep one document; everything from this line on is not read"
        reader.problem("a second document begins here", stream.second_document, hint)
    return Reading(value, reader.origins, reader.problems)


def _refuse_control_characters(lines: list[str], place: Callable[[int, str], Origin]) -> None:
    problems = []
    for number, line in enumerate(lines, 1):
        if found := _CONTROL.search(line):
            escaped = _CONTROL.sub(lambda character: repr(character[0])[1:-1], line)
            message = f"a control character (U+{ord(found[0]):04X}) in column {found.start() + 1}"
            problems.append(Problem(message, place(number, escaped[:_SHOWN]), "delete it"))
    if problems:
        raise InvalidConfiguration(*problems)


class _Reader:
    """Nodes to plain data; aliases are expanded, up to a bound for the whole document."""

    def __init__(self, at: Callable[[int], Origin]) -> None:
        self.at = at
        self.origins: dict[KeyPath, Origin] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def problem(self, message: str, line: int, hint: str = "") -> None:
        self.problems.append(Problem(message, self.at(line), hint))

    def value(self, node: nodes.Node, path: KeyPath, origin: Origin) -> Any:
        self.count += 1
        if self.count > MOST_NODES or len(path) > nodes.DEEPEST:
            bound = f"{MOST_NODES} values in {nodes.DEEPEST} levels"
            raise InvalidConfiguration(*self.problems, Problem(f"more than {bound}, aliases expanded", origin))
        self.origins[path] = origin
        tag = self._tag(node, path)
        if isinstance(node, nodes.Scalar):
            return self._scalar(node, tag, path)
        if isinstance(node, nodes.Sequence):
            return [self.value(item, (*path, n), self.at(item.line)) for n, item in enumerate(node.items)]
        return self._mapping(node, path)

    def _tag(self, node: nodes.Node, path: KeyPath) -> str | None:
        """The tag as written, if it is one of YAML's own for this kind of node."""
        if node.tag is None or node.tag == "!":
            return "str" if node.tag and isinstance(node, nodes.Scalar) else None
        allowed = _TAGS_OF_KIND[type(node)]
        name = node.tag.removeprefix(_TAG)
        if node.tag.startswith(_TAG) and name in allowed:
            return name
        written = f"!!{name}" if node.tag.startswith(_TAG) else node.tag
        where = f"{dotted(path)}: " if path else ""
        hint = f"leave it out; a text that begins with ! needs quotes: '{written}'"
        self.problem(f"{where}the tag {written} is not supported", node.line, hint)
        return None

    def _scalar(self, node: nodes.Scalar, tag: str | None, path: KeyPath) -> Any:
        if tag is None:
            return resolved(node.text) if node.plain else node.text
        if tag == "str":
            return node.text
        value: object = resolved(node.text)
        # `1e999` is more than any number that a computer counts with
        if tag == "float" and isinstance(value, str) and _FLOAT.fullmatch(value) and isfinite(float(value)):
            value = float(value)
        kind = "null" if value is None else type(value).__name__
        if kind != tag and not (tag == "float" and kind == "int"):
            self.problem(f"{dotted(path)}: {node.text!r} is not what its tag !!{tag} says", node.line)
        return value

    def _mapping(self, node: nodes.Mapping, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        for key, value in node.pairs:
            name = self._key(key, path)
            if name is None:
                continue
            if name in values:
                message = f"{dotted((*path, name))} is set twice, first on line {first_lines[name]}"
                self.problem(message, key.line, "keep one of them")
                continue
            first_lines[name] = key.line
            values[name] = self.value(value, (*path, name), self.at(_line_of(value, key)))
        return values

    def _key(self, key: nodes.Node, path: KeyPath) -> str | None:
        """A key is its text as written, whatever it looks like (``on``, ``1``); None where it is none."""
        where = f"{dotted(path)}: " if path else ""
        if not isinstance(key, nodes.Scalar):
            hint = "a text that begins with { or [ needs quotes"
            self.problem(f"{where}a key must be a word, not a list or a mapping", key.line, hint)
        elif key.text == "<<" and key.plain:
            self.problem(f"{where}the merge key << is not supported", key.line, "write the keys out")
        elif key.text == "":
            self.problem(f"{where}a key is empty", key.line)
        else:
            self._tag(key, (*path, key.text))
            return key.text
        return None


def _line_of(value: nodes.Node, key: nodes.Node) -> int:
    """Of a value the line of its key; of a plain text that begins below that, where it begins."""
    own = isinstance(value, nodes.Scalar) and value.plain and value.text
    return max(key.line, value.line) if own else key.line


def resolved(word: str) -> bool | int | float | str | None:
    """What a plain word means: null, true and false, whole and decimal numbers; everything else is a text.

    YAML 1.1 (and PyYAML) would make 43200 of ``12:00:00``, false of ``no``, 493 of ``0755``, 3.1 of ``3.10``
    and a date of ``2026-11-22``. A decimal number is one only if it is written back as it came: a version or
    a commit (``3.10``, ``1e5``) keeps its text, and a field for numbers reads a text like ``0.10`` as well.
    """
    if _NULL.fullmatch(word):
        return None
    if _BOOL.fullmatch(word):
        return word.lower() == "true"
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word) and repr(number := float(word)) == word:
        return number
    return word
