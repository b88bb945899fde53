"""Where the files that travel with the program are, and those that plug-ins bring: the one place that knows."""

from __future__ import annotations

import os
from pathlib import Path

from hpc_launch.batch import GROUP as BATCH_SYSTEMS

LAYOUTS = "hpc_launch.layouts"
"""Entry points of this group are layouts from outside: name → a `plan.layouts.Layout`."""
PACKAGE = Path(__file__).resolve().parent


def _beside(name: str) -> Path:
    # Installed, they lie in the package; in a checkout, they stand at its top, where people look for them.
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


TEMPLATES = _beside("templates")
SITE_PROFILES = _beside("site_profiles")
JOBSIDE = PACKAGE / "jobside"


def plug_ins(group: str = BATCH_SYSTEMS) -> dict[str, str]:
    """What comes from outside: name → `module:object`, as installed. It takes tens of milliseconds."""
    from importlib.metadata import entry_points  # slow, and only who names such a batch system needs it

    return {entry.name: entry.value for entry in entry_points(group=group)}


def plug_in_templates() -> list[Path]:
    """The directories `templates` beside the modules of plug-ins, batch systems' first, in the order of names.

    They are found without importing a plug-in; one that is broken, or has no such directory, is passed over.
    """
    brought = [value for group in (BATCH_SYSTEMS, LAYOUTS) for _, value in sorted(plug_ins(group).items())]
    beside = (_directory(value.partition(":")[0].strip()) for value in brought)
    there = [directory / "templates" for directory in beside if directory]
    return [directory for directory in dict.fromkeys(there) if os.access(directory, os.X_OK) and directory.is_dir()]


def _directory(module: str) -> Path | None:
    """Where a module's file lies; None for one that is not there, or has no file."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *below = module.split(".")
    try:
        spec = find_spec(top)
        if spec and below:  # find_spec of `a.b` would import `a`
            places = [os.path.join(place, *below[:-1]) for place in spec.submodule_search_locations or []]
            spec = PathFinder.find_spec(module, places)
    except Exception:  # finders are code of others too; what is wrong with a plug-in is told to who uses it
        return None
    return Path(spec.origin).parent if spec and spec.has_location and spec.origin else None
