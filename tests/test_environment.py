"""Which Python a run has: `environment.sh`, as a node loads it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch.context import Context
from hpc_launch.explain.sentences import described
from hpc_launch.prepare import Prepared, prepare
from tests.conftest import LEAST, ROOT
from tests.rendering import shellcheck, write

Prepare = Callable[..., Prepared]
SCRIPTS_OF_IT = ("environment.sh", *(f"jobside/{name}.sh" for name in ("python", "modules", "fit")))
OWN = "/opt/analysis/bin/python"
"""What runs hpc-launch in these tests."""
MODULE = """
module() { # a stand-in: what the modules of this name set, and the exit codes of a real one
  case $1 in
    use) [ -d "$2" ] || return 1; MODULEPATH=$2 ;;
    purge) PATH=/usr/bin:/bin ;;
    load)
      [ -f "$MODULEPATH/$2" ] || { echo "ERROR: Unable to locate a modulefile for '$2'" >&2; return 1; }
      . "$MODULEPATH/$2"
      ;;
  esac
}
"""


@dataclass(frozen=True)
class Node:
    """A node with some Pythons, on which a profile's environment is loaded."""

    prepare: Prepare
    directory: Path

    @property
    def own(self) -> str:
        """What runs hpc-launch, here."""
        return f"{self.directory}/own/bin/python"

    def put_first(self, key: str) -> str:
        return f"put first on PATH by environment.{key}; hpc-launch itself runs in {self.own}"

    def python(self, name: str, *programs: str) -> str:
        """A directory for PATH with these programs in it; gives its name."""
        made = self.directory / name / "bin"
        made.mkdir(parents=True)
        for program in programs or ("python", "python3"):
            (made / program).write_text("#!/bin/sh\n")
            (made / program).chmod(0o755)
        return str(made)

    def module(self, name: str, lines: str) -> str:
        """A module; gives the directory to be named in `module_path`."""
        (self.directory / "modulefiles").mkdir(exist_ok=True)
        (self.directory / "modulefiles" / name).write_text(lines)
        return str(self.directory / "modulefiles")

    def prepared(self, site_setup: str = "", after_site: str = "", **environment: Any) -> Prepared:
        setup = site_setup + MODULE + after_site
        site = {"schema": 1, "name": "own", "extends": "testcluster", "environment": {"setup": setup}}
        (self.directory / "testcluster.yaml").write_text((ROOT / "tests/site/testcluster.yaml").read_text())
        (self.directory / "own.yaml").write_text(yaml.safe_dump(site))
        profile = {
            "workers": {"count": 1, "memory": "1 GiB"},
            "workload": {"command": "x"},
            "environment": environment,
        }
        return self.prepare(yaml.safe_dump(profile), site="./own.yaml")

    def load(
        self, site_setup: str = "", before: str = "", then: str = "", **environment: Any
    ) -> subprocess.CompletedProcess[str]:
        """Load it, and print the run's Python, by which rule, and what `python` is; or what went wrong."""
        run = write(self.prepared(site_setup, **environment), self.directory / "run")
        text = (run / "environment.sh").read_text().replace(OWN, self.own)
        (run / "environment.sh").write_text(text)
        said = 'echo "$HPC_LAUNCH_PYTHON|$HPC_LAUNCH_PYTHON_IS|$(type -P python)"'
        script = f"{before}\n. ./environment.sh\n[ $HPC_LAUNCH_ENVIRONMENT = ready ] || exit 69\n{then}\n{said}"
        environ = {"HPC_LAUNCH_RUN_DIR": str(run), "PATH": "/usr/bin:/bin", "HOME": str(self.directory)}
        words = ["bash", "-c", script]
        return subprocess.run(words, cwd=run, env=environ, capture_output=True, text=True, timeout=20)

    def takes(self, python: str, why: str, **how: Any) -> None:
        """Assert that this is the run's Python, and that `python` of the workload is in the same place."""
        done = self.load(**how)
        assert done.returncode == 0, done.stderr
        of_run, rule, first = done.stdout.strip().split("|")
        assert (of_run, rule) == (python, why)
        assert first in ("", str(Path(python).with_name("python")))

    def is_unfit(self, words: str, **how: Any) -> None:
        """Assert that it does not load, and that its last line says why."""
        done = self.load(**how)
        assert done.returncode == 69
        assert done.stderr.splitlines()[-1] == words


