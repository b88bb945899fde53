"""`extends`: a site profile that takes from another what it does not say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from hpc_launch.config.document import A_SITE_PROFILE, Document, load_text, parse_document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.sites.search import files_named, names, none_is_called

LONGEST = 20
"""Site profiles in one line of descent: what is longer was made by mistake."""


class Inherited(NamedTuple):
    """A site profile with what it takes from its parents."""

    document: Document
    text: str
    """Of the file itself, as it is."""
    parents: tuple[Path, ...] = ()
    """The nearest first."""
    problems: tuple[Problem, ...] = ()
    """Why something is not inherited: then the document is not whole."""


def with_parents(file: Path, context: Context, children: tuple[Path, ...] = ()) -> Inherited:
    """A file merged over the one that it extends; raises InvalidConfiguration where the file itself cannot be read.

    All is inherited but the name: a file that extends another and gives none goes by its own.
    """
    text = load_text(file, shown(file, context), A_SITE_PROFILE)
    own = parse_document(text, shown(file, context))
    parent = own.data.get("extends")
    if isinstance(parent, bool) or not isinstance(parent, str | int | float):
        return Inherited(own, text)
    own, origin = _named(own, file), own.origins[("extends",)]
    try:
        if file in children:
            raise InvalidConfiguration(Problem(f"site profiles extend each other in a circle: {str(parent)!r}", origin))
        if len(children) == LONGEST:
            raise InvalidConfiguration(Problem(f"more than {LONGEST} site profiles extend one another", origin))
        parent_file = _parent(str(parent), file, own, origin, context)
        above = with_parents(parent_file, context, (*children, file))
    except InvalidConfiguration as broken:
        return Inherited(own, text, (), tuple(broken.problems))
    return Inherited(merge([_nameless(above.document), own]), text, (parent_file, *above.parents), above.problems)


def shown(file: Path, context: Context) -> str:
    """A file as a message names it: short where that is clear."""
    try:
        return str(file.relative_to(context.directory))
    except ValueError:
        return str(file)


def _parent(name: str, file: Path, own: Document, origin: Origin, context: Context) -> Path:
    """The site profile of a name; where that is the file's own, the next of that name, which the file shadows."""
    found, itself = files_named(name, context), name == own.data.get("name", file.stem)
    if itself:
        every = list(found)
        found = iter(every[every.index(file) + 1 :] if file in every else every)
    if (first := next(found, None)) is not None:
        return first
    if itself:
        hint = "`extends` of its own name means the next of that name on the search path: hpc-launch site list"
        raise InvalidConfiguration(Problem(f"no other site profile is called {name!r}", origin, hint))
    raise InvalidConfiguration(Problem(none_is_called(name, names(context)), origin, "hpc-launch site list"))


def _named(own: Document, file: Path) -> Document:
    """With the file's own name where it gives none, and its own can be one of a site."""
    if own.data.get("name") is not None or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.\-]*", file.stem):
        return own
    origins = {**own.origins, ("name",): Origin(own.origins[()].source)}
    return Document({**own.data, "name": file.stem}, origins, own.problems)


def _nameless(parent: Document) -> Document:
    data = {key: value for key, value in parent.data.items() if key != "name"}
    return Document(
        data, {path: origin for path, origin in parent.origins.items() if path != ("name",)}, parent.problems
    )
