"""What a README has people type shows what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples.readme import follow
from tests.local.runs import Here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "home").mkdir()
    user = Here(ROOT, tmp_path / "home")
    yield user
    user.end_all()


@pytest.mark.parametrize("example", ["subprocess-slots", "hpc-page"])
def test_a_readme_can_be_followed(here: Here, example: str) -> None:
    follow(ROOT / "examples" / example / "README.md", here)
