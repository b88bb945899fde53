"""YAML text to a tree of nodes with line numbers, of bounded depth.

PyYAML's events are used and not its ``compose``: the latter recurses in C and ends the whole interpreter with
a segmentation fault on some ten thousand opening brackets (tried with PyYAML 6.0.3 and libyaml).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEEPEST = 50
TOO_DEEP = f"nested deeper than {DEEPEST} levels"


class Scalar(NamedTuple):
    line: int
    tag: str | None
    text: str
    plain: bool
    """Neither quoted nor a block, so that it may be more than a text."""


class Sequence:
    def __init__(self, line: int, tag: str | None) -> None:
        self.line, self.tag = line, tag
        self.items: list[Node] = []
        self.closed = False


class Mapping:
    def __init__(self, line: int, tag: str | None) -> None:
        self.line, self.tag = line, tag
        self.pairs: list[tuple[Node, Node]] = []
        self.closed = False


Node: TypeAlias = Scalar | Sequence | Mapping


class Unreadable(Exception):
    """What YAML allows and we do not: too deep, an alias of nothing or of itself."""

    def __init__(self, line: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class Stream(NamedTuple):
    root: Node | None
    """None: nothing but comments."""
    second_document: int | None
    """The line where a second document begins, which is not read."""


def compose(text: str) -> Stream:
    """The first document of ``text``; raises `Unreadable` and `yaml.YAMLError`."""
    # Any: the stubs leave open whether an event has marks and an anchor; those of the parser have
    events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))
    return _first_document(events)


def _first_document(events: Iterator[Any]) -> Stream:
    composer = _Composer(events)
    root: Node | None = None
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                return Stream(root, line)
            root = composer.node(next(events), depth=0)
    return Stream(root, None)


class _Composer:
    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.anchors: dict[str, Node] = {}

    def node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        anchor: Any = event.anchor
        if depth > DEEPEST:
            raise Unreadable(line, TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            return self._anchored(anchor, line)
        made: Node
        if isinstance(event, yaml.ScalarEvent):
            # libyaml calls the plain style "", PyYAML's own parser None
            made = Scalar(line, event.tag, event.value, plain=not event.style)
            self._remember(anchor, made)
            return made
        if isinstance(event, yaml.SequenceStartEvent):
            made = Sequence(line, event.tag)
            self._remember(anchor, made)
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                made.items.append(self.node(item, depth + 1))
        else:
            made = Mapping(line, event.tag)
            self._remember(anchor, made)
            while not isinstance(key := next(self.events), yaml.MappingEndEvent):
                key_node = self.node(key, depth + 1)
                made.pairs.append((key_node, self.node(next(self.events), depth + 1)))
        made.closed = True
        return made

    def _remember(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self.anchors[anchor] = node

    def _anchored(self, name: str, line: int) -> Node:
        node = self.anchors.get(name)
        if node is None:
            hint = f"if a text that begins with * is meant, put it in quotes: '*{name}'"
            raise Unreadable(line, f"*{name} refers to an anchor &{name} that is not set above", hint)
        if not isinstance(node, Scalar) and not node.closed:
            raise Unreadable(line, f"*{name} stands inside what it refers to")
        return node
