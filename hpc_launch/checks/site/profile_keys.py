"""`defaults`: keys of profiles, as a layer below the user's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hpc_launch.config.document import Document
from hpc_launch.config.layers import at, merge
from hpc_launch.config.validation import validate
from hpc_launch.errors import Problem
from hpc_launch.models.profile import Profile

UNSAID: dict[str, Any] = {"workers": {"count": 1_000_000}, "workload": {"command": ["true"]}}
"""What every profile has to set and a site has no opinion on: of workers as many as can be, since `minimum` is less."""


def given(document: Document) -> dict[str, Any]:
    """What the defaults set: null is as if they had not."""
    return merge([layer(document)]).data


def defaults(document: Document) -> tuple[Profile | None, list[Problem]]:
    """The profile that a site's `defaults` are by themselves, and what is wrong in them, at the site's own lines."""
    profile, problems = validate(Profile, merge([Document(UNSAID, {}, ()), merge([layer(document)])]))
    return profile, [replace(each, message=_within_defaults(each.message)) for each in problems]


def values(document: Document) -> Iterator[Problem]:
    """They are what a profile could say."""
    yield from defaults(document)[1]


def site(document: Document) -> Iterator[Problem]:
    """Whose defaults are read is the site already."""
    path = ("defaults", "site")
    if at(document.data, path) is not None:
        cause = "defaults.site: a site is chosen before its defaults are read, so it would never act"
        yield Problem(cause, document.origins.get(path), "leave it out; users set it in their own config.yaml")


def layer(document: Document) -> Document:
    """What the defaults say, as written, with the lines of the site's own file."""
    said = document.data.get("defaults")
    origins = {path[1:]: origin for path, origin in document.origins.items() if path[:1] == ("defaults",)}
    return Document(said if isinstance(said, dict) else {}, origins, ())


def _within_defaults(message: str) -> str:
    """Messages begin with the key that they are about (`config.complaints`)."""
    before = "the name of " if message.startswith("the name of ") else ""
    return f"{before}defaults.{message.removeprefix(before)}"
