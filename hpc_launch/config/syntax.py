"""What is wrong with text that is not YAML, in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from hpc_launch.config.nodes import TOO_DEEP

WITHOUT_COLON = "a key without ':'"
WRITE_COLON = "write `key: value`, with a space after the ':'"
_TAB = "a tab is used for indentation; YAML is indented with spaces only"

# (part of the reason that libyaml or PyYAML give, the same for people, what to do); the first that fits
_PLAIN_WORDS = (
    ("exceeded maximum nesting depth", TOO_DEEP, ""),  # libyaml has a limit of its own, far above ours
    (
        "mapping values are not allowed",
        "a ':' where no key can stand",
        "keys of one mapping begin in the same column; a text that holds ': ' needs quotes",
    ),
    (
        "could not find expected ':'",
        WITHOUT_COLON,
        WRITE_COLON,
    ),
    (
        "while parsing a block mapping",
        "this does not continue the mapping above",
        "keys of one mapping begin in the same column; nothing may follow a closing quote or bracket",
    ),
    (
        "while parsing a block collection",
        "this does not continue the list above",
        "items of one list begin with `- ` in the same column",
    ),
    (
        "did not find expected node content",
        "a value cannot begin like this, or is missing",
        "brackets open and close in pairs; a text that begins with , ] or } needs quotes",
    ),
    (
        "while scanning a block scalar",
        "nothing may follow | or > on its line",
        "begin the text on the next line, indented",
    ),
    (
        "expected <document start>",
        "this is indented less than the first key, or follows the end of the document",
        "keys of one mapping begin in the same column",
    ),
    (
        "sequence entries are not allowed",
        "a list cannot begin on the line of its key",
        "begin it on the next line, or write [a, b]",
    ),
    (
        "unknown escape character",
        "a \\ in double quotes that means nothing",
        "single quotes take \\ as it is",
    ),
    (
        "while scanning an alias",
        "a value cannot begin with * (YAML takes it for an alias)",
        "put it in quotes",
    ),
    (
        "while scanning an anchor",
        "a value cannot begin with & (YAML takes it for an anchor)",
        "put it in quotes",
    ),
)


def explain(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[int, str, str]:
    """(line counted from 1, what is wrong, what to do) of a syntax error in the text with these lines."""
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    reason = f"{getattr(error, 'context', None) or ''}: {problem}"
    line = 1 if mark is None else min(mark.line + 1, len(lines))
    shown = lines[line - 1]
    if re.match(r" *\t", shown):
        return line, _TAB, "replace the tab by spaces"
    if opened is not None and "quoted scalar" in reason and "end of stream" in reason:
        return opened.line + 1, "the quote opened here is never closed", "close it, or double a ' within '…'"
    if opened is not None and ("flow sequence" in reason or "flow mapping" in reason):
        bracket = "[" if "sequence" in reason else "{"
        return opened.line + 1, f"the {bracket} opened here is never closed, or a comma is missing", ""
    if "cannot start any token" in reason and mark is not None and mark.column < len(shown):
        return line, f"a value cannot begin with {shown[mark.column]!r}", "put it in quotes"
    if "mapping values are not allowed" in reason and (above := _without_colon_above(lines, line)):
        return above, WITHOUT_COLON, WRITE_COLON
    for part, words, advice in _PLAIN_WORDS:
        if part in reason:
            return _line_of_key(line, opened, part), words, advice
    return line, f"this is not YAML ({problem})", ""


def _without_colon_above(lines: Sequence[str], line: int) -> int | None:
    """The first of the lines just above that begin in the same column, and have no ':' before a space.

    YAML takes them for a text of several lines, and wonders about the ':' in the line that follows.
    """
    indent = _indent(lines[line - 1])
    found = None
    for number in range(line - 1, 0, -1):
        text = lines[number - 1]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if (
            _indent(text) != indent
            or not re.match(r"\s*\w[\w.-]*\s*([\s=]|:\S|$)", text)
            or re.search(r":(\s|$)", text)
        ):
            break
        found = number
    return found


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _line_of_key(line: int, opened: yaml.Mark | None, part: str) -> int:
    """A key without ':' is noticed at the next token only, often a line below."""
    return opened.line + 1 if opened is not None and part.startswith("could not find") else line
