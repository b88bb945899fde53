"""Runs made by an earlier version: the version itself, as a wheel of commit 9fe19f8, and runs that it has finished."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import Result
from tests.local.runs import Here

HERE = Path(__file__).resolve().parent
SITES = HERE / "sites"
"""Site profiles as they were then."""
FINISHED = sorted(path.name for path in (HERE / "finished").iterdir())
"""Run directories, named SITE-LAYOUT-OUTCOME, without the files that were rendered."""


def unpacked(directory: Path) -> Path:
    """The earlier version as a directory for PYTHONPATH; its dependencies are those of this environment."""
    wheels = list(HERE.glob("*.whl"))
    if not wheels and not (HERE.parent.parent / ".git").exists():
        pytest.skip("the sdist does not hold the wheel of an earlier version")
    [wheel] = wheels
    zipfile.ZipFile(wheel).extractall(directory)
    return directory


def finished(name: str, directory: Path) -> Path:
    """A finished run as the user's own, below `directory`."""
    copy = directory / name
    shutil.copytree(HERE / "finished" / name, copy)
    copy.chmod(0o700)
    (copy / "run.json").chmod(0o600)
    return copy


@dataclass(frozen=True)
class Earlier(Here):
    """The same user with the earlier version."""

    version: Path = Path()

    @classmethod
    def of(cls, here: Here) -> Earlier:
        return cls(here.project, here.home, here.site, here.python, unpacked(here.home / "earlier"))

    def command(self, *words: str) -> Result:
        return self.command_in_its_own_process(*words)

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": os.fspath(self.version)}
