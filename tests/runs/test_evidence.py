"""State files as they should be, and as they sometimes are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.runs.evidence import Evidence, Verdict, read

EVENTS = "100 started node1 36\n101 workload tls://10.0.0.1:4711\n110 ending\n112 ended\n"


def write(run: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = run / "state" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return run


def test_a_finished_attempt_is_read(tmp_path: Path) -> None:
    progress = {
        "schema": 1, "time": 105.5, "workers": 4, "threads": 8, "tasks": {"memory": 3}, "memory_bytes": 10,
        "spilled_bytes": 2, "address": "tls://10.0.0.1:4711", "dashboard": 8787,
    }  # fmt: skip
    files: dict[str, str | bytes] = {
        "attempt": "1\n", "1/events": EVENTS, "1/outcome": "failed 7 it went wrong\n", "1/ready": "tls://x\n",
        "1/progress.json": json.dumps(progress), "1/fit/node1": "", "1/unfit/node2": "no interface ib0\n",
    }  # fmt: skip
    found = read(write(tmp_path, files))
    assert (found.attempt, found.host) == (1, "node1")
    assert (found.started, found.workload, found.ending, found.ended) == (100, 101, 110, 112)
    assert found.told == Verdict("failed", 7, "it went wrong")
    assert found.unfit == {"node2": "no interface ib0"}
    assert found.progress and (found.progress.workers, found.progress.dashboard) == (4, 8787)
    assert found.progress.tasks == {"memory": 3}


def test_nothing_there_is_no_evidence(tmp_path: Path) -> None:
    assert read(tmp_path) == Evidence()
    (tmp_path / "state").mkdir()
    assert read(tmp_path) == Evidence()
    assert read(tmp_path / "no such directory") == Evidence()


@pytest.mark.parametrize(("attempt", "directories", "newest"), [
    ("2\n", [1], 2), ("1\n", [1, 2], 2), ("", [3], 3), ("garbage", [1], 1), ("10\n", [9, 10], 10),
    ("-1\n", [], None),
])  # fmt: skip
def test_the_newest_attempt_is_found_although_one_of_the_files_is_behind(
    tmp_path: Path, attempt: str, directories: list[int], newest: int | None
) -> None:
    write(tmp_path, {"attempt": attempt, **{f"{number}/events": "1 started h\n" for number in directories}})
    assert read(tmp_path).attempt == newest


def test_an_earlier_attempts_outcome_does_not_count(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"attempt": "2\n", "1/outcome": "cancelled 1 x\n", "1/events": EVENTS, "2/events": "200 started n\n"},
    )
    found = read(tmp_path)
    assert found.told is None and found.ended is None and found.started == 200


@pytest.mark.parametrize("text", [
    "", "\n", "succ", "succeeded", "succeeded 1", "failed", "failed 0", "failed 256",
    "failed -7", "failed 7x",
    "exploded", "exploded -1", "not--so 1", "lost 1 x", "Succeeded 0", b"\xff\xfe\x00", "failed 7\x00", "failed seven",
])  # fmt: skip
def test_an_outcome_that_makes_no_sense_is_none(tmp_path: Path, text: str | bytes) -> None:
    assert read(write(tmp_path, {"1/outcome": text})).told is None


@pytest.mark.parametrize(("text", "told"), [
    ("exploded 1 x", Verdict("exploded", 1, "x")), ("moved-on 0", Verdict("moved-on", 0)),
])  # fmt: skip
def test_an_outcome_of_a_later_version_is_told_as_it_is(tmp_path: Path, text: str, told: Verdict) -> None:
    assert read(write(tmp_path, {"1/outcome": text})).told == told


def test_an_event_that_is_not_all_there_does_not_count(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"1/events": "100 started node1 36\n112 ended"}))
    assert found.started == 100 and found.ended is None


def test_what_a_job_says_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"1/outcome": "failed 7 \x1b[2J\x1b]0;title\x07gone\nsecond line"}))
    assert found.told and found.told.reason.isprintable() and "gone" in found.told.reason


@pytest.mark.parametrize("progress", [
    "", "{", "[]", "null", '{"schema": 2, "workers": 3}', '{"workers": 3}', "[" * 100_000, b"\xff\xff",
])  # fmt: skip
def test_progress_that_is_not_understood_is_none(tmp_path: Path, progress: str | bytes) -> None:
    assert read(write(tmp_path, {"1/progress.json": progress})).progress is None


def test_odd_numbers_in_progress_count_as_nothing(tmp_path: Path) -> None:
    odd = '"workers": -3, "threads": "8", "tasks": [], "memory_bytes": NaN, "spilled_bytes": 1e999'
    found = read(write(tmp_path, {"1/progress.json": f'{{"schema": 1, "dashboard": true, {odd}}}'})).progress
    assert found and (found.workers, found.threads, found.memory_bytes, found.spilled_bytes) == (0, 0, 0, 0)
    assert found.tasks == {} and found.dashboard is None


def test_directories_in_the_place_of_files_are_no_trouble(tmp_path: Path) -> None:
    for name in ("attempt", "1/events", "1/outcome", "1/progress.json", "1/ready", "1/unfit/node1"):
        (tmp_path / "state" / name).mkdir(parents=True)
    assert read(tmp_path) == Evidence(attempt=1, unfit={"node1": ""})


@given(
    st.binary(max_size=300),
    st.sampled_from(["attempt", "1/events", "1/outcome", "1/progress.json", "1/unfit/n"]),
)
def test_no_content_of_a_state_file_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    read(write(tmp_path_factory.mktemp("run"), {name: content}))
