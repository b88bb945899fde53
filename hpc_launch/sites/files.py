"""One site profile by name or file, and all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hpc_launch.checks import site as site_checks
from hpc_launch.config.document import Document
from hpc_launch.config.origin import Origin
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import listed as either
from hpc_launch.config.wording import nearest, printable
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.site import Site
from hpc_launch.sites import search
from hpc_launch.sites.inheritance import Inherited, shown, with_parents


@dataclass(frozen=True)
class SiteFile:
    """A site profile and the file it was read from."""

    site: Site
    document: Document
    file: Path
    text: str
    """The profile as used: the file as it is, or where it extends another the two merged."""
    parents: tuple[Path, ...] = ()
    """Those it extends, the nearest first."""


class Listed(NamedTuple):
    """A file on the search path, whether it is any good or not."""

    name: str
    file: Path
    found: SiteFile | None
    error: InvalidConfiguration | None
    shadowed_by: Path | None
    document: Document | None = None
    """What can be read of it; None: nothing."""
    parents: tuple[Path, ...] = ()


def read(file: Path, context: Context, rules: bool = True) -> SiteFile:
    """The site profile in a file, with what it inherits; raises InvalidConfiguration with all that is wrong.

    `rules`: whether those beyond the schema count, too (`checks.site`).
    """
    return _checked(file, with_parents(file, context), rules)


def find(name: str, context: Context, origin: Origin, base: Path) -> SiteFile:
    """A site by name, or by path (relative to `base`); raises InvalidConfiguration."""
    if "/" in name or name.endswith(search.SUFFIXES):
        file = base / (f"{context.home}/{name[2:]}" if name.startswith("~/") else name)
        _refuse_missing(file, context)
        return read(file, context)
    file_named = next(search.files_named(name, context), None)
    if file_named is None:
        known = search.names(context)
        cause, hint = search.none_is_called(name, known), f"{search.known_sites(known)}; or give the path of one"
        here = next((name + suffix for suffix in search.SUFFIXES if os.path.isfile(base / (name + suffix))), None)
        hint += f", such as {printable(here)}" if here else ""
        raise InvalidConfiguration(Problem(cause, origin, "; ".join([hint, *search.unusable(context)])))
    return read(file_named, context)


def listed(context: Context, rules: bool = True) -> list[Listed]:
    """Every site profile on the search path; a broken file disables itself alone. `rules`: see `read`."""
    seen: dict[str, Path] = {}
    result = []
    for file in search.files(context):
        found, error, read_so_far = None, None, None
        try:
            read_so_far = with_parents(file, context)
            found = _checked(file, read_so_far, rules)
        except InvalidConfiguration as broken:
            error = broken
        name = found.site.name if found else search.name_in(file)
        document, parents = (read_so_far.document, read_so_far.parents) if read_so_far else (None, ())
        result.append(Listed(name, file, found, error, seen.get(name), document, parents))
        seen.setdefault(name, file)
    return result


def _checked(file: Path, inherited: Inherited, rules: bool) -> SiteFile:
    document, whole = inherited.document, not inherited.problems
    site, wrong = validate(Site, document, whole=whole)
    problems = [*inherited.problems, *wrong]
    problems += site_checks.problems(document, whole=whole) if rules else []
    if site is None or problems:
        raise InvalidConfiguration(*problems)
    return SiteFile(site, document, file, _text(inherited), inherited.parents)


def _text(inherited: Inherited) -> str:
    if not inherited.parents:
        return inherited.text
    import yaml

    return yaml.safe_dump(inherited.document.data, sort_keys=False, allow_unicode=True)


def _refuse_missing(file: Path, context: Context) -> None:
    """A path of nothing: what was meant is a site or a site profile, whatever else lies there."""
    try:
        os.lstat(file)
    except FileNotFoundError:
        near = nearest(file.name, [each.name for each in search.site_profiles_in(file.parent)])
        site = nearest(file.stem, search.names(context))
        meant = [printable(str(file.with_name(near)))] if near else []
        meant += [f"the site {printable(site)} (without a suffix)"] if site else []
        hint = f"did you mean {either(meant)}?" if meant else ""
        if not os.path.isdir(file.parent):
            hint = "; ".join(filter(None, [f"nor is there a directory {printable(str(file.parent))}", hint]))
        origin = Origin(printable(shown(file, context)))
        raise InvalidConfiguration(Problem("there is no such file", origin, hint)) from None
    except (OSError, ValueError):  # reading it tells why
        return
