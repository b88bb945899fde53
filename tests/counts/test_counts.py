"""What a node's start and a `render` cost, by counts that are the same each time; `make test-counts` calls it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.instructions import instructions
from benchmarks.node_start import start_of_dask_worker, start_of_hpc_launch
from tests.counts.expectations import EXPECTED, objection

PROGRAMS = Path(sys.prefix) / "bin"
"""Of the environment in which the project is installed as a user has it."""


def test_path_calls_of_a_nodes_start(counted: list[str]) -> None:
    ours, theirs = start_of_hpc_launch(PROGRAMS), start_of_dask_worker(PROGRAMS)
    ratio = ours.path_calls / theirs.path_calls
    counted.append(
        f"path calls of a node's start: {ours.path_calls:,} (dask worker: {theirs.path_calls:,}; {ratio:.3f})"
    )
    expected = EXPECTED["path_calls_of_a_nodes_start"]
    assert not (said := objection("path calls of a node's start", ours.path_calls, expected)), said


def test_instructions_of_render(counted: list[str]) -> None:
    render, imports = instructions(PROGRAMS)
    ratio = round(render / imports, 3)
    counted.append(f"instructions of render: {render:,} (imports: {imports:,}; {ratio})")
    expected = EXPECTED["render_by_its_imports"]
    assert not (said := objection("instructions of render by those of its imports", ratio, expected)), said


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (110, None),
        (90, None),
        (111, "111 counted, 100 expected. That is more than a tenth above"),
        (89, "lower the expectation"),
    ],
)
def test_a_count_may_be_a_tenth_away_from_what_is_expected(counted: int, words: str | None) -> None:
    said = objection("calls", counted, 100)
    assert said is None if words is None else words in (said or "")