@pytest.fixture
def node(prepared: Prepare, tmp_path: Path) -> Node:
    made = Node(prepared, tmp_path)
    made.python("own")
    return made


def test_an_environment_that_is_not_on_the_node_is_told_by_its_key(node: Node) -> None:
    host = os.uname().nodename
    node.is_unfit(
        f"environment.venv: {node.directory}/none has no bin/activate on {host}; name one that all nodes see",
        venv=f"{node.directory}/none",
    )
    node.is_unfit(
        f"environment.python: there is no program /none/python on {host}; name one that all nodes see",
        python="/none/python",
    )
    node.is_unfit(
        f"environment.conda: there is no command conda on {host};"
        " environment.modules can bring it, or the site's own lines",
        conda="geo",
    )
    hook = "conda() { case $1 in activate) return 1 ;; *) echo 'true' ;; esac; }\n"
    node.is_unfit(
        f"environment.conda: conda cannot activate geo on {host}; conda env list tells what there is",
        site_setup=hook,
        conda="geo",
    )


@pytest.mark.parametrize("how", [{"conda": "geo"}, {"setup": "conda activate geo"}])
def test_conda_of_the_shell_that_calls_hpc_launch_is_taken_where_none_is_on_path(
    node: Node, context: Context, how: dict[str, str]
) -> None:
    program = Path(node.python("base", "conda")) / "conda"
    program.write_text(f"#!/bin/sh\necho 'conda() {{ export CONDA_PREFIX=/x PATH={node.python('geo')}:$PATH; }}'\n")
    with_conda = replace(context, environment={**context.environment, "CONDA_EXE": str(program)})

    def prepare_there(text: str, site: str) -> Prepared:
        (node.directory / "profile.yaml").write_text(text)
        return prepare(Path("profile.yaml"), with_conda, site)

    done = replace(node, prepare=prepare_there).load(**how)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"{node.directory}/geo/bin/python")


OF_HPC_LAUNCH = "the one that runs hpc-launch"


def test_one_that_setup_puts_first_on_path_is_the_runs(node: Node) -> None:
    other = node.python("other")
    node.takes(f"{other}/python", node.put_first("setup"), setup=f"export PATH={other}:$PATH")


def test_so_is_one_that_a_module_brings(node: Node) -> None:
    place = node.module("python-3.12", f"export PATH={node.python('m')}:$PATH\n")
    expected = f"{node.directory}/m/bin/python"
    node.takes(
        expected, node.put_first("modules"), modules=["python-3.12"], module_path=[place], setup="python --version"
    )


def test_so_is_one_of_which_only_python3_is_there(node: Node) -> None:
    place = node.module("python-3.12", f"export PATH={node.python('m', 'python3')}:$PATH\n")
    done = node.load(modules=["python-3.12"], module_path=[place])
    assert done.stdout.split("|")[:2] == [f"{node.directory}/m/bin/python3", node.put_first("modules")]


def test_the_last_that_changes_it_counts(node: Node) -> None:
    place = node.module("python-3.12", f"export PATH={node.python('m')}:$PATH\n")
    other = node.python("other")
    setup = f"export PATH={other}:$PATH"
    node.takes(f"{other}/python", node.put_first("setup"), modules=["python-3.12"], module_path=[place], setup=setup)


def test_a_variable_can_put_it_first_too(node: Node) -> None:
    other = node.python("other")
    node.takes(f"{other}/python", node.put_first("variables"), variables={"PATH": f"{other}:/usr/bin:/bin"})


@pytest.mark.parametrize(
    "setup",
    [
        "ulimit -n 100",
        "export PATH=/usr/bin:/bin",  # what it was before
        "export PATH=~/own/bin:$PATH",  # its own environment is activated
        "export PATH=/nowhere:$PATH",
        "export PATH=other/bin:$PATH; cd ..",  # means another directory wherever it is looked for
    ],
)
def test_where_nothing_has_changed_it_is_the_one_that_runs_hpc_launch(node: Node, setup: str) -> None:
    node.python("other")
    node.takes(node.own, OF_HPC_LAUNCH, setup=setup)


