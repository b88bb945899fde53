"""No batch system is here but those that a test puts here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.batch import environment
from tests.survey.machines import Make, install


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory with programs."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(environment, "PLAIN_PATH", str(directory))
    return directory


@pytest.fixture
def make(programs: Path) -> Make:
    def put(system: str, edit: Callable[[str, str], str] = lambda name, text: text, **replaced: str) -> None:
        install(programs, system, replaced, edit)

    return put
