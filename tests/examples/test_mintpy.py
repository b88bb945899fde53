"""MintPy on this machine: the example's README, and worker jobs on stand-ins for PBS and LSF."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.batch.on_pbs import OnPbs, on_pbs
from tests.conftest import ROOT
from tests.examples.mintpy import EXAMPLE, INVERSION, MINTPY, STACK
from tests.examples.readme import follow
from tests.local.runs import Here

OF_LSF = {"batch_system": "lsf", "launchers": {"node": "blaunch"}}
LSF = {
    "bsub": """#!/bin/bash
cat >PLACE.sh
LSB_JOBID=7 setsid bash PLACE.sh </dev/null >PLACE.log 2>&1 &
echo $! >PLACE.pid
echo 'Job <7> is submitted to queue <workq>.'
""",
    "bkill": """#!/bin/bash
kill -TERM -- "-$(cat PLACE.pid)"
""",
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "mintpy").symlink_to(MINTPY)
    shutil.copytree(EXAMPLE, home / "insar")
    user = Here(ROOT, home)
    yield user
    user.end_all()


def test_its_readme_can_be_followed(here: Here) -> None:
    """Its environment is made by `make`, as its own lines would."""
    follow(EXAMPLE / "README.md", here, "The stack", "On one node")


def pbs(directory: Path) -> OnPbs:
    """A user of a PBS of this host, whose jobs begin in the home directory."""
    return on_pbs(directory)


def lsf(directory: Path) -> OnPbs:
    """The same with an LSF, which has one job and begins it where it was submitted."""
    user = on_pbs(directory)
    site = yaml.safe_load((user.project / "pbs.yaml").read_text())
    (user.project / "lsf.yaml").write_text(yaml.safe_dump({**site, "name": "lsf-here", **OF_LSF}))
    for name, text in LSF.items():
        (user.programs / name).write_text(text.replace("PLACE", str(user.jobs / "7")))
        (user.programs / name).chmod(0o755)
    return user


@pytest.mark.parametrize("batch_system", [pbs, lsf])
def test_worker_jobs_compute_the_same(batch_system: Callable[[Path], OnPbs], tmp_path: Path) -> None:
    user, name = batch_system(tmp_path), batch_system.__name__
    (user.project / "dask.yaml").write_text(user.command("export", "jobqueue", "--site", f"./{name}.yaml").stdout)
    python(user, EXAMPLE / "make_stack.py", STACK)
    parallel = ("--cluster", name, "--config", f"{name}-here", "--num-worker", "2")
    for directory, words in (("serial", ()), ("parallel", parallel)):
        (user.project / directory).mkdir()
        in_directory(user, directory, [*INVERSION, f"../{STACK}", *words])
    said = python(user, EXAMPLE / "compare.py", "serial/timeseries.h5", "parallel/timeseries.h5")
    assert "the same numbers as in serial/timeseries.h5" in said


def python(user: OnPbs, *words: str | Path) -> str:
    return in_directory(user, ".", [MINTPY / "bin/python", *words])


def in_directory(user: OnPbs, directory: str, command: list[str | Path]) -> str:
    """What a command prints that ends well."""
    environment = {**user.environment(), "DASK_CONFIG": str(user.project / "dask.yaml")}
    done = subprocess.run(
        command, cwd=user.project / directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
