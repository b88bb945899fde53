"""A user for the runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.runs import Here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "home").mkdir()
    user = Here(project, tmp_path / "home")
    yield user
    user.end_all()
