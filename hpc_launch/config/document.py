"""A configuration file as plain data, with the line of every value."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.reading import read
from hpc_launch.config.wording import listed, nearest, printable, shown_value
from hpc_launch.errors import InvalidConfiguration, Problem, UsageError

LARGEST_FILE = 1024 * 1024
"""Bytes. A profile has some hundred lines; a file of this size is something else."""
_MOST_FILES = 4
"""That are told of a directory given for a file."""
_MOST_READ = 100
"""Of its files, to see what they are."""
_YAML = (".yaml", ".yml")
A_PROFILE, A_SITE_PROFILE = "a profile", "a site profile"
"""As `kinds` calls them."""
_OPENED = ("/dev/fd/", "/proc/self/fd/")
"""What the shell opened for us and will close: `<(COMMAND)`."""
_ENDLESS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class Document:
    """The top-level mapping of one file (or of several, merged)."""

    data: dict[str, Any]
    """Null, booleans, numbers, texts, lists and mappings with text keys."""
    origins: dict[KeyPath, Origin]
    """For every key path at every depth, list items too; ``()`` is where the document begins."""
    problems: tuple[Problem, ...]
    """What is wrong with it but left something to go on with, so that all can be told at once."""
    nothing: Mapping[KeyPath, Origin] = field(default_factory=dict)
    """Of merged documents, the keys that some layer sets to null, and that are not in `data` for it."""

    @property
    def whole(self) -> Origin | None:
        """The document, for what is missing in it: its first line has nothing to do with that."""
        origin = self.origins.get(())
        return replace(origin, text="") if origin else None

    def nearest(self, *path: str | int) -> Origin | None:
        """Where a value stands; where it is not written, the nearest mapping above it, but not the whole."""
        above = (self.origins.get(path[:length]) for length in range(len(path), 0, -1))
        return next(filter(None, above), None)


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
    """Read a configuration file (see `load_text`); raises `InvalidConfiguration` where it cannot be."""
    source = str(file) if shown_as is None else shown_as
    return parse_document(load_text(file, source), source, may_be_empty=may_be_empty)


def refuse_names_that_are_not_utf8(files: Mapping[str, str]) -> None:
    """Raise `UsageError` where such a name would stand in a text file (name → text): others could not read it."""
    for file, text in files.items():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            number = text.count("\n", 0, error.start)
            line = printable(text.splitlines()[number].strip())
            hint = "rename the file or directory, or work in another one"
            cause = f"a name that is not UTF-8 would stand on line {number + 1} of {file}: {line}"
            raise UsageError(Problem(cause, None, hint)) from None


def load_text(file: Path, shown_as: str, wanted: str = A_PROFILE) -> str:
    """What stands in a configuration file (UTF-8, at most 1 MiB); raises `InvalidConfiguration`.

    `wanted`: what it is to be, for the files that are named where it is not there, or is a directory.
    """
    here = Origin(printable(shown_as))
    if kind := _endless(file):
        hint = "give a file; what a command prints may be given as <(COMMAND)"
        raise InvalidConfiguration(Problem(f"this is {kind}, not a file", here, hint))
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InvalidConfiguration(_missing(file, here, wanted)) from None
    except IsADirectoryError:
        raise InvalidConfiguration(Problem("this is a directory", here, _files_within(file, wanted))) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidConfiguration(Problem(f"cannot be read: {reason}", here)) from None
    if len(content) > LARGEST_FILE:
        raise InvalidConfiguration(Problem("larger than 1 MiB: this is no configuration file", here))
    return _decoded(content, here)


def _endless(file: Path) -> str:
    """What a file is that may never come to an end, or never begin; empty for those that do."""
    if str(file).startswith(_OPENED) or str(file) == "/dev/stdin":
        return ""
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):  # opening it tells why
        return ""
    return next((kind for is_one, kind in _ENDLESS if is_one(mode)), "")


def _decoded(content: bytes, here: Origin) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        shown = content.splitlines()[line - 1].decode("ascii", "backslashreplace")
        place = Origin(here.source, line, shown if shown.isprintable() else "")
        problem = Problem("not UTF-8", place, "save the file with the encoding UTF-8")
        raise InvalidConfiguration(problem) from None


def _missing(file: Path, here: Origin, wanted: str) -> Problem:
    if os.path.islink(file):
        target = printable(os.readlink(file))
        return Problem(f"this is a symbolic link to {target}, which is not there", here, "mend the link, or delete it")
    return Problem("there is no such file", here, _nearest_files(file, wanted))


def _nearest_files(missing: Path, wanted: str) -> str:
    try:
        names = os.listdir(missing.parent)
    except OSError:
        return f"nor is there a directory {printable(str(missing.parent))}"
    # What they end with is the same of most, and makes no two alike; of several with one stem a YAML file is meant.
    in_order = sorted(names, key=lambda name: (name.endswith(_YAML), name))
    stems = {os.path.splitext(name)[0]: name for name in in_order if name != missing.name}
    found = nearest(missing.stem, stems)
    return (
        f"did you mean {printable(str(missing.with_name(stems[found])))}?"
        if found
        else _files_within(missing.parent, wanted)
    )


def _files_within(directory: Path, wanted: str) -> str:
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(_YAML))[:_MOST_READ]
    except OSError:
        return "name a file"
    kinds = {name: kind for name in names if (kind := _kind(directory / name))} or dict.fromkeys(names, "")
    several = len(names) > 1
    in_order = sorted(kinds.items(), key=lambda each: (each[1] != wanted, not each[0].startswith("profile.")))
    shown = [printable(str(directory / name)) + (f" ({kind})" if kind and several else "") for name, kind in in_order]
    return f"did you mean {listed(shown[:_MOST_FILES])}?" if shown else "name a file"


def _kind(file: Path) -> str:
    """What a file is by its first keys, as `kinds` calls it; empty where nobody knows, or it cannot be read."""
    from hpc_launch.config.kinds import KINDS

    try:
        text = load_text(file, str(file))
    except InvalidConfiguration:
        return ""
    keys = set(re.findall(r"(?m)^(\w+)[ \t]*:", text))
    return next((kind.name for kind in KINDS if kind.signs & keys), "")
