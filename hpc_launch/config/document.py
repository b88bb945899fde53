"""A configuration file as plain data, with the line of every value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.reading import read
from hpc_launch.config.wording import nearest, printable, shown_value
from hpc_launch.errors import InvalidConfiguration, Problem

LARGEST_FILE = 1024 * 1024
"""Bytes. A profile has some hundred lines; a file of this size is something else."""


@dataclass(frozen=True)
class Document:
    """The top-level mapping of one file (or of several, merged)."""

    data: dict[str, Any]
    """Null, booleans, numbers, texts, lists and mappings with text keys."""
    origins: dict[KeyPath, Origin]
    """For every key path at every depth, list items too; ``()`` is where the document begins."""
    problems: tuple[Problem, ...]
    """What is wrong with it but left something to go on with, so that all can be told at once."""


def parse_document(text: str, shown_as: str, *, may_be_empty: bool = False) -> Document:
    """Read a configuration from ``text``; ``shown_as`` is the file's name in messages.

    Raises `InvalidConfiguration` where the text is no YAML, or none that we take (see `reading.read`).
    """
    source = printable(shown_as)
    reading = read(text, lambda line, shown: Origin(source, line, shown))
    problems = list(reading.problems)
    start = reading.origins[()]
    if isinstance(reading.value, dict):
        return Document(reading.value, reading.origins, tuple(problems))
    if reading.value is not None:
        found = shown_value(reading.value)
        problems.append(Problem(f"expected keys with values (`key: value`), found {found}", start))
    elif not may_be_empty:
        problems.append(Problem("this file is empty", Origin(source, start.line)))
    return Document({}, {(): start}, tuple(problems))


def load_document(file: Path, shown_as: str | None = None, *, may_be_empty: bool = False) -> Document:
    """Read a configuration file (UTF-8, at most 1 MiB); raises `InvalidConfiguration` where it cannot be."""
    source = str(file) if shown_as is None else shown_as
    here = Origin(printable(source))
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InvalidConfiguration(Problem("there is no such file", here, _nearest_files(file))) from None
    except IsADirectoryError:
        raise InvalidConfiguration(Problem("this is a directory", here, _files_within(file))) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidConfiguration(Problem(f"cannot be read: {reason}", here)) from None
    if len(content) > LARGEST_FILE:
        raise InvalidConfiguration(Problem("larger than 1 MiB: this is no configuration file", here))
    return parse_document(_decoded(content, here), source, may_be_empty=may_be_empty)


def _decoded(content: bytes, here: Origin) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        shown = content.splitlines()[line - 1].decode("ascii", "backslashreplace")
        place = Origin(here.source, line, shown if shown.isprintable() else "")
        problem = Problem("not UTF-8", place, "save the file with the encoding UTF-8")
        raise InvalidConfiguration(problem) from None


def _nearest_files(missing: Path) -> str:
    try:
        names = os.listdir(missing.parent)
    except OSError:
        return f"nor is there a directory {printable(str(missing.parent))}"
    found = nearest(missing.name, names)
    return f"did you mean {printable(str(missing.with_name(found)))}?" if found else ""


def _files_within(directory: Path) -> str:
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith((".yaml", ".yml")))
    except OSError:
        return "name a file"
    return f"did you mean {printable(str(directory / names[0]))}?" if names else "name a file"
