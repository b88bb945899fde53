"""The names by which site profiles choose templates: those of ours, and of plug-ins."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import nearest
from hpc_launch.errors import Problem
from hpc_launch.locations import TEMPLATES, plug_in_templates, plug_ins

SUFFIX = ".sh.j2"


def is_ours(folder: str, name: str) -> bool:
    """Whether there is one here; plug-ins are not looked for, which takes a while."""
    return "/" not in name and os.path.isfile(TEMPLATES / folder / f"{name}{SUFFIX}")


def known(folder: str) -> list[str]:
    """All names in a folder, those of plug-ins too."""
    return sorted(set(_names(folder)))


def no_such(folder: str, name: str, key: str, origin: Origin | None) -> Problem:
    """What to say of a name for which there is no template.

    Args:
        key: of the site profile, that holds the name.
    """
    if folder == "directives" and name in (brought := plug_ins()):
        cause = f"{key}: {name!r} is a plug-in's ({brought[name]}), which has no {folder}/{name}{SUFFIX}"
        return Problem(cause, origin, "it belongs into a directory `templates` beside that module: install it anew")
    there = known(folder)
    near = nearest(name, there)
    cause = f"{key}: {name!r} is not known" + (f"; did you mean {near!r}?" if near else "")
    return Problem(cause, origin, f"there are: {', '.join(there)}; a plug-in can bring others")


def says(batch_system: str, setting: str, word: str) -> bool:
    """Whether a batch system's template of directives sets something to this word, seen without reading it as one."""
    return re.search(rf"{{%[-+]?\s*set\s+{setting}\s*=\s*{word}\b", text_of(batch_system)) is not None


def text_of(batch_system: str) -> str:
    """The text of a batch system's template of directives; empty where there is none."""
    ours = is_ours("directives", batch_system)
    if not ours and batch_system not in known("directives"):
        return ""
    places = [TEMPLATES] if ours else plug_in_templates()
    files = [place / "directives" / f"{batch_system}{SUFFIX}" for place in places]
    return next((file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()), "")


def _names(folder: str) -> Iterator[str]:
    for place in (TEMPLATES, *plug_in_templates()):
        yield from (file.name.removesuffix(SUFFIX) for file in (place / folder).glob(f"*{SUFFIX}"))
