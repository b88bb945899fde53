"""The names by which site profiles choose templates: those of ours, and of plug-ins."""

from __future__ import annotations

import os
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
    from hpc_launch.batch.other_names import meant_by  # only where something is wrong

    there = known(folder)
    near = meant_by(name, there) if folder == "directives" else nearest(name, there)
    cause = f"{key}: {name!r} is not known" + (f"; did you mean {near!r}?" if near else "")
    return Problem(cause, origin, f"there are: {', '.join(there)}; a plug-in can bring others")


def _names(folder: str) -> Iterator[str]:
    for place in (TEMPLATES, *plug_in_templates()):
        yield from (file.name.removesuffix(SUFFIX) for file in (place / folder).glob(f"*{SUFFIX}"))
