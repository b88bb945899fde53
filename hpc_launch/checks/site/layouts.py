"""Layouts: those that are allowed, and those that are ruled out."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.site.places import mapping, member, stands_against, word, words
from hpc_launch.config.document import Document
from hpc_launch.config.wording import listed
from hpc_launch.errors import Problem
from hpc_launch.models.layout_name import OWN, is_known


def loads(document: Document) -> Iterator[Problem]:
    """Those of plug-ins can be used; of a word that is no layout at all the schema tells."""
    for path, name in words(document, ("layouts",)):
        if name not in OWN and is_known(name):
            from hpc_launch.plan.layouts import DoesNotLoad, layout_of  # which stands above this

            try:
                layout_of(name)
            except DoesNotLoad as fault:
                hint = "this is a mistake in the plug-in, or in how it was installed"
                yield Problem(f"layouts: {fault}", document.origins.get(path), hint)


def default(document: Document) -> Iterator[Problem]:
    """The default layout is allowed; of a word that is no layout at all the schema tells."""
    allowed = [each for _, each in words(document, ("layouts",))]
    if allowed and is_known(word(document, ("defaults", "layout"))):
        yield from member(document, ("defaults", "layout"), allowed, "the layouts")


def ruled_out(document: Document) -> Iterator[Problem]:
    """What is ruled out is not allowed. A profile that extends another may allow what that one ruled out."""
    rules = mapping(document, ("ruled_out",))
    ruled = [layout for layout, why in rules.items() if is_known(layout) and why is not None]
    named = isinstance(document.data.get("layouts"), list)
    allowed = [each for _, each in words(document, ("layouts",))] if named else [*OWN]
    both = [
        layout
        for layout in ruled
        if layout in allowed and (not named or stands_against(document, ("ruled_out", layout), ("layouts",)))
    ]
    if both:
        left = [layout for layout in dict.fromkeys(allowed) if is_known(layout) and layout not in ruled]
        cause = f"ruled_out: {listed(both, 'and')} {'is' if len(both) == 1 else 'are'} among the layouts"
        cause += "" if named else ", for all are where none are named"
        hint = f"{'write' if named else 'add'} layouts: [{', '.join(left)}]"
        yield Problem(cause, document.origins.get(("ruled_out",)), hint)
