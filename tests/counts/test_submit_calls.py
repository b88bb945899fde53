"""How often a submit calls the batch system's submit command, by the number of workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.counts.expectations import EXPECTED
from tests.runs.login import EXTENDED, PROGRAMS, login_host

EXPECTED_CALLS: dict[str, list[int]] = EXPECTED["calls_of_the_submit_command"]
WORKERS = (10, 1000, 10000)
HUGE = {"nodes": 20000, "cores": 8, "memory": "16000 MiB", "walltime": "01:00:00"}
"""A queue that takes them all."""
OF_THE_SITE: dict[str, dict[str, object]] = {
    "arrays of 1000 at most": {"limits": {"array": 1000}},
    "no arrays": {"arrays": False},
}
OF_THE_PROFILE: dict[str, dict[str, object]] = {"standing": {"workload": "none"}}
CASES = [
    (system, case, workers, calls)
    for system in PROGRAMS
    for case, each in EXPECTED_CALLS.items()
    for workers, calls in zip(WORKERS, each, strict=False)  # without arrays ten thousand would take minutes
]


@pytest.mark.parametrize(("system", "case", "workers", "calls"), CASES)
def test_calls_of_the_submit_command(tmp_path: Path, system: str, case: str, workers: int, calls: int) -> None:
    layout, _, kind = case.partition(", ")
    site = {
        "schema": 1,
        "name": "own",
        "extends": EXTENDED[system],
        "queues": {"huge": HUGE},
        "limits": {"array": 20000},
    }
    half = {"count": workers // 2}
    count = {"groups": {"one": half, "other": half}} if kind == "two groups" else {"count": workers}
    profile = {
        "name": "tiny",
        "layout": layout,
        "queue": "huge",
        "workers": {"per_node": 1, "memory": "100 MB", **count},
        "workload": {"command": "x"},
    }
    (tmp_path / "own.yaml").write_text(json.dumps({**site, **OF_THE_SITE.get(kind, {})}))
    (tmp_path / "profile.yaml").write_text(json.dumps({**profile, **OF_THE_PROFILE.get(kind, {})}))
    login = login_host(tmp_path, system)
    done = login.submit_unhurt("")
    assert done.returncode == 0, done.stderr
    assert len(login.lines("calls")) == calls
