"""Runs in a container, through a stand-in of the runtime that shows its programs what was bound, and nothing else."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.local.runs import Here, Run

RUNTIME = Path(__file__).parent / "container-runtime"
SYSTEM = ["/bin", "/lib", "/lib64", "/usr", "/etc", "/dev", "/proc", "/sys"]


RUNTIMES = ("apptainer", "singularity", "podman-hpc", "shifter")


@pytest.fixture
def contained(here: Here) -> Here:
    """A user of a site with containers; the image holds this Python and its packages, and sets some variables."""
    (here.home / "bin").mkdir()
    for name in RUNTIMES:
        (here.home / "bin" / name).symlink_to(RUNTIME)
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    said = [
        f"PATH={Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH=/of/the/image",
        "WORD=the image's",
        "OTHER=the image's",
    ]
    image = "\n".join([*SYSTEM, *sorted(prefixes), *said]) + "\n"
    (here.home / "images").mkdir()
    for place in (here.project, here.home / "images"):
        (place / "env.sif").write_text(image)
    return of_runtime(here, "apptainer")


def of_runtime(here: Here, name: str) -> Here:
    """The same user, where this one runs containers."""
    (here.project / f"{name}.yaml").write_text(f"schema: 1\nname: own\nextends: local\ncontainers: {name}\n")
    return replace(here, site=f"./{name}.yaml")


def test_a_workload_without_workers_runs_in_it_too(contained: Here) -> None:
    command = 'echo "${CONTAINER_IMAGE##*/}"; exit 5'
    workload = {"command": command, "cores": 1, "memory": "100 MB"}
    profile = {"site": contained.site, "workers": "none", "workload": workload, "environment": environment(contained)}
    (contained.project / "plain.yaml").write_text(yaml.safe_dump(profile))
    run = Run(contained, contained.command("submit", "plain.yaml").stdout.strip())
    run.ended_as("failed", 5)
    assert run.log() == "env.sif\n"


def environment(here: Here, **container: object) -> dict[str, object]:
    return {
        "python": sys.executable,
        "setup": f"export PATH={here.home}/bin:$PATH",
        "container": {"image": "env.sif", **container},
    }


WORK = """
import os, pathlib, sys
from dask.distributed import Client

def image():
    return os.environ.get("CONTAINER_IMAGE")

def sees():
    return os.path.exists(sys.argv[1])

c = Client()
print(pathlib.Path(image()).name, c.submit(image).result() == image() == c.run_on_scheduler(image))
print(sees(), c.submit(os.path.exists, sys.argv[1]).result(), pathlib.Path("/given/numbers").read_text())
print(c.submit(os.getcwd).result())
"""


def test_scheduler_workers_and_workload_run_in_it_and_a_command_line_keeps_its_quotes_and_its_exit_code(
    contained: Here,
) -> None:
    for name in ("beside", "data"):
        (contained.project / name).mkdir()
    (contained.project / "data" / "numbers").write_text("1 2 3")
    (contained.home / "secret").write_text("not bound")
    (contained.project / "work.py").write_text(WORK)
    run = contained.submit(
        f"python work.py {contained.home}/secret\n"
        "sleep 2 # the scheduler looks every two seconds whether its job is alive\n"
        'echo "it\'s" \'in $HOME\' $(basename "$CONTAINER_IMAGE"); false | cat; exit 7',
        workers={"local_directory": str(contained.project / "scratch")},
        environment=environment(contained, binds=["data:/given:ro"]),
    )
    run.ended_as("failed", 7)
    said = ["env.sif True", "False False 1 2 3", str(contained.project), "it's in $HOME env.sif"]
    assert run.log().splitlines() == said


def test_an_image_that_is_not_there_is_told(contained: Here) -> None:
    run = contained.submit("true", environment={**environment(contained), "container": {"image": "none.sif"}})
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert f"environment.container.image: there is no {contained.project}/none.sif on " in reason


def test_an_image_without_the_python_in_it_is_told(contained: Here) -> None:
    (contained.project / "empty.sif").write_text("/usr\n")
    run = contained.submit("true", environment={**environment(contained), "container": {"image": "empty.sif"}})
    assert (
        f"{sys.executable} (named by environment.python) does not run, see logs/workers-"
        in (run.ended_as("launch-failed", 1)["reason"])
    )


def test_a_runtime_that_is_not_there_is_named(contained: Here) -> None:
    run = contained.submit("true", environment={**environment(contained), "setup": ""})
    assert "there is no apptainer here (PATH is " in run.ended_as("launch-failed", 1)["reason"]


def test_a_cancel_reaches_what_is_in_it(contained: Here) -> None:
    run = contained.submit(["sleep", "300"], environment=environment(contained))
    run.until_running()
    assert contained.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)


SEEN = """
import os, pathlib, beside
from dask.distributed import Client

def seen():
    names = ("WORD", "OTHER", "HPC_LAUNCH_RUN_DIR", "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION")
    return [os.environ.get(name) for name in names], os.getcwd(), pathlib.Path("/given/numbers").read_text(), beside.ONE

c = Client()
here, there, scheduler = seen(), c.submit(seen).result(), c.run_on_scheduler(seen)
print(here == there, here[0] == scheduler[0], here)
"""


@pytest.mark.parametrize("runtime", RUNTIMES[1:])
def test_each_runtime_shows_directories_and_variables_of_the_run_and_those_of_the_profile(
    contained: Here, runtime: str
) -> None:
    there = of_runtime(contained, runtime)
    (there.project / "data").mkdir()
    (there.project / "data" / "numbers").write_text("1 2 3")
    (there.project / "beside.py").write_text("ONE = 1")
    (there.project / "seen.py").write_text(SEEN)
    own = environment(there, binds=["data:/given:ro"]) | {"variables": {"WORD": "a, b=c", "EMPTY": ""}}
    run = there.submit(
        [sys.executable, "seen.py"], workers={"local_directory": str(there.project / "scratch")}, environment=own
    )
    run.ended_as("succeeded", 0)
    variables = ["a, b=c", "the image's", str(run.directory), "true"]
    assert run.log() == f"True True {(variables, str(there.project), '1 2 3', 1)}\n"
