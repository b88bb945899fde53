"""Which conda environments there are, by a look at directories: conda itself takes seconds to start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from hpc_launch.context import Context


def environments(context: Context) -> Mapping[str, Path] | None:
    """Name → directory; None: there is no conda here that could be asked."""
    roots = [*_roots(context)]
    if not roots:
        return None
    found = {"base": roots[0]}
    for place in (*_places(context), *(root / "envs" for root in roots)):
        for each in _within(place):
            found.setdefault(each.name, each)
    return found


def _roots(context: Context) -> Iterator[Path]:
    """Where conda, or a relative of it, is installed."""
    environment = context.environment
    if root := environment.get("MAMBA_ROOT_PREFIX"):
        yield Path(root)
    on_path = shutil.which("conda", path=environment.get("PATH", os.defpath))
    for program in (environment.get("CONDA_EXE"), on_path):
        if program:
            yield Path(os.path.realpath(program)).parent.parent


def _places(context: Context) -> Iterator[Path]:
    """Further directories of environments, those of the user."""
    for name in ("CONDA_ENVS_DIRS", "CONDA_ENVS_PATH"):
        yield from map(Path, filter(None, context.environment.get(name, "").split(os.pathsep)))
    yield context.home / ".conda" / "envs"
    try:
        configured = yaml.safe_load((context.home / ".condarc").read_text(encoding="utf-8"))
        for place in configured.get("envs_dirs") or ():
            yield Path(os.path.expanduser(str(place)))
    except (OSError, ValueError, yaml.YAMLError, AttributeError, TypeError):
        return


def _within(place: Path) -> list[Path]:
    try:
        return sorted(each for each in place.iterdir() if each.is_dir())
    except OSError:
        return []
