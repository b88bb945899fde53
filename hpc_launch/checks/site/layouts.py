"""Layouts: those that are allowed, and those that are ruled out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from hpc_launch.checks.site.places import mapping, member, stands_against, word, words
from hpc_launch.config.document import Document
from hpc_launch.config.wording import listed
from hpc_launch.errors import Problem
from hpc_launch.models.site import Layout

KNOWN: tuple[str, ...] = get_args(Layout)


def default(document: Document) -> Iterator[Problem]:
    """The default layout is allowed; of a word that is no layout at all the schema tells."""
    allowed = [each for _, each in words(document, ("layouts",))]
    if allowed and word(document, ("defaults", "layout")) in KNOWN:
        yield from member(document, ("defaults", "layout"), allowed, "the layouts")


def ruled_out(document: Document) -> Iterator[Problem]:
    """What is ruled out is not allowed. A profile that extends another may allow what that one ruled out."""
    ruled = [layout for layout, why in mapping(document, ("ruled_out",)).items() if layout in KNOWN and why is not None]
    named = isinstance(document.data.get("layouts"), list)
    allowed = [each for _, each in words(document, ("layouts",))] if named else KNOWN
    both = [
        layout
        for layout in ruled
        if layout in allowed and (not named or stands_against(document, ("ruled_out", layout), ("layouts",)))
    ]
    if both:
        left = [layout for layout in KNOWN if layout in allowed and layout not in ruled]
        cause = f"ruled_out: {listed(both, 'and')} {'is' if len(both) == 1 else 'are'} among the layouts"
        cause += "" if named else ", for all are where none are named"
        hint = f"{'write' if named else 'add'} layouts: [{', '.join(left)}]"
        yield Problem(cause, document.origins.get(("ruled_out",)), hint)
