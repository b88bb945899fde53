"""The search path: the files on it that are to be site profiles, and the names that they give."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hpc_launch.config.document import LARGEST_FILE
from hpc_launch.config.wording import nearest, printable
from hpc_launch.context import Context
from hpc_launch.locations import SITE_PROFILES

SUFFIXES = (".yaml", ".yml")
VARIABLE = "HPC_LAUNCH_SITE_PATH"


def search_path(context: Context) -> list[Path]:
    """Directories that are searched, in order; the first that has a site wins."""
    return [*_given(context), context.configuration / "sites", Path("/etc/hpc-launch/sites"), SITE_PROFILES]


def unusable(context: Context) -> list[str]:
    """What is wrong with directories of the search path, a sentence each; only those given need be there."""
    given = _given(context)
    return [
        f"{printable(str(directory))}, on the search path ({VARIABLE}), {reason}"
        if directory in given
        else f"{printable(str(directory))}, on the search path, {reason}"
        for directory in search_path(context)
        if (reason := _why_not(directory, may_be_absent=directory not in given))
    ]


def files(context: Context) -> Iterator[Path]:
    """Every file on the search path, good or not, in the order in which they win."""
    for directory in search_path(context):
        yield from sorted(_within(directory), key=lambda file: name_in(file) != file.stem)  # as `files_named` looks


def files_named(name: str, context: Context) -> Iterator[Path]:
    """The files that give a site this name, the one that wins first."""
    for directory in search_path(context):
        # Most files are called as their site is: look there before reading all the others.
        direct = [directory / f"{name}{suffix}" for suffix in SUFFIXES]
        # A link to nowhere is there, too: reading it tells what is wrong.
        yield from (file for file in direct if os.path.lexists(file) and name_in(file) == name)
        yield from (file for file in _within(directory) if file not in direct and name_in(file) == name)


def names(context: Context) -> list[str]:
    """All that can be asked for, in the order of the alphabet."""
    return sorted({name_in(file) for file in files(context)})


def none_is_called(name: str, known: Iterable[str]) -> str:
    """That no site profile has this name, with the known one that was probably meant."""
    near = nearest(name, known)
    return f"no site profile is called {name!r}" + (f"; did you mean {printable(near)!r}?" if near else "")


def known_sites(known: Iterable[str]) -> str:
    """The known names, for a hint."""
    return f"known sites: {', '.join(map(printable, known))} (hpc-launch site list)"


def name_in(file: Path) -> str:
    """The name a file gives its site, without reading all of it; a file that gives none goes by its own."""
    match = re.search(r"^name:[ \t]*[\"']?([A-Za-z][\w.-]*)", _beginning(file), re.MULTILINE)
    return match.group(1) if match else file.stem


def site_profiles_in(directory: Path) -> list[Path]:
    """Files of a directory that look like site profiles."""
    return [file for file in _within(directory) if re.search(r"^(batch_system|extends):", _beginning(file), re.M)]


def _given(context: Context) -> list[Path]:
    return [Path(part) for part in context.environment.get(VARIABLE, "").split(":") if part]


def _within(directory: Path) -> list[Path]:
    try:
        return sorted(file for file in directory.iterdir() if file.suffix in SUFFIXES)
    except OSError:  # it holds no sites; `unusable` tells why
        return []


def _beginning(file: Path) -> str:
    """What stands in a file; nothing where it cannot be read, or is a pipe that nobody may ever write to."""
    try:
        if not os.path.isfile(file):
            return ""
        with file.open(errors="replace") as stream:
            return stream.read(LARGEST_FILE)
    except OSError:
        return ""


def _why_not(directory: Path, *, may_be_absent: bool) -> str:
    try:
        os.scandir(directory).close()
    except FileNotFoundError:
        return "" if may_be_absent else "is not there"
    except NotADirectoryError:
        return "is not a directory"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""
