"""Which module imports which: there is no circle, and no room knows of one that is above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "hpc_launch"
TYPES_ALONE = "TYPE_CHECKING"
# Who → of whom it must not know anything.
NEVER = {
    "hpc_launch.batch": [
        "hpc_launch.plan",
        "hpc_launch.cli",
        "hpc_launch.render",
        "hpc_launch.runs",
        "hpc_launch.checks",
    ],
    "hpc_launch.plan": ["hpc_launch.cli", "hpc_launch.render", "hpc_launch.runs", "hpc_launch.advice"],
    "hpc_launch.render": ["hpc_launch.cli", "hpc_launch.runs"],
    "hpc_launch.checks": ["hpc_launch.cli", "hpc_launch.runs", "hpc_launch.advice", "hpc_launch.render"],
    "hpc_launch.runs": ["hpc_launch.cli", "hpc_launch.client"],
    "hpc_launch.client": ["hpc_launch.cli"],
    "hpc_launch.keeper": ["hpc_launch.cli", "hpc_launch.client", "hpc_launch.runs", "hpc_launch.models"],
}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in PACKAGE.rglob("*.py")}


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that are carried out when a module is imported; what is for types alone is left out."""
    for each in body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(each, ast.If) and TYPES_ALONE in ast.unparse(each.test):
            yield from statements(each.orelse)
            continue
        yield each
        for inner in ("body", "orelse", "finalbody", "handlers"):
            yield from statements(getattr(each, inner, []))


def imported(name: str, text: str, is_package: bool) -> set[str]:
    """Modules of ours that this one imports when it is imported, and the packages around them."""
    found = set()
    for each in statements(ast.parse(text).body):
        if isinstance(each, ast.Import):
            found |= {alias.name for alias in each.names}
        elif isinstance(each, ast.ImportFrom):
            around = name.split(".")[: len(name.split(".")) - each.level + is_package] if each.level else []
            module = ".".join([*around, *([each.module] if each.module else [])])
            found |= {f"{module}.{alias.name}" for alias in each.names} | {module}
    modules = {each for each in found if each in MODULES}
    around_them = {".".join(each.split(".")[:n]) for each in modules for n in range(1, each.count(".") + 1)}
    own = {".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 2)}
    return (modules | around_them) - own


IMPORTS = {
    name: imported(name, file.read_text(), is_package=file.name == "__init__.py") for name, file in MODULES.items()
}


def circle(imports: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as fault:
        return list(fault.args[1])
    return []


def test_no_modules_import_each_other() -> None:
    assert len(IMPORTS) > 100 and circle(IMPORTS) == []


def test_a_circle_would_be_found() -> None:
    text = "from hpc_launch.plan import jobs\n"
    assert circle({**IMPORTS, "hpc_launch.units": imported("hpc_launch.units", text, is_package=False)})


@pytest.mark.parametrize("room", NEVER)
def test_no_room_knows_of_one_that_is_above_it(room: str) -> None:
    found = {
        (name, other)
        for name, others in IMPORTS.items()
        if name == room or name.startswith(f"{room}.")
        for other in others
        for above in NEVER[room]
        if other == above or other.startswith(f"{above}.")
    }
    assert any(name.startswith(room) for name in IMPORTS) and not found


@pytest.mark.parametrize("room", ["hpc_launch.plan", "hpc_launch.render", "hpc_launch.advice", "hpc_launch.checks"])
def test_what_is_asked_for_is_worked_out_without_the_commands_of_a_batch_system(room: str) -> None:
    commands = {name for name in MODULES if name.startswith("hpc_launch.batch.") and name.endswith(".commands")}
    assert commands
    assert not {name for name, others in IMPORTS.items() if name.startswith(room) and others & commands}
