"""Several processes change one record at once, as a submit, a status and a cancel in three terminals do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpc_launch.runs.directory import read_record, update_record, write_record
from hpc_launch.runs.lock import LOCK, alone
from tests.conftest import ROOT
from tests.runs.jobs import record

UPDATE = """
import sys
from dataclasses import replace
from pathlib import Path
from hpc_launch.runs.directory import update_record
directory, own = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    update_record(directory, lambda old: replace(old, commands={**old.commands, f"{own}-{number}": ["x"]}))
"""


def test_no_update_is_lost_when_several_processes_make_them_at_once(tmp_path: Path) -> None:
    write_record(tmp_path, record())
    command = [sys.executable, "-c", UPDATE, str(tmp_path)]
    processes = [
        subprocess.Popen(
            [*command, str(own)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for own in range(3)
    ]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert set(read_record(tmp_path).commands) == {f"{own}-{number}" for own in range(3) for number in range(15)}
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_lock_that_a_crash_left_is_taken_away_after_a_while(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("login2 123 abc\n")
    with alone(tmp_path, stale=0.2, wait=60.0) as certain:
        assert certain and "login2" not in (tmp_path / LOCK).read_text()
    assert not (tmp_path / LOCK).exists()


def test_a_lock_that_others_hold_in_turn_is_theirs_and_waiting_ends(tmp_path: Path) -> None:
    lock = tmp_path / LOCK
    lock.write_text("login2 123 abc\n")
    with alone(tmp_path, stale=60.0, wait=0.2) as certain:
        assert not certain
    assert lock.read_text() == "login2 123 abc\n"


def test_a_lock_that_was_taken_from_us_is_not_removed(tmp_path: Path) -> None:
    with alone(tmp_path) as certain:
        assert certain
        (tmp_path / LOCK).unlink()
        (tmp_path / LOCK).write_text("login2 123 abc\n")
    assert (tmp_path / LOCK).exists()


def test_a_change_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    write_record(tmp_path, record())
    with pytest.raises(ZeroDivisionError):
        update_record(tmp_path, lambda _: 1 // 0)  # type: ignore[arg-type, return-value]
    assert os.listdir(tmp_path) == ["run.json"]


def test_where_no_lock_can_be_made_the_work_goes_on(tmp_path: Path) -> None:
    began = time.monotonic()
    with alone(tmp_path / "gone", wait=60.0) as certain:
        assert not certain
    assert time.monotonic() - began < 30
