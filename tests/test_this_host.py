"""What a run needs and this host does not have is noted by check and submit; nothing is refused for it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.prepare import prepare
from hpc_launch.this_host.interpreter import has_package
from tests.commands import hpc_launch

PROFILE = """\
site: local
workers: {{count: 1, memory: 1 GiB}}
environment: {environment}
workload:
  directory: {directory}
  command: {command}
"""
SITE = "name: here\nbatch_system: local\nqueues: {}\nstorage: {runs: $HOME/runs}\n"


@pytest.fixture
def here(context: Context, tmp_path: Path) -> Context:
    """A user with a script, a program, some environments, and conda on PATH."""
    for directory in ("bin", "data", "opt/conda/bin", "opt/conda/envs/pangeo", "home/.conda/envs/mine", "empty"):
        (tmp_path / directory).mkdir(parents=True)
    for program in ("bin/known", "data/run.sh", "opt/conda/bin/conda"):
        (tmp_path / program).touch(0o755)
    for file in ("main.py", "data/note.txt"):
        (tmp_path / file).touch()
    for venv, package in (("good", "distributed"), ("bare", "numpy")):
        (tmp_path / venv / "lib/python3.12/site-packages" / package).mkdir(parents=True)
        (tmp_path / venv / "bin").mkdir()
        (tmp_path / venv / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
        for name in ("activate", "python", "tool"):
            (tmp_path / venv / "bin" / name).touch(0o755)
    for conda in ("with-dask", "without"):
        (tmp_path / conda / "conda-meta").mkdir(parents=True)
        (tmp_path / conda / "lib/python3.12/site-packages").mkdir(parents=True)
    (tmp_path / "with-dask/lib/python3.12/site-packages/distributed").mkdir()
    path = f"{tmp_path}/bin:{tmp_path}/opt/conda/bin:/usr/bin:/bin"
    variables = {"PATH": path, "CONDA_EXE": f"{tmp_path}/opt/conda/bin/conda"}
    return replace(context, environment={**context.environment, **variables})


def notes(here: Context, command: str = "[bash, main.py]", environment: str = "{}", directory: str = ".") -> list[str]:
    text = PROFILE.format(command=command, environment=environment, directory=directory)
    (here.directory / "p.yaml").write_text(text)
    return list(prepare(Path("p.yaml"), here, to_submit=True).planned.notes)


@pytest.mark.parametrize("command", [
    "[env, missing.py]", "[data/run.sh]", "[/bin/true]", "[bash, main.py]", "[bash, -u, main.py]", "[sh, -c, 'x y']",
    "[bash, -c, missing.py]", "[env, $x]", "['$HOME/tool']", "env main.py", "cd data && ./run.sh", "module load x",
    "if true; then x; fi", "x=1 env", "$HOME/x", '|\n    "$TOOL" x', "source activate x", "bash main.py | tee log",
    "|\n    # a comment\n    env main.py\n    missing.py", "bash $SCRIPT", "echo missing.py",
    "[perl, -e, missing.pl]",
])  # fmt: skip
def test_what_is_there_or_only_the_node_knows_is_no_note(here: Context, command: str) -> None:
    assert notes(here, command) == []


@pytest.mark.parametrize(("command", "note"), [
    ("[knwon]", "p.yaml:6: workload.command: there is no program knwon on this host"),
    ("[bash main.py]", "p.yaml:6: workload.command: there is no program bash main.py on this host; each word of a list "
     "stands alone: [bash, main.py]"),
    ("[data/missing]", "p.yaml:6: workload.command: data/missing is not there on this host"),
    ("[data/note.txt]", "p.yaml:6: workload.command: data/note.txt may not be executed (chmod +x)"),
    ("[bash, mian.py]", "p.yaml:6: workload.command: there is no mian.py in {here} on this host"),
    ("[bash, -u, mian.py]", "p.yaml:6: workload.command: there is no mian.py in {here} on this host"),
    ("bash mian.py --out x | tee log", "p.yaml:6: workload.command: there is no mian.py in {here} on this host"),
    ("knwon --out \"$X\"", "p.yaml:6: workload.command: there is no program knwon on this host"),
    ("|\n    env\n    if true; then", "p.yaml:8: workload.command: bash cannot read line 2 of it: syntax error: "),
    ("env (x", "p.yaml:6: workload.command: bash cannot read line 1 of it: syntax error near unexpected token `x'"),
])  # fmt: skip
def test_what_the_command_lacks_is_noted_at_its_line(here: Context, command: str, note: str) -> None:
    [only] = notes(here, command)
    assert only.startswith(note.format(here=here.directory)) and "\n" not in only


@pytest.mark.parametrize(("environment", "note"), [
    ("{venv: none}", "environment.venv: {here}/none is not there on this host"),
    ("{venv: empty}", "environment.venv: {here}/empty has no bin/activate: is it a virtual environment?"),
    ("{venv: bare}", "environment.venv: there is no distributed in {here}/bare, which scheduler and workers need"),
    ("{conda: ./none}", "environment.conda: there is no conda environment {here}/none on this host"),
    ("{conda: ./without}", "environment.conda: there is no distributed in {here}/without"),
    ("{conda: pangoe}", "environment.conda: there is no conda environment pangoe on this host; did you mean pangeo?"),
    ("{python: bin/python3}", "environment.python: there is no program {here}/bin/python3 on this host"),
    ("{python: pyhton3}", "environment.python: there is no program pyhton3 on this host"),
    ("{setup: 'if true; then'}", "environment.setup: bash cannot read line 1 of it: syntax error"),
    ("{venv: good}", None), ("{conda: ./with-dask}", None), ("{conda: pangeo}", None), ("{conda: mine}", None),
    ("{conda: base}", None), ("{venv: $NOBODY_KNOWS/venv}", None),
    ("{setup: 'a=(1)'}", None),
    ("{conda: pangoe, modules: [conda]}", "environment.modules: jobs on this host have no command `module`"),
    ("{conda: pangoe, setup: . conda.sh}", None),
])  # fmt: skip
def test_what_the_environment_lacks_is_noted(here: Context, environment: str, note: str | None) -> None:
    found = notes(here, environment=environment)
    if note is None:
        assert found == []
    else:
        [only] = found
        assert only.startswith(f"p.yaml:3: {note.format(here=here.directory)}")


@pytest.mark.parametrize("environment", [
    "{modules: [tool]}", "{setup: 'export PATH=/opt/tool:$PATH'}", "{variables: {PATH: /opt/tool}}", "{venv: good}",
])  # fmt: skip
def test_a_program_may_come_from_what_is_loaded_or_from_the_environment(here: Context, environment: str) -> None:
    assert [note for note in notes(here, "[tool]", environment) if "workload" in note] == []


@pytest.mark.parametrize(("answer", "told"), [
    ("exit 0", None), ("kill -SEGV $$", None),
    ("exit 3", "has no distributed, which scheduler and workers need: {step}"),
    ("echo 'libz.so.1 is missing' >&2; exit 127", "does not run on this host: libz.so.1 is missing"),
    ("exit 4", "does not run on this host: exit code 4"),
])  # fmt: skip
@pytest.mark.parametrize("key", ["python", "venv"])
def test_a_python_that_may_find_packages_elsewhere_is_asked(
    here: Context, key: str, answer: str, told: str | None
) -> None:
    (here.directory / "good/pyvenv.cfg").write_text("include-system-site-packages = true\n")
    python = here.directory / "good/bin/python"
    python.write_text(f"#!/bin/sh\n{answer}\n")
    named = python if key == "python" else "good"
    step = "name one that has" if key == "python" else f'{python} -m pip install "dask[distributed]"'
    expected = [f"p.yaml:3: environment.{key}: {python} {told.format(step=step)}"] if told else []
    assert notes(here, environment=f"{{{key}: {named}}}") == expected
    for more in ("setup: 'a=1'", "variables: {PYTHONPATH: /opt/x}", "variables: {LD_LIBRARY_PATH: /opt/x}"):
        assert notes(here, environment=f"{{{key}: {named}, {more}}}") == []


def test_a_real_python_is_asked_as_a_job_would_find_packages(here: Context) -> None:
    assert has_package(Path(sys.executable), "distributed", here.home, None) is True
    assert has_package(Path(sys.executable), "no_such_package", here.home, here.directory) is False
    (here.directory / "no_such_package").mkdir()
    assert has_package(Path(sys.executable), "no_such_package", here.home, here.directory) is True
    why = has_package(here.directory / "main.py", "distributed", here.home, None)
    assert isinstance(why, str) and why.endswith("Permission denied")


def test_a_program_that_only_the_users_path_leads_to_is_none_of_the_jobs(here: Context) -> None:
    place = here.directory / "bin"
    told = f"jobs do not have your PATH, which alone leads to known: write {place}/known"
    assert notes(here, "[known, main.py]") == [f"p.yaml:6: workload.command: {told}"]
    assert notes(here, f"[{place}/known, main.py]") == []
    assert notes(here, environment="{python: known}") == [f"p.yaml:3: environment.python: {told}"]
    for environment in (f"{{variables: {{PATH: {place}:$PATH}}}}", "{setup: . setup.sh}"):
        assert notes(here, "[known, main.py]", environment) == []


def test_without_conda_here_nothing_is_known_of_its_environments(here: Context) -> None:
    environment = {**here.environment, "PATH": f"{here.directory}/bin", "CONDA_EXE": ""}
    said = notes(replace(here, environment=environment), environment="{conda: pangoe}")
    assert said == ["p.yaml:3: environment.conda: jobs on this host have no command conda on PATH"]


def test_without_a_batch_system_the_sites_own_lines_bring_modules(here: Context) -> None:
    missing = "jobs on this host have no command `module`: environment.setup of the site profile can bring it"
    assert notes(here, environment="{modules: [gcc], purge: true}") == [f"p.yaml:3: environment.modules: {missing}"]
    assert notes(here, environment="{module_path: [/opt]}") == [f"p.yaml:3: environment.module_path: {missing}"]
    (here.directory / "site.yaml").write_text(SITE + "environment: {setup: . /etc/profile.d/modules.sh}\n")
    (here.directory / "p.yaml").write_text((here.directory / "p.yaml").read_text().replace("local", "./site.yaml"))
    assert prepare(Path("p.yaml"), here, to_submit=True).planned.notes == ()


def test_the_lines_of_a_block_are_counted(here: Context) -> None:
    [only] = notes(here, environment="\n  setup: |\n    a=1\n    done\n")
    assert only.startswith("p.yaml:6: environment.setup: bash cannot read line 2 of it: ")


def test_a_directory_that_is_not_there_is_one_note(here: Context) -> None:
    assert notes(here, "[bash, main.py]", directory="daat") == [
        f"p.yaml:5: workload.directory: there is no directory {here.directory}/daat on this host"
    ]


def test_in_a_container_only_the_image_is_looked_at(here: Context) -> None:
    (here.directory / "site.yaml").write_text(SITE + "containers: apptainer\n")
    text = PROFILE.format(command="[knwon, x.py]", environment="{container: {image: x.sif}}", directory=".")
    (here.directory / "p.yaml").write_text(text.replace("local", "./site.yaml"))
    image = here.directory / "x.sif"
    runtime = "p.yaml:3: environment.container: there is no program apptainer on this host"
    missing = f"p.yaml:3: environment.container.image: there is no {image} on this host"
    assert prepare(Path("p.yaml"), here, to_submit=True).planned.notes == (runtime, missing)
    image.touch()
    assert prepare(Path("p.yaml"), here, to_submit=True).planned.notes == (runtime,)


@pytest.mark.parametrize(("launcher", "program"), [("mpiexec", "mpiexec"), ("openmpi", "mpirun")])
def test_without_a_batch_system_the_launcher_of_ranks_has_to_be_here(
    here: Context, launcher: str, program: str
) -> None:
    (here.directory / "site.yaml").write_text(SITE + f"layouts: [mpi]\nlaunchers: {{mpi: {launcher}}}\n")
    python = here.directory / "good/bin/python"
    text = PROFILE.format(command="[bash, main.py]", environment=f"{{python: {python}}}", directory=".")
    (here.directory / "p.yaml").write_text(text.replace("local", "./site.yaml") + "layout: mpi\n")
    missing = f"p.yaml:7: layout: mpi needs the program {program}, which is not on this host"
    assert prepare(Path("p.yaml"), here, to_submit=True).planned.notes == (missing,)
    python.with_name(program).touch(0o755)
    assert prepare(Path("p.yaml"), here, to_submit=True).planned.notes == ()


def test_of_a_site_that_is_not_here_nothing_is_said(here: Context) -> None:
    text = PROFILE.format(command="[knwon]", environment="{venv: none}", directory="daat").replace("local", "ceres")
    (here.directory / "p.yaml").write_text(text + "account: x\nwalltime: 1h\n")
    found = prepare(Path("p.yaml"), here, to_submit=True).planned.notes
    assert [note for note in found if "on this host" in note] == []


def test_programs_read_the_notes_and_nothing_is_refused(here: Context) -> None:
    notes(here, "[bash, mian.py]")
    told = hpc_launch(here, "check", "p.yaml", "--json")
    [only] = json.loads(told.stdout)["notes"]
    assert told.returncode == 0 and "there is no mian.py" in only and f"note: {only}" in told.stderr.splitlines()
    shown = hpc_launch(here, "render", "p.yaml", "--json")
    assert json.loads(shown.stdout)["notes"] == []
