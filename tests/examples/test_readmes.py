"""What a README has people type shows what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples.readme import follow
from tests.local.runs import Here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "home").mkdir()
    user = Here(ROOT, tmp_path / "home")
    yield user
    user.end_all()


def install_stand_in_of_apptainer(home: Path) -> None:
    """In `~/bin`, with an image that holds this Python; the user's configuration puts both on PATH."""
    (home / "bin").mkdir()
    (home / "bin/apptainer").symlink_to(ROOT / "tests/local/container-runtime")
    system = ["/bin", "/lib", "/lib64", "/usr", "/etc", "/dev", "/proc", "/sys"]
    (home / "dask.sif").write_text("\n".join([*system, sys.prefix, sys.base_prefix]) + "\n")
    (home / ".config/hpc-launch").mkdir(parents=True)
    setup = f"export PATH={home}/bin:{Path(sys.executable).parent}:$PATH"
    (home / ".config/hpc-launch/config.yaml").write_text(f"environment: {{setup: '{setup}'}}\n")


@pytest.mark.parametrize("example", ["subprocess-slots", "hpc-page"])
def test_a_readme_can_be_followed(here: Here, example: str) -> None:
    follow(ROOT / "examples" / example / "README.md", here)


def test_the_first_readme_can_be_followed_also_in_a_container(here: Here) -> None:
    readme = ROOT / "examples/monte-carlo-pi/README.md"
    follow(readme, here, "Here", "On a cluster")
    install_stand_in_of_apptainer(here.home)
    follow(readme, here, "In a container")
