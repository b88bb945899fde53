"""Programs on PATH that stand for those of a batch system: real executables, which really run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.on_pbs import OnPbs, on_pbs
from tests.batch.recording import Answers, Program, Replay, recorded


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that leads PATH."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return directory


@pytest.fixture
def program(programs: Path) -> Program:
    def make(name: str, text: str) -> Path:
        path = programs / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def answers(program: Program) -> Answers:
    def make(*names: str) -> None:
        for name in names:
            answer = recorded(name)
            program(answer.command[0], answer.script())

    return make


@pytest.fixture
def replay(program: Program) -> Replay:
    def make(name: str) -> None:
        answer = recorded(name)
        program(answer.command[0], answer.script_for_anything())

    return make


@pytest.fixture
def pbs(tmp_path: Path) -> Iterator[OnPbs]:
    user = on_pbs(tmp_path)
    yield user
    user.end_all()
