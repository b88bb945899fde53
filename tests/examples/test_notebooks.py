"""The notebooks of examples/, executed as JupyterLab would."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT
from tests.local.living import INTERVALS
from tests.local.runs import Here, Run

EXAMPLES = ROOT / "examples"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "home").mkdir()
    user = Here(tmp_path / "project", tmp_path / "home")
    yield user
    user.end_all()


def executed(example: str, name: str, here: Here) -> str:
    """What its cells have printed and shown."""
    shutil.copytree(EXAMPLES / example, here.project)
    notebook = nbformat.read(here.project / name, as_version=4)
    environment = {**here.environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        environment.pop(variable)
    client = NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": here.project}}
    )
    client.execute(env={**environment, "PATH": os.environ["PATH"]})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return json.dumps(outputs, ensure_ascii=False)


def assert_ended_well(here: Here, shown: str) -> None:
    [listed] = json.loads(here.command("list", "--json").stdout)["runs"]
    Run(here, listed["run"]).ended_as("succeeded", 0)
    assert "token=" not in shown


def test_the_tutorial(here: Here) -> None:
    shown = executed("notebook", "cluster.ipynb", here)
    assert shown.count("π is about 3.1") == 4
    assert "6 workers: π" in shown and "times as fast" in shown
    assert "without work: 1 worker" in shown
    seen = shown.partition("at work: [")[2].partition("]")[0]
    assert max(map(int, seen.split(","))) > 1
    assert_ended_well(here, shown)


def test_xarray_and_zarr(here: Here) -> None:
    shown = executed("xarray-zarr", "mean.ipynb", here)
    assert "240 time steps, from 7.0 to 23.0 degrees" in shown
    assert (here.project / "mean.png").stat().st_size > 5000
    assert_ended_well(here, shown)
