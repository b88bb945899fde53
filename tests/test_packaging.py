"""What people install: wheel and sdist carry the templates and site profiles, and the program starts without dask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROFILE = ROOT / "examples" / "monte-carlo-pi" / "profile.yaml"


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


def test_the_wheel_renders_where_there_is_no_checkout(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    # Without its dependencies, which are many and large: those of this environment do.
    run(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    place = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", place, wheel, cwd=tmp_path)
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    where = "import hpc_launch.locations as l; print(l.TEMPLATES); print(l.SITE_PROFILES)"
    found = run(python, "-c", where, cwd=tmp_path, PYTHONPATH=f"{place}:{theirs}").split()
    assert all(path.startswith(place) for path in found)
    shown = run(
        *(python, "-m", "hpc_launch", "render", PROFILE, "--json", "--site", "ceres"),
        cwd=tmp_path,
        PYTHONPATH=f"{place}:{theirs}",
        HOME=str(tmp_path),
    )
    rendered = json.loads(shown)
    assert "#SBATCH --partition=ceres" in rendered["files"]["job.sh"]
    assert rendered["submissions"][0]["command"] == ["sbatch", "--parsable", "--job-name={run}", "job.sh"]


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
    assert {"examples/monte-carlo-pi/profile.yaml", "README.md", "tests/test_packaging.py", "Makefile"} <= in_sdist


SHOW_MODULES = """
import sys
from hpc_launch import __main__
sys.argv = ["hpc-launch", *sys.argv[1:]]
try:
    __main__.main()
finally:
    heavy = {"dask", "distributed", "numpy", "cryptography", "rich", "mpi4py", "asyncio", "pydantic"}
    print("\\nIMPORTED", sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        *((["--help"], []), (["submit", "--help"], [])),
        *((["render", str(PROFILE)], ["pydantic"]), (["check", str(PROFILE)], ["pydantic"])),
    ],
)
def test_what_needs_no_dask_does_not_import_it(tmp_path: Path, words: list[str], needed: list[str]) -> None:
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
