"""Environments that people activate, on several hosts of a real Slurm and a real Grid Engine: modules, setup lines."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, log_lines
from tests.local.runs import Run, until

MODULES = ". /etc/profile.d/modules.sh"
"""What makes `module` work in a bare shell of these hosts."""
ON_TWO_HOSTS = {"count": 2, "per_node": 1, "memory": "300 MB"}
WHERE = """
import sys
from dask.distributed import Client

def where():
    return sys.executable

c = Client()
c.wait_for_workers(2)
print(*{where(), *c.run(where).values(), c.run_on_scheduler(where)})
"""


@pytest.fixture(params=["testcluster", "gridcluster"])
def there(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[There]:
    """The user, whose site has modules; the cluster's own site files are beside theirs."""
    user = There.at(cluster)
    text = (cluster.directory / f"sites/{request.param}.yaml").read_text()
    kept = re.sub(r"^(launchers|detect|environment):.*\n", "", text, flags=re.M)
    own = f"environment: {{setup: '{MODULES}'}}\nlaunchers: {{mpi: mpiexec}}\n"
    user.write("site.yaml", kept + own)
    user.write("where.py", WHERE)
    yield replace(user, site="./site.yaml")
    cluster.run(["qdel", "-u", "hpcuser"], check=False)
    until(lambda: cluster.run(["qstat", "-u", "hpcuser"]).stdout == "", "every job to leave Grid Engine")


def environment(there: There, name: str) -> Path:
    """A virtual environment of the user's, with the packages of that in which hpc-launch runs; gives its Python."""
    directory = there.project / name
    there.cluster.run([there.python, "-m", "venv", "--without-pip", directory])
    (packages,) = directory.glob("lib/python3*/site-packages")
    (of_hpc_launch,) = there.cluster.venv.glob("lib/python3*/site-packages")
    there.write(str((packages / "others.pth").relative_to(there.project)), f"{of_hpc_launch}\n")
    return directory / "bin" / "python"


def module(there: There, name: str, python: Path) -> str:
    """A module that brings this Python; gives the directory that it is in."""
    (there.project / "modulefiles").mkdir()
    shutil.chown(there.project / "modulefiles", "hpcuser", "hpcuser")
    there.write(f"modulefiles/{name}", f"#%Module\nprepend-path PATH {python.parent}\n")
    return "modulefiles"


def run_in(there: There, **keys: Any) -> Run:
    run = there.submit(["python", "where.py"], workers=ON_TWO_HOSTS, **keys)
    assert run.wait() == 0, run.status()["reason"]
    return run


def test_a_module_that_is_not_everybodys_brings_the_python_of_all(there: There) -> None:
    python = environment(there, "analysis")
    place = module(there, "a-python", python)
    run = run_in(there, environment={"purge": True, "module_path": [place], "modules": ["a-python"]})
    assert run.log() == f"{python}\n"
    assert f"the Python of this run is {python} (put first on PATH by environment.modules; " in run.log("job")


@pytest.mark.parametrize("layout", ["job-array", "mpi"])
def test_setup_activates_the_python_of_all(there: There, layout: str) -> None:
    python = environment(there, "analysis")
    # The environment of hpc-launch has the MPI launcher, and the library for mpi4py.
    venv = there.cluster.venv
    launcher = f"export PATH=$PATH:{venv}/bin LD_LIBRARY_PATH={venv}/lib"
    setup = f"source {python.parent}/activate; {launcher}"
    run = run_in(there, layout=layout, environment={"setup": setup})
    assert run.log() == f"{python}\n"
    assert f"the Python of this run is {python} (put first on PATH by environment.setup; " in run.log("job")


def test_a_module_that_is_not_there_is_told_by_the_node(there: There) -> None:
    for layout in ("single-job", "job-array"):
        run = there.submit("true", workers=ON_TWO_HOSTS, layout=layout, environment={"modules": ["a-python"]})
        assert run.wait() == 1
        assert re.search(r"c\d: environment.sh failed: the module a-python cannot be loaded", run.status()["reason"])
        parts = ("workers", "scheduler")
        assert any("Unable to locate a modulefile for 'a-python'" in line for p in parts for line in log_lines(run, p))
