"""Runs in the Python that a profile's own lines activate, on this machine."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from tests.local.runs import Here

WHERE = """
import sys
from dask.distributed import Client

def where():
    return sys.executable

c = Client()
c.wait_for_workers(1)
print(where(), c.submit(where).result(), c.run_on_scheduler(where))
"""


def environment(directory: Path, *, with_dask: bool = True) -> Path:
    """A virtual environment that sees this Python's packages, or nothing; gives its `activate`."""
    (directory / "bin").mkdir(parents=True)
    (directory / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    (directory / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    packages = directory / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    if with_dask:
        (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    activate = directory / "bin" / "activate"
    activate.write_text(f"VIRTUAL_ENV='{directory}'\nPATH=$VIRTUAL_ENV/bin:$PATH\nexport VIRTUAL_ENV PATH\n")
    return activate


@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_scheduler_workers_and_workload_run_in_the_one_that_setup_activates(here: Here, layout: str) -> None:
    activate = environment(here.project / "other")
    (here.project / "where.py").write_text(WHERE)
    run = here.submit(["python", "where.py"], layout=layout, environment={"setup": f"source '{activate}'"})
    run.ended_as("succeeded", 0)
    python = str(activate.with_name("python"))
    assert run.log().split() == [python] * 3
    which = f"{python} (put first on PATH by environment.setup; hpc-launch itself runs in {sys.executable})"
    assert f"the Python of this run is {which}" in run.log("job")
    assert (run.directory / "state" / "1" / "python").read_text() == f"{which}\n"


@pytest.mark.parametrize("workers", [{"count": 1}, {"count": 0}])
def test_without_dask_in_it_a_node_is_unfit_and_both_are_named(here: Here, workers: dict[str, int]) -> None:
    """Also the scheduler's own node, where no worker is."""
    activate = environment(here.project / "other", with_dask=False)
    layout = "single-job" if workers["count"] else "job-array"
    run = here.submit(
        "true", layout=layout, workers=workers | {"memory": "300 MB"}, environment={"setup": f". '{activate}'"}
    )
    reason = run.ended_as("launch-failed", 1)["reason"]
    python = str(activate.with_name("python"))
    by = f"({python} (put first on PATH by environment.setup; hpc-launch itself runs in {sys.executable})"
    assert f"{by[1:]} cannot import dask.distributed: install dask and distributed there" in reason


def test_lines_that_do_not_load_make_the_schedulers_node_unfit_too(here: Here) -> None:
    activate = environment(here.project / "other")
    setup = f". '{activate}'\n. /nowhere/bin/activate\n[ -n \"${{VIRTUAL_ENV_OF_NOBODY-}}\" ] || return 3"
    run = here.submit(
        "true", layout="job-array", workers={"count": 0, "memory": "300 MB"}, environment={"setup": setup}
    )
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert "environment.sh failed: " in reason and "/nowhere/bin/activate: No such file" in reason


def test_a_module_to_be_imported_that_is_not_there_is_told(here: Here) -> None:
    run = here.submit("echo never", workers={"imports": ["dask.array", "no_such_module.part"]})
    assert "cannot import no_such_module.part (workers.imports)" in run.ended_as("launch-failed", 1)["reason"]