def test_what_the_sites_own_lines_and_purge_do_to_path_chooses_no_python(node: Node) -> None:
    site = f"export PATH={node.python('site')}:$PATH\n"
    node.takes(node.own, OF_HPC_LAUNCH, site_setup=site, setup="true")
    node.takes(node.own, OF_HPC_LAUNCH, site_setup=site, setup="true", purge=True)


@pytest.mark.parametrize("key", ["python", "venv"])
def test_one_that_is_named_is_the_runs(node: Node, key: str) -> None:
    named, other = node.python("named"), node.python("other")
    (Path(named) / "activate").write_text(f"export VIRTUAL_ENV={Path(named).parent} PATH={named}:$PATH\n")
    place = node.module("python-3.12", f"export PATH={other}:$PATH\n")
    value = f"{named}/python" if key == "python" else str(Path(named).parent)
    done = node.load(modules=["python-3.12"], module_path=[place], **{key: value})
    python = f"{named}/python" if key == "python" else "python"
    assert done.stdout == f"{python}|named by environment.{key}|{named}/python\n"


def test_what_a_module_brings_stays_before_the_directory_of_the_systems_python(node: Node) -> None:
    """hpc-launch may run in /usr/bin/python3: /usr/bin must not come before a compiler of a module."""
    place = node.module("gcc-12", f"export PATH={node.python('gcc', 'bash')}:$PATH\n")
    run = node.prepared(modules=["gcc-12"], module_path=[place])
    text = run.rendered.files["environment.sh"].replace(f"own_python={OWN}", "own_python=/usr/bin/python3")
    (node.directory / "e.sh").write_text(text)
    write(run, node.directory / "run")
    environ = {"HPC_LAUNCH_RUN_DIR": str(node.directory / "run"), "PATH": "/usr/bin:/bin"}
    script = '. ./e.sh; echo "$HPC_LAUNCH_PYTHON $(type -P bash)"'
    words = ["/bin/bash", "-c", script]
    done = subprocess.run(words, cwd=node.directory, env=environ, capture_output=True, text=True, timeout=20)
    assert done.stdout == f"/usr/bin/python3 {node.directory}/gcc/bin/bash\n", done.stderr


def test_loaded_once_more_within_itself_it_takes_what_it_has_chosen(node: Node) -> None:
    """As in the ranks that an MPI launcher starts, where a module that is loaded is not loaded again."""
    line = f'[ -n "${{LOADED-}}" ] || export LOADED=yes PATH={node.python("m")}:$PATH\n'
    place = node.module("python-3.12", line)
    again = "bash -c '. ./environment.sh; echo \"$HPC_LAUNCH_PYTHON $(type -P python)\"'"
    reset = "export PATH=/usr/bin:/bin\n"
    done = node.load(modules=["python-3.12"], module_path=[place], site_setup=reset, then=again)
    assert done.stdout.splitlines()[0] == f"{node.directory}/m/bin/python {node.directory}/m/bin/python"


@pytest.mark.parametrize("line", ["set -e", "set -u", "set -eu -o pipefail", "set -f; IFS=/", "hash python3"])
def test_what_setup_switches_on_changes_nothing_of_it(node: Node, line: str) -> None:
    other = node.python("other")
    node.takes(f"{other}/python", node.put_first("setup"), setup=f"{line}\nexport PATH={other}:$PATH")


@pytest.mark.parametrize("setup", ["unset PATH", "export PATH=", "export PATH=/nowhere"])
def test_a_node_whose_path_is_gone_is_not_fit(node: Node, setup: str) -> None:
    path = f"{Path(node.own).parent}{':/nowhere' if 'nowhere' in setup else ''}"
    node.is_unfit(f"the system's own commands are not on PATH: it is {path}", setup=setup)


def test_modules_3_that_always_end_with_0_are_not_believed(node: Node) -> None:
    place = node.module("python-3.12", "LOADEDMODULES=python-3.12\n")
    always = 'eval "of_4_$(declare -f module)"; module() { of_4_module "$@"; return 0; }'
    old = f"MODULE_VERSION=3.2.10 LOADEDMODULES=; {always}"
    how: dict[str, Any] = {"site_setup": "", "module_path": [place]}
    text = node.prepared(modules=["python-3.12", "R"], **how).rendered.files["environment.sh"]
    assert text.count("load_module") == 2
    node.is_unfit("the module R cannot be loaded", modules=["python-3.12", "R"], after_site=old, **how)
    assert node.load(modules=["python-3.12"], after_site=old, **how).returncode == 0


