"""Variables of the profile: what of a value the node's shell expands, and in which order."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hpc_launch.errors import InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.conftest import ROOT
from tests.rendering import shellcheck, write

Prepare = Callable[..., Prepared]
SITES = ["local", "testcluster", "pbscluster", "lsfcluster", "gridcluster"]
LEAST = "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\nwalltime: 00:05:00\n"


def shell(prepared: Prepared, directory: Path, lines: str) -> str:
    """What bash prints that has read the run's environment.sh."""
    write(prepared, directory)
    given = {"HPC_LAUNCH_RUN_DIR": str(directory), "PATH": "/usr/bin:/bin", "HOME": "/home/user"}
    done = subprocess.run(
        ["bash", "-c", f". ./environment.sh\n{lines}"],
        cwd=directory,
        env=given,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("site", SITES)
def test_variables_are_expanded_on_the_node_in_their_order(prepared: Prepare, tmp_path: Path, site: str) -> None:
    text = """
environment:
  variables:
    PATH: /opt/x/bin:$PATH
    DATA: ${HOME}/my data
    SCRATCH: ~/scratch
    INPUT: $DATA/in
    EARLY: "[$LATE]"
    LATE: 5 $$HOME
  setup: export LAST=$INPUT
"""
    made = prepared(LEAST + text, site=site)
    shown = shell(made, tmp_path / "run", 'printf "%s|" "$PATH" "$INPUT" "$EARLY" "$LATE" "$LAST" "$SCRATCH"')
    path, *others = shown.split("|")[:-1]
    assert path.startswith("/opt/x/bin:") and path.endswith(":/usr/bin:/bin")
    assert others == ["/home/user/my data/in", "[]", "5 $HOME", "/home/user/my data/in", "/home/user/scratch"]


def test_what_is_not_set_is_nothing_whatever_the_sites_lines_have_switched_on(
    prepared: Prepare, tmp_path: Path
) -> None:
    text = (ROOT / "tests/site/testcluster.yaml").read_text()
    (tmp_path / "x.yaml").write_text(text + "environment: {setup: set -u}\n")
    made = prepared(LEAST + "environment: {variables: {A: <$MISSING>}}\n", site="./x.yaml")
    assert shell(made, tmp_path / "run", 'printf %s "$A"') == "<>"


def test_modules_beside_the_workload_are_found_whatever_pythonpath_is_set_to(prepared: Prepare, tmp_path: Path) -> None:
    text = "environment: {variables: {PYTHONPATH: /lib/mine, CODE: $HOME/code}}\n"
    made = prepared(LEAST.replace("x}", "x, directory: $CODE}") + text)
    assert shell(made, tmp_path / "run", 'printf %s "$PYTHONPATH"') == "/home/user/code:/lib/mine"


def test_ranks_that_load_the_environment_once_more_do_not_add_twice(prepared: Prepare, tmp_path: Path) -> None:
    text = LEAST + "environment: {python: /usr/bin/python3, variables: {A: $A-a, B: <$A>}}\n"
    site = {"extends": "testcluster", "layouts": ["mpi"], "launchers": {"mpi": "mpiexec"}}
    (tmp_path / "testcluster.yaml").write_text((ROOT / "tests/site/testcluster.yaml").read_text())
    (tmp_path / "x.yaml").write_text(yaml.safe_dump({"schema": 1, "name": "x", **site}))
    run = write(prepared(text, "layout=mpi", site="./x.yaml"), tmp_path / "run")
    assert shellcheck(run) == ""
    script = '. ./environment.sh; [ -z "$1" ] || A=other; bash -c \'. ./environment.sh; echo "$A $B"\''
    environ = {"HPC_LAUNCH_RUN_DIR": str(run), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def loaded_twice(changed: str) -> list[str]:
        words = ["bash", "-c", script, "bash", changed]
        done = subprocess.run(words, cwd=run, env=environ, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.split()

    assert loaded_twice("") == ["-a", "<-a>"]
    assert loaded_twice("yes") == ["other-a", "<other-a>"], "what was set anew in between is another value"


def test_layers_give_their_variables_one_after_the_other(prepared: Prepare, tmp_path: Path) -> None:
    """One that is set again stands where the higher layer has it."""
    text = (ROOT / "tests/site/testcluster.yaml").read_text()
    text = text.replace("defaults: {", "defaults: {environment: {variables: {A: site, B: site, C: $B}}, ")
    (tmp_path / "x.yaml").write_text(text)
    made = prepared(LEAST + "environment: {variables: {D: $A, B: $C-again}}\n", site="./x.yaml")
    assert list(made.plan.environment.variables) == ["A", "C", "D", "B"]
    assert shell(made, tmp_path / "run", 'printf "%s|" "$C" "$D" "$B"') == "|site|-again|"


@pytest.mark.parametrize("value", ["$(date)", "`date`", "${X:-y}", "cost: 5$", "$1"])
def test_what_else_a_shell_acts_on_is_refused_with_what_to_write(prepared: Prepare, value: str) -> None:
    text = LEAST + f"environment:\n  variables:\n    A: {yaml.safe_dump(value).splitlines()[0]}\n"
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(text)
    told = str(refused.value)
    assert told.startswith(f"profile.yaml:6: environment.variables.A: {value!r}: $NAME and ${{NAME}} are expanded")
    assert "$$ is a dollar" in told and "environment.setup, in a line `export NAME=…`" in told


PATHS = {
    "workload": "directory",
    "workers": "local_directory",
    "environment": "venv",
}


@pytest.mark.parametrize("value", ["/x/$$", "/x/$(date)", "/x/`date`", "/x/${X:-y}", "/x/$1"])
@pytest.mark.parametrize("above", PATHS)
def test_in_a_path_too(prepared: Prepare, above: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(LEAST, f"{above}.{PATHS[above]}={value}")
    told = f"{above}.{PATHS[above]}: {value!r}: in a path $NAME and ${{NAME}} are expanded, nothing else"
    assert f"--set {above}.{PATHS[above]}={value}: {told}" in str(refused.value)
