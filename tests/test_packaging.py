"""What people install: wheel and sdist carry the templates and site profiles, and the program starts without dask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, SITES

PROFILE = ROOT / "examples" / "monte-carlo-pi" / "profile.yaml"
Installed = tuple[Path, Callable[..., str]]
"""The package, and how to run the Python that has it."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    base = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HPC_LAUNCH"))}
    done = subprocess.run(
        command, cwd=cwd, env={**base, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel made from it, as a package index would have them."""
    directory = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT, cwd=directory)
    return directory


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own; of its dependencies, which are many and large, those of this one do."""
    [wheel], directory = built.glob("*.whl"), tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", "env", cwd=directory)
    python = directory / "env" / "bin" / "python"
    place = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=directory).strip()
    to_place = ("--no-deps", "--no-index", "--target", place)
    run(sys.executable, "-m", "pip", "install", "-q", *to_place, wheel, cwd=directory)
    theirs = next(path for path in sys.path if path.endswith("site-packages"))

    def python_of_it(*words: str | Path) -> str:
        return run(python, *words, cwd=directory, PYTHONPATH=f"{place}:{theirs}", HOME=str(directory))

    return Path(place) / "hpc_launch", python_of_it


def test_the_wheel_renders_where_there_is_no_checkout(installed: Installed) -> None:
    package, python = installed
    found = python("-c", "import hpc_launch.locations as l; print(l.TEMPLATES); print(l.SITE_PROFILES)").split()
    assert found == [str(package / "templates"), str(package / "site_profiles")]
    rendered = json.loads(python("-m", "hpc_launch", "render", PROFILE, "--json", "--site", "ceres"))
    assert "#SBATCH --partition=ceres" in rendered["files"]["job.sh"]
    assert rendered["submissions"][0]["command"] == ["sbatch", "--parsable", "--job-name={run}", "job.sh"]


RENDER_ALL = """
import json, sys
from pathlib import Path
from hpc_launch.context import current
from hpc_launch.locations import TEMPLATES
from hpc_launch.prepare import prepare
from hpc_launch.render.templates import template_environment

profile, *sites = map(Path, sys.argv[1:])
files = {
    f"{site} {layout}": prepare(profile, current(), str(site), [f"layout={layout}"]).rendered.files
    for site in sites
    for layout in ("single-job", "job-array", "mpi")
}
scripts = [str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.sh.j2")]
read = [template_environment().get_template(name).filename for name in scripts]
print(json.dumps({"files": files, "read": read}))
"""


def test_compiled_templates_of_the_wheel_render_as_their_source_does(installed: Installed) -> None:
    package, python = installed
    [compiled] = (package / "compiled_templates").iterdir()
    sites = [SITES / f"{name}.yaml" for name in ("testcluster", "pbscluster", "lsfcluster", "gridcluster")]

    fast = json.loads(python("-c", RENDER_ALL, PROFILE, *sites))
    assert sorted(fast["read"]) == sorted(map(str, compiled.glob("*.py")))

    others = compiled.rename(compiled.with_name("3.0.0"))  # as if they were those of another Jinja
    try:
        slow = json.loads(python("-c", RENDER_ALL, PROFILE, *sites))
    finally:
        others.rename(compiled)
    assert {Path(file).suffix for file in slow["read"]} == {".j2"}
    assert len(fast["files"]) == 12 and fast["files"] == slow["files"]


LOAD_IN_THREADS = """
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hpc_launch.render.templates import template_environment

def loaded(number):
    environment = template_environment()
    try:
        template = environment.get_template("environment.sh.j2")
    except Exception as fault:
        return repr(fault)
    own = template.root_render_func.__globals__["environment"] is environment
    return "with its own environment" if own else "with another's"

sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as threads:
    print(*Counter(threads.map(loaded, range(3000))).items())
"""


def test_threads_do_not_share_compiled_templates(installed: Installed) -> None:
    _, python = installed
    assert python("-c", LOAD_IN_THREADS) == "('with its own environment', 3000)\n"


def test_everything_that_is_needed_travels(built: Path) -> None:
    [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for folder in ("templates", "site_profiles"):
        names = {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob("*") if file.is_file()}
        assert names <= in_sdist
        assert {f"hpc_launch/{name}" for name in names} <= in_wheel
    assert {"hpc_launch/jobside/attempt.sh", "hpc_launch/jobside/progress.py"} <= in_wheel
    assert any(name.endswith("/share/man/man1/hpc-launch.1") for name in in_wheel)
    assert {
        "examples/monte-carlo-pi/profile.yaml",
        "README.md",
        "tests/test_packaging.py",
        "Makefile",
        "hatch_build.py",
    } <= in_sdist


SHOW_MODULES = """
import sys
from hpc_launch import __main__
sys.argv = ["hpc-launch", *sys.argv[1:]]
try:
    __main__.main()
finally:
    heavy = {"dask", "distributed", "numpy", "cryptography", "rich", "mpi4py", "asyncio", "pydantic"}
    seldom = {"hpc_launch.advice", "hpc_launch.this_host"}
    print("\\nIMPORTED", sorted((heavy | seldom) & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        *((["--help"], []), (["submit", "--help"], [])),
        *((["render", str(PROFILE)], ["pydantic"]), (["check", str(PROFILE)], ["hpc_launch.this_host", "pydantic"])),
    ],
)
def test_a_command_imports_what_it_needs(tmp_path: Path, words: list[str], needed: list[str]) -> None:
    told = run(sys.executable, "-c", SHOW_MODULES, *words, cwd=tmp_path, HOME=str(tmp_path))
    assert told.splitlines()[-1] == f"IMPORTED {needed}"


def test_a_terminal_without_such_characters_is_no_reason_to_fail(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    assert "\\xd7" in run(sys.executable, "-m", "hpc_launch", "check", PROFILE, cwd=tmp_path, **home)


def test_submit_and_status_do_without_dask_too(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("site: local\nworkers: {count: 1, memory: 300 MB}\nworkload: {command: [echo, hello]}\n"
                       "scheduler: {memory: 100 MB}\n")  # fmt: skip
    for words in (["submit", str(profile)], ["status"], ["wait"], ["list"], ["logs"]):
        home = {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
        told = run(sys.executable, "-c", SHOW_MODULES, *words, cwd=tmp_path, **home).splitlines()[-1]
        assert not any(name in told for name in ("dask", "distributed", "numpy", "rich")), f"{words}: {told}"
