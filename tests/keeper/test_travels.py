"""The package `hpc_launch.keeper` travels with runs, beside `hpc_launch.batch`, to hosts that have Python alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from hpc_launch.batch import BUILT_IN, get
from tests.conftest import ROOT

KEEPER = ROOT / "hpc_launch" / "keeper"


@pytest.mark.parametrize("file", sorted(KEEPER.glob("*.py")), ids=lambda file: file.name)
def test_it_imports_the_standard_library_and_what_travels_with_it_alone(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    found |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    own = {name for name in found if name.partition(".")[0] == "hpc_launch"} - {"hpc_launch"}
    assert {name.partition(".")[0] for name in found - own} <= sys.stdlib_module_names | {"hpc_launch"}
    assert all(f"{name}.".startswith(("hpc_launch.batch.", "hpc_launch.keeper.")) for name in own)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_id_of_an_element_is_what_the_batch_system_calls_it(name: str) -> None:
    array = {"slurm": "20", "pbs": "20[].server", "lsf": "20", "sge": "20", "local": "host:20:5@boot"}[name]
    assert get(name).element_id(array, 3) == {
        "slurm": "20_3",
        "pbs": "20[3].server",
        "lsf": "20[3]",
        "sge": "20.3",
        "local": "host:20:5@boot[3]",
    }.get(name)
