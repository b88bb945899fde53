"""MintPy on this machine: the example's README, and worker jobs on a stand-in for PBS."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.on_pbs import OnPbs, on_pbs
from tests.conftest import ROOT
from tests.examples.mintpy import EXAMPLE, INVERSION, MINTPY, STACK
from tests.examples.readme import follow
from tests.local.runs import Here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "mintpy").symlink_to(MINTPY)
    shutil.copytree(EXAMPLE, home / "insar")
    user = Here(ROOT, home)
    yield user
    user.end_all()


@pytest.fixture
def pbs(tmp_path: Path) -> OnPbs:
    return on_pbs(tmp_path)


def test_its_readme_can_be_followed(here: Here) -> None:
    """Its environment is made by `make`, as its own lines would."""
    follow(EXAMPLE / "README.md", here, "The stack", "On one node")


def test_worker_jobs_of_pbs_which_begin_in_the_home_directory(pbs: OnPbs) -> None:
    section = pbs.command("export", "jobqueue", "--site", "./pbs.yaml").stdout
    (pbs.project / "dask.yaml").write_text(section)
    python(pbs, EXAMPLE / "make_stack.py", STACK)
    serial, parallel = ("serial", ()), ("parallel", ("--cluster", "pbs", "--config", "pbs-here", "--num-worker", "2"))
    for name, words in (serial, parallel):
        (pbs.project / name).mkdir()
        in_directory(pbs, name, [*INVERSION, f"../{STACK}", *words])
    said = python(pbs, EXAMPLE / "compare.py", "serial/timeseries.h5", "parallel/timeseries.h5")
    assert "the same numbers as in serial/timeseries.h5" in said


def python(pbs: OnPbs, *words: str | Path) -> str:
    return in_directory(pbs, ".", [MINTPY / "bin/python", *words])


def in_directory(pbs: OnPbs, directory: str, command: list[str | Path]) -> str:
    """What a command prints that ends well."""
    environment = {**pbs.environment(), "DASK_CONFIG": str(pbs.project / "dask.yaml")}
    done = subprocess.run(
        command, cwd=pbs.project / directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
