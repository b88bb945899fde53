"""No batch system's and no site's name decides anything outside its own module, template or profile.

What is looked for: the name in a text that a condition, a comparison or a choice by name holds, in Python, in the
templates and in the shell lines that travel with a job.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment, nodes

from hpc_launch.batch import BUILT_IN
from tests.conftest import ROOT

SITES = sorted(
    {yaml.safe_load(file.read_text(encoding="utf-8"))["name"] for file in (ROOT / "site_profiles").glob("*.yaml")}
)
EVERYDAY = {"local"}
"""Also a word of everyday language (local scratch, `local` in bash): only a text that is nothing else is the name."""
NAMES = sorted({*BUILT_IN, *SITES})
Found = tuple[int, str]
"""Line and name."""


def names_in(text: str) -> list[str]:
    """The names that a text holds, also as `SLURM_JOB_ID`."""
    found = [name for name in NAMES if text == name]
    others = (name for name in NAMES if name not in EVERYDAY)
    return found or [name for name in others if re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", text, re.I)]


# Python


def in_python(text: str) -> list[Found]:
    found: set[Found] = set()
    for node in ast.walk(ast.parse(text)):
        for part in python_choices(node):
            for constant in ast.walk(part):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    found |= {(constant.lineno, name) for name in names_in(constant.value)}
    return sorted(found)


def python_choices(node: ast.AST) -> Iterable[ast.AST]:
    """The parts of a node on which it depends what is done."""
    match node:
        case ast.If() | ast.IfExp() | ast.While() | ast.Assert():
            return [node.test]
        case ast.Compare():
            return [node]
        case ast.Match():
            return [node.subject, *(case.pattern for case in node.cases), *(c.guard for c in node.cases if c.guard)]
        case ast.comprehension():
            return node.ifs
        case ast.BoolOp():
            return node.values
        case ast.Dict():  # a choice by name, wherever it is looked up
            return [key for key in node.keys if key is not None]
    return []


# Templates


def in_template(text: str) -> list[Found]:
    found: set[Found] = set()
    for node in Environment().parse(text).find_all(nodes.Node):
        for part in template_choices(node):
            own = [part] if isinstance(part, nodes.Const) else []
            for constant in [*own, *part.find_all(nodes.Const)]:
                if isinstance(constant.value, str):
                    found |= {(constant.lineno, name) for name in names_in(constant.value)}
    return sorted(found)


def template_choices(node: nodes.Node) -> Iterable[nodes.Node]:
    match node:
        case nodes.If() | nodes.CondExpr():
            return [node.test]
        case nodes.For():
            return [node.test] if node.test else []
        case nodes.Compare() | nodes.And() | nodes.Or():
            return [node]
        case nodes.Pair():
            return [node.key]
    return []


# Shell

SHELL_CHOICES = (
    r"(?:^|[\s;&|!(])\[\[? (.*?) \]",  # [ … ], [[ … ]]
    r"(?:^|[\s;&|])(?:if|elif|while|until) (.*)",
    r"(?:^|[\s;])case (.*?) in\b",
    r"^\s*(?:case .*? in )?\(?([^()'\"#]+)\)\s",  # a pattern of a case
    r"(?:^|[\s;&|!])e?grep (.*)",
)


def in_shell(text: str) -> list[Found]:
    found: set[Found] = set()
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r"(?:^|\s)#.*", "", line)
        for pattern in SHELL_CHOICES:
            for part in re.findall(pattern, f"{code} "):
                words = re.split(r"[\s|\"'=;]+", part)
                found |= {(number, name) for word in words for name in names_in(word)}
    return sorted(found)


# All of it

FINDERS = {".py": in_python, ".j2": in_template, ".sh": in_shell}


def at_home(file: Path) -> set[str]:
    """The names that are at home in a file of the project."""
    where, stem = file.parent, file.name.partition(".")[0]
    if where.name == "batch":
        return set(NAMES) if stem == "__init__" else set()
    if where.parent.name == "batch":
        return {where.name}
    if where.name == "directives":
        return {stem}
    return set(NAMES) if where.parent.name == "launchers" else set()


def files() -> Iterator[Path]:
    for directory in ("hpc_launch", "templates"):
        yield from sorted(file for file in (ROOT / directory).rglob("*") if file.suffix in FINDERS)


def test_no_name_decides_anything_outside_its_home() -> None:
    found = {file: FINDERS[file.suffix](file.read_text(encoding="utf-8")) for file in files()}
    abroad = {str(file): [one for one in some if one[1] not in at_home(file)] for file, some in found.items()}
    assert {file: some for file, some in abroad.items() if some} == {}


def test_all_kinds_of_files_and_names_are_looked_at() -> None:
    assert {file.suffix for file in files()} == set(FINDERS)
    home = (ROOT / "hpc_launch" / "batch" / "__init__.py").read_text(encoding="utf-8")
    assert {name for _, name in in_python(home)} == set(BUILT_IN)  # where the choice is made it is seen
    assert {"slurm", "pbs", "sge", "lsf", "local", "ceres", "pegasus"} <= set(NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "if system == 'slurm':\n    pass",
        "if system in ('pbs', 'slurm'):\n    pass",
        "while name.startswith('slurm'):\n    pass",
        "x = 1 if 'SLURM_JOB_ID' in environment else 2",
        "is_slurm = name != 'slurm'",
        "match system:\n    case 'lsf' | 'slurm':\n        pass",
        "match system:\n    case _ if known('slurm'):\n        pass",
        "x = [name for name in names if is_kind(name, 'slurm')]",
        "x = {'slurm': 1}.get(name)",
        "x = known('slurm') and 1",
        "def f(site):\n    assert site.is_a('slurm')",
    ],
)
def test_a_name_that_decides_in_python_is_found(text: str) -> None:
    assert "slurm" in [name for _, name in in_python(text)]


@pytest.mark.parametrize(
    "text",
    [
        "{% if plan.batch_system == 'ceres' %}x{% endif %}",
        "{% if a %}x{% elif plan.site in ['ceres'] %}y{% endif %}",
        "{{ 'x' if plan.site == 'ceres' }}",
        "{{ 'x' if is_kind('ceres') else 'y' }}",
        "{% for job in jobs if job.site == 'ceres' %}{% endfor %}",
        "{% set options = {'ceres': '-x'} %}",
        "{% set here = plan.site == 'ceres' %}",
    ],
)
def test_a_name_that_decides_in_a_template_is_found(text: str) -> None:
    assert [name for _, name in in_template(f"first line\n{text}")] == ["ceres"]
    assert in_template(f"first line\n{text}")[0][0] == 2


@pytest.mark.parametrize(
    "text",
    [
        '[ "$system" = slurm ] || exit',
        "! [[ $system == slurm* ]]",
        '[ -n "$SLURM_JOB_ID" ]',
        "if is_kind slurm; then",
        "case $system in slurm) echo ;; esac",
        "case $SLURM_JOB_ID in 1) echo ;; esac",
        "  pbs | slurm) echo ;;",
        "echo $system | grep -q slurm",
    ],
)
def test_a_name_that_decides_in_shell_is_found(text: str) -> None:
    assert "slurm" in [name for _, name in in_shell(text)]


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (in_python, "if x:\n    print('slurm')"),
        (in_python, "if storage.local_kind == 'local disk':\n    pass"),
        (in_python, "if text == 'slurmish':\n    pass"),
        (in_python, "if ready:  # for slurm\n    pass"),
        (in_template, "{# pbs #}{% if x %}slurm{% endif %}{{ 'slurm' }}"),
        (in_shell, "f() { local x=1 # slurm\n[ -n '' ] # slurm\necho slurm"),
    ],
)
def test_a_name_that_decides_nothing_is_let_alone(find: object, text: str) -> None:
    assert callable(find) and find(text) == []