def test_a_module_that_is_not_there_makes_a_node_unfit(node: Node) -> None:
    place = node.module("python-3.12", "")
    node.is_unfit("the module R cannot be loaded", modules=["python-3.12", "R"], module_path=[place])
    node.is_unfit("module use /nowhere failed", module_path=["/nowhere"])


@pytest.mark.parametrize("key", [{"purge": True}, {"modules": ["gcc"]}, {"module_path": ["/tmp"]}])
def test_so_does_a_machine_without_modules(node: Node, key: dict[str, Any]) -> None:
    words = "there is no command `module` here: environment.setup of the site profile can bring it"
    node.is_unfit(words, after_site="unset -f module", **key)


@pytest.mark.parametrize("line", ["source /nowhere/bin/activate", ". ~/v/bin/activate", "conda activate geo"])
def test_so_does_an_environment_that_is_not_activated(node: Node, line: str) -> None:
    node.is_unfit("environment.setup activates an environment, and none is active after it", setup=line)


def test_conda_is_made_ready_for_a_line_that_activates(node: Node) -> None:
    """`conda activate` is a function, which conda's own hook defines; the program alone refuses."""
    other = node.python("other")
    base = Path(node.python("base", "conda"))
    (base / "conda").write_text(
        "#!/bin/sh\n[ \"$*\" = 'shell.bash hook' ] || { echo 'Run conda init' >&2; exit 1; }\n"
        f"echo 'conda() {{ export CONDA_PREFIX=/x PATH={other}:$PATH; }}'\n"
    )
    place = node.module("miniconda", f"export PATH={base}:$PATH\n")
    how = {"modules": ["miniconda"], "module_path": [place], "setup": "conda activate geo"}
    node.takes(f"{other}/python", node.put_first("setup"), **how)


def test_check_and_explain_say_which_rule_holds(node: Node) -> None:
    def sentence(**environment: Any) -> str:
        made = node.prepared(**environment)
        return described(made.resolved, made.plan)[-1]

    assert sentence() == f"python: {OWN} (the one that runs hpc-launch)"
    assert sentence(conda="geo") == "python: conda geo (named by environment.conda)"
    both = "the one that environment.modules or environment.setup puts first on PATH"
    assert sentence(modules=["R"], setup="true") == f"python: {both}, otherwise {OF_HPC_LAUNCH} ({OWN})"
    reason = node.prepared(setup="true").planned.reasons["environment", "python"]
    assert reason.value is None and reason.why.endswith(f"otherwise {OF_HPC_LAUNCH}")


def test_the_script_is_clean(prepared: Prepare, tmp_path: Path) -> None:
    keys = ["purge=true", "module_path=[$HOME/modules, mine]", "modules=[R]", "setup='. v/bin/activate'"]
    made = prepared(LEAST, *(f"environment.{key}" for key in keys), "environment.variables={PATH: /opt/x/bin}")
    assert shellcheck(write(made, tmp_path / "run"), *SCRIPTS_OF_IT) == ""
    lines = made.rendered.files["environment.sh"].splitlines()
    used = [line.split(" || ")[0] for line in lines if "module " in line and " || " in line]
    assert used == ["module purge", 'module use "$HOME/modules"', f"module use {tmp_path}/mine", "load_module R"]


def test_the_keeper_stays_in_the_python_that_runs_hpc_launch(prepared: Prepare, tmp_path: Path) -> None:
    """It needs a newer one than Dask does, which what is activated need not be."""
    made = prepared(LEAST, "layout=job-array", "environment.setup='. v/bin/activate'")
    script = made.rendered.files["scheduler.sh"]
    assert f"own={OWN}\n" in script and 'keeper_python=(bash jobside/within.sh "$own")' in script
    assert shellcheck(write(made, tmp_path / "run"), "scheduler.sh") == ""
    assert "keeper_python=" not in prepared(LEAST, "layout=job-array").rendered.files["scheduler.sh"]
