"""What runs beside the scheduler: asked for, started by the job, refused where it is known to be missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from hpc_launch.models.job import Share
from hpc_launch.prepare import Prepared, prepare
from tests.conftest import LEAST
from tests.rendering import shellcheck, write

Prepare = Callable[..., Prepared]
GIB = 2**30
JUPYTER = "services: {jupyter: true}\n"


@pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])
def test_jupyter_is_started_by_the_scheduler_s_job_and_asked_for_with_it(
    prepared: Prepare, tmp_path: Path, layout: str
) -> None:
    without, made = (prepared(LEAST + more, f"layout={layout}") for more in ("", JUPYTER))
    main = made.plan.main
    assert Share("JupyterLab", 1, 1, 4 * GIB) in main.holds
    assert main.cores_per_node == without.plan.main.cores_per_node + 1
    assert main.memory_bytes_per_node > without.plan.main.memory_bytes_per_node + 4 * GIB
    assert made.rendered.files[main.file].count(" python jobside jupyter ") == 1
    assert {"jobside/jupyter.py", "jobside/within.sh"} <= made.rendered.files.keys()
    assert "jobside/jupyter.py" not in without.rendered.files
    assert shellcheck(write(made, tmp_path / "run"), main.file) == ""
    others = {job.file for job in made.plan.jobs} - {main.file}
    assert all("jupyter" not in made.rendered.files[file] for file in others)


def test_it_has_cores_and_memory_of_its_own(prepared: Prepare) -> None:
    made = prepared(LEAST, "services.jupyter={cores: 3, memory: 1 GiB}")
    assert Share("JupyterLab", 1, 3, GIB) in made.plan.main.holds
    for none in ("false", "null"):
        assert prepared(LEAST, f"services.jupyter={none}").plan == prepared(LEAST).plan


def environment(directory: Path, lines: str, *packages: str) -> Path:
    """A virtual environment, as far as it is looked at."""
    for package in ("", *packages):
        (directory / "lib/python3.12/site-packages" / package).mkdir(parents=True, exist_ok=True)
    (directory / "pyvenv.cfg").write_text(lines)
    return directory


ALONE, SHARING = ("include-system-site-packages = " + word for word in ("false", "true"))


def test_an_environment_without_it_is_refused_before_anything_is_submitted(prepared: Prepare, tmp_path: Path) -> None:
    lacks = environment(tmp_path / "lacks", ALONE)
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(LEAST + JUPYTER, f"environment.venv={lacks}", site="local")
    [problem] = refusal.value.problems
    assert problem.message == f"services.jupyter: {lacks}/bin/python has no JupyterLab"
    assert str(problem.origin) == "profile.yaml:3"
    packages = "jupyterlab dask-labextension jupyter-server-proxy bokeh"
    assert problem.hint == f"install it there: {lacks}/bin/python -m pip install {packages}"


def test_what_cannot_be_known_is_not_refused(prepared: Prepare, tmp_path: Path) -> None:
    has = environment(tmp_path / "has", ALONE, "jupyterlab")
    shares = environment(tmp_path / "shares", SHARING)
    lacks = environment(tmp_path / "lacks", ALONE)
    for said in ([has], [shares], [tmp_path / "elsewhere"], ["$SCRATCH/venv"]):
        assert prepared(LEAST + JUPYTER, f"environment.venv={said[0]}").plan.jupyter
    for more in ("environment.modules=[jupyter]", "environment.setup=export PYTHONPATH=/x"):
        assert prepared(LEAST + JUPYTER, f"environment.venv={lacks}", more).plan.jupyter


def test_the_python_that_runs_hpc_launch_is_asked(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(context, interpreter=sys.executable)
    (tmp_path / "profile.yaml").write_text(LEAST + JUPYTER)
    assert prepare(Path("profile.yaml"), own, "local").plan.jupyter
    monkeypatch.setattr("hpc_launch.checks.services.NEEDED", "no_such_package")
    with pytest.raises(InvalidConfiguration, match="has no JupyterLab"):
        prepare(Path("profile.yaml"), own, "local")
