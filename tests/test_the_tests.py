"""What holds for every file of tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (module, *(f"{module}.{each.name}" for each in names))


def test_what_tests_share_stands_in_no_file_of_tests() -> None:
    files = [*(ROOT / "tests").rglob("*.py")]
    found = {file.name: {name for name in imported(file) if ".test_" in name} for file in files}
    assert {name: names for name, names in found.items() if names} == {}
    assert {"tests.conftest", "tests.conftest.ROOT", "ast"} <= set(imported(Path(__file__)))
