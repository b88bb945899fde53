"""What a batch system can say stands in its dialect, and is read there as what it is: by its field's own name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from hpc_launch.batch import BUILT_IN, dialect_of
from hpc_launch.batch.dialect import ANYWHERE, Dialect, Launcher
from hpc_launch.prepare import Prepared
from tests.conftest import ROOT
from tests.rendering import EXAMPLE

FIELDS = {field.name for kind in (Dialect, Launcher) for field in fields(kind)} - {"name"}
BY_NAME = {"getattr", "hasattr", "vars", "attrgetter", "asdict", "astuple"}
"""Functions that reach an attribute without naming it."""


def read_by_name(text: str) -> Iterator[str]:
    """Calls by which Python text could read a dialect's field by a name in a string."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in BY_NAME:
            words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            if words & FIELDS or "dialect" in names | words:
                yield ast.unparse(node)


def read_in_template(text: str) -> tuple[set[str], list[int]]:
    """The fields that a template reads, and the lines on which it reads one by a name in a string."""
    tree = Environment().parse(text)
    named = {node.attr for node in tree.find_all(nodes.Getattr) if is_dialect(node.node)}
    items = [node for node in tree.find_all(nodes.Getitem) if is_dialect(node.node)]
    filtered = [node for node in tree.find_all(nodes.Filter) if node.name == "attr" and is_dialect(node.node)]
    return named, [node.lineno for node in (*items, *filtered)]


def is_dialect(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Name) and node.name in ("dialect", "launcher_facts")


def test_no_field_is_read_by_a_name_in_a_string() -> None:
    package = ROOT / "hpc_launch"
    files = [file for file in sorted(package.rglob("*.py")) if "batch" not in file.relative_to(package).parts]
    assert len(files) > 100
    found = {str(file): [*read_by_name(file.read_text(encoding="utf-8"))] for file in files}
    assert {file: calls for file, calls in found.items() if calls} == {}


def test_templates_read_fields_that_there_are_by_their_names() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "templates").rglob("*.j2")]
    read = [read_in_template(text) for text in texts]
    assert [lines for _, lines in read if lines] == []
    named = {name for names, _ in read for name in names}
    assert {"job_id", "submit_directory", "array_index"} <= named <= FIELDS | {"name"}


@pytest.mark.parametrize(
    "text",
    ["getattr(batch, 'said', {})", "hasattr(d, 'reserved')", "vars(dialect)[key]", "operator.attrgetter('job_id')(x)"],
)
def test_a_field_that_is_read_by_a_name_in_a_string_is_found(text: str) -> None:
    assert [*read_by_name(text)]
    assert not [*read_by_name("getattr(queue, 'walltime'), dialect.said, vars(site.commands)")]


@pytest.mark.parametrize("text", ["{{ dialect['said'] }}", "{{ dialect | attr('said') }}"])
def test_a_field_that_a_template_reads_by_a_name_in_a_string_is_found(text: str) -> None:
    assert read_in_template(f"\n{text}")[1] == [2]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_launcher_of_a_dialect_has_a_template_and_a_single_place(name: str) -> None:
    dialect = dialect_of(name)
    own = {"node": dialect.node_launchers, "mpi": dialect.mpi_launchers}
    for kind in ("node", "mpi"):
        files = {file.name.partition(".")[0] for file in (ROOT / "templates/launchers" / kind).iterdir()}
        for launcher in (*own[kind], *ANYWHERE[kind]):
            assert launcher.name in files
            assert dialect.launcher(kind, launcher.name) is launcher
        assert dialect.launcher(kind) is own[kind][0]


def test_every_launcher_is_somebodys_or_goes_anywhere() -> None:
    dialects = [dialect_of(name) for name in BUILT_IN]
    known = {"node": [d.node_launchers for d in dialects], "mpi": [d.mpi_launchers for d in dialects]}
    for kind, general in ANYWHERE.items():
        names = {launcher.name for some in (*known[kind], general) for launcher in some}
        assert names == {file.name.partition(".")[0] for file in (ROOT / "templates/launchers" / kind).iterdir()}


# What is one batch system's stands in no other's scripts

MARKS = {"slurm": r"SLURM|SRUN_", "pbs": r"PBS_", "sge": r"SGE_|PE_HOSTFILE", "lsf": r"LSB_|LS_SUBCWD"}
"""Names of variables that only one batch system sets, or reads."""


CLUSTERS = ("testcluster", "pbscluster", "gridcluster", "lsfcluster")


@pytest.mark.parametrize(
    ("site", "layout"),
    [(site, layout) for site in (*CLUSTERS, "local") for layout in ("single-job", "job-array", "mpi")],
)
def test_scripts_hold_no_variable_of_another_batch_system(
    prepared: Callable[..., Prepared], tmp_path: Path, site: str, layout: str
) -> None:
    text = (ROOT / "tests/site" / f"{site}.yaml").read_text(encoding="utf-8") if site != "local" else ""
    for launcher in ("mpiexec", "openmpi", "ibrun"):
        where = site
        if layout == "mpi" and text:
            (tmp_path / "site.yaml").write_text(re.sub(r"^launchers:.*\n(?: .*\n)*", "", text, flags=re.M))
            with (tmp_path / "site.yaml").open("a") as file:
                file.write(f"launchers: {{mpi: {launcher}}}\n")
            where = "./site.yaml"
        made = prepared(EXAMPLE, f"layout={layout}", "workers.count=4", site=where)
        scripts = {name: text for name, text in made.rendered.files.items() if name.endswith(".sh")}
        assert len(scripts) > 4
        for system, mark in MARKS.items():
            if system != made.plan.batch_system:
                assert [name for name, text in scripts.items() if re.search(mark, text)] == [], system


@pytest.mark.parametrize(
    ("last_second", "seconds", "said"),
    [("3540", 0, "told USR1"), ("3540", 3449, "told USR1"), ("3540", 3451, "time"), ("", 0, "time")],
)
def test_slurms_reminder_is_the_walltime_near_it_and_else_the_word_to_end(
    prepared: Callable[..., Prepared], last_second: str, seconds: int, said: str
) -> None:
    script = prepared(EXAMPLE, site="testcluster").rendered.files["job.sh"]
    (line,) = (line for line in script.splitlines() if line.startswith("trap ") and line.endswith(" USR1"))
    code = f"""
        told_to_end() {{ echo "told $1"; exit; }}
        out_of_time() {{ echo time; exit; }}
        last_second='{last_second}' SECONDS={seconds}
        {line}
        kill -USR1 $$
        sleep 5
    """
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=20)
    assert (done.stdout, done.stderr) == (f"{said}\n", "")


def test_a_key_that_is_only_passed_on_stands_in_the_model_the_dialects_and_the_templates_alone() -> None:
    key = re.compile(r'\b(?:profile|plan)\.begin\b|"begin": \(|^ +begin: Annotated|getattr\(\w+, "begin"', re.MULTILINE)
    files = [*(ROOT / "hpc_launch").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    found = {str(file.relative_to(ROOT)) for file in files if key.search(file.read_text(encoding="utf-8"))}
    systems = ("lsf", "pbs", "sge", "slurm")
    assert found == {
        "hpc_launch/models/profile.py",
        *(f"hpc_launch/batch/{system}/dialect.py" for system in systems),
        *(f"templates/directives/{system}.sh.j2" for system in systems),
    }
    assert "| `begin` |" in (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
