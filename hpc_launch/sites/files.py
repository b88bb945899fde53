"""Finding site profiles: the search path, one site by name or file, and all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hpc_launch.config.document import LARGEST_FILE, Document, load_document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import Origin
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import nearest
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.models.site import Site
from hpc_launch.sites import rules as site_rules

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class SiteFile:
    """A site profile and the file it was read from."""

    site: Site
    document: Document
    file: Path
    text: str
    """The profile as used: the file as it is, or where it extends another the two merged."""


@dataclass(frozen=True)
class Listed:
    """A file on the search path, whether it is any good or not."""

    name: str
    file: Path
    found: SiteFile | None
    error: InvalidConfiguration | None
    shadowed_by: Path | None


def search_path(context: Context) -> list[Path]:
    """Directories that are searched, in order; the first that has a site wins."""
    given = [Path(part) for part in context.environment.get("HPC_LAUNCH_SITE_PATH", "").split(":") if part]
    return [*given, context.configuration / "sites", Path("/etc/hpc-launch/sites"), SITE_PROFILES]


def read(file: Path, context: Context, rules: bool = True) -> SiteFile:
    """The site profile in a file, with what it inherits; raises InvalidConfiguration with all that is wrong.

    `rules`: whether those beyond the schema count, too (`sites.rules`).
    """
    document = _with_parents(file, context, ())
    site, problems = validate(Site, document)
    problems += site_rules.problems(document) if rules else []
    if site is None or problems:
        raise InvalidConfiguration(*problems)
    return SiteFile(site, document, file, _text(file, document))


def find(name: str, context: Context, origin: Origin, base: Path) -> SiteFile:
    """A site by name, or by path (relative to `base`); raises InvalidConfiguration."""
    if "/" in name or name.endswith(SUFFIXES):
        home = f"{context.home}/"
        return read(base / (home + name[2:] if name.startswith("~/") else name), context)
    file = _file_of(name, context)
    if file is None:
        names = sorted({_name_in(candidate) for candidate in _files(context)})
        near = nearest(name, names)
        raise InvalidConfiguration(
            Problem(
                f"no site profile is called {name!r}" + (f"; did you mean {near!r}?" if near else ""),
                origin,
                f"known sites: {', '.join(names)} (hpc-launch site list); or give the path of a site profile",
            )
        )
    return read(file, context)


def listed(context: Context, rules: bool = True) -> list[Listed]:
    """Every site profile on the search path; a broken file disables itself alone. `rules`: see `read`."""
    seen: dict[str, Path] = {}
    result = []
    for file in _files(context):
        found, error = None, None
        try:
            found = read(file, context, rules)
        except InvalidConfiguration as broken:
            error = broken
        name = found.site.name if found else _name_in(file)
        result.append(Listed(name, file, found, error, seen.get(name)))
        seen.setdefault(name, file)
    return result


def _files(context: Context) -> Iterator[Path]:
    for directory in search_path(context):
        try:
            files = sorted(filter(_may_be_one, directory.iterdir()))
            yield from sorted(files, key=lambda file: _name_in(file) != file.stem)  # as `_file_of` looks
        except OSError:  # a directory of the search path that is not there, or not for us, holds no sites
            continue


def _may_be_one(file: Path) -> bool:
    return file.suffix in SUFFIXES and not file.is_fifo()  # which nobody may ever write to


def _file_of(name: str, context: Context) -> Path | None:
    for directory in search_path(context):
        # Most files are called as their site is: look there before reading all the others.
        direct = [directory / f"{name}{suffix}" for suffix in SUFFIXES]
        try:
            others = sorted(file for file in directory.iterdir() if _may_be_one(file) and file not in direct)
        except OSError:
            continue
        for file in [*(file for file in direct if file.is_file()), *others]:
            if _name_in(file) == name:
                return file
    return None


def _name_in(file: Path) -> str:
    """The name a file gives its site, without reading all of it; a file that gives none goes by its own."""
    try:
        with file.open(errors="replace") as stream:
            text = stream.read(LARGEST_FILE)
    except OSError:
        return file.stem
    match = re.search(r"^name:[ \t]*[\"']?([A-Za-z][\w.-]*)", text, re.MULTILINE)
    return match.group(1) if match else file.stem


def _with_parents(file: Path, context: Context, children: tuple[Path, ...]) -> Document:
    document = load_document(file, _shown(file, context))
    parent = document.data.get("extends")
    if not isinstance(parent, str):
        return document
    origin = document.origins[("extends",)]
    if file in children:
        raise InvalidConfiguration(Problem(f"site profiles extend each other in a circle: {parent!r}", origin))
    parent_file = _file_of(parent, context)
    if parent_file is None:
        raise InvalidConfiguration(Problem(f"no site profile is called {parent!r}", origin, "hpc-launch site list"))
    return merge([_with_parents(parent_file, context, (*children, file)), document])


def _text(file: Path, document: Document) -> str:
    if document.data.get("extends") is None:
        return file.read_text(encoding="utf-8")
    import yaml

    return yaml.safe_dump(document.data, sort_keys=False, allow_unicode=True)


def _shown(file: Path, context: Context) -> str:
    """A file as a message names it: short where that is clear."""
    try:
        return str(file.relative_to(context.directory))
    except ValueError:
        return str(file)
