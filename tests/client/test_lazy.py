"""Importing the package costs nothing: notebooks' names come when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hpc_launch


def test_the_package_alone_imports_neither_dask_nor_pydantic() -> None:
    words = [sys.executable, "-X", "importtime", "-c", "import hpc_launch"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}
    assert "hpc_launch" in imported
    assert imported.isdisjoint({"dask", "distributed", "pydantic", "typer", "yaml"})


def test_its_names_are_known_without_being_imported() -> None:
    assert {"HPCCluster", "connect"} <= set(dir(hpc_launch))
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        _ = hpc_launch.nobody
