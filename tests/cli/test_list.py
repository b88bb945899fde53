"""`hpc-launch list`: which runs, and how wide."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time

import pytest

from hpc_launch.context import Context
from hpc_launch.runs import index
from hpc_launch.runs.directory import write_record
from tests.commands import command, environment, hpc_launch
from tests.runs.jobs import batch_commands, record, squeue_line

OUTCOME = {"outcome": "failed", "exit_code": 7, "source": "job", "decided": "2026-11-22T12:00:00Z"}


def run(context: Context, number: int, name: str, site: str, state: str | None) -> str:
    """A run on Slurm; one without a state is over. Gives its id."""
    run_id = f"{name}-20261122-12000{number}-aaaaa{number}"
    directory = context.directory / run_id
    directory.mkdir(mode=0o700)
    asked = f'touch "{directory}/asked"; {squeue_line(state)}' if state else "exit 1"
    write_record(directory, record(id=run_id, name=name, site=site, commands=batch_commands(directory, status=asked)))
    if not state:
        data = json.loads((directory / "run.json").read_text())
        (directory / "run.json").write_text(json.dumps({**data, "outcome": OUTCOME}))
    time.sleep(0.02)  # the clock of a file system is coarse
    index.add(context, run_id, directory)
    return run_id


@pytest.fixture
def runs(context: Context) -> list[str]:
    """Newest first."""
    made = [
        run(context, 1, "pi", "ceres", "PENDING"),
        run(context, 2, "pi-fine", "ceres", None),
        run(context, 3, "pi", "atlas", "RUNNING"),
        run(context, 4, "e", "atlas", None),
    ]
    return made[::-1]


@pytest.mark.parametrize(
    ("words", "those"),
    [
        ([], [0, 1, 2, 3]),
        (["--name", "pi"], [1, 3]),
        (["--name", "pi*"], [1, 2, 3]),
        (["--site", "atlas"], [0, 1]),
        (["--state", "failed"], [0, 2]),
        (["--state", "queued", "--state", "failed"], [0, 2, 3]),
        (["--limit", "2"], [0, 1]),
        (["--limit", "1", "--state", "queued"], [3]),
        (["--name", "pi", "--limit", "1", "--site", "ceres"], [3]),
    ],
)
def test_those_that_are_wanted_newest_first(
    context: Context, runs: list[str], words: list[str], those: list[int]
) -> None:
    shown, told = hpc_launch(context, "list", *words), hpc_launch(context, "list", *words, "--json")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == [runs[number] for number in those]
    assert [each["run"] for each in json.loads(told.stdout)["runs"]] == [runs[number] for number in those]


def test_nobody_is_asked_of_runs_that_are_not_wanted(context: Context, runs: list[str]) -> None:
    hpc_launch(context, "list", "--site", "atlas")
    assert [(context.directory / run / "asked").exists() for run in runs] == [False, True, False, False]


def test_a_state_that_is_none_is_refused_with_those_that_are(context: Context, runs: list[str]) -> None:
    told = hpc_launch(context, "list", "--state", "finished")
    assert (told.returncode, told.stdout) == (2, "")
    assert "no run is ever 'finished'" in told.stderr and "succeeded, failed, timeout" in told.stderr
    none = hpc_launch(context, "list", "--state", "lost")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "there is no such run; `hpc-launch list` shows all\n")


def test_what_a_row_ends_with_makes_no_other_row_wider(context: Context, runs: list[str]) -> None:
    gone = context.directory / ("long" * 20)
    index.add(context, "gone-1", gone)
    lines = hpc_launch(context, "list").stdout.splitlines()
    assert lines[1] == f"{'gone-1':{len(runs[2])}}  its directory is gone: {gone}"
    assert max(len(line) for line in lines if "gone" not in line) < 60


def test_on_a_terminal_no_line_is_longer_than_it_is_wide(context: Context, runs: list[str]) -> None:
    index.add(context, "gone-1", context.directory / ("long" * 20))
    ours, theirs = pty.openpty()
    done = subprocess.run(
        command("list"), cwd=context.directory, env={**environment(context), "COLUMNS": "48"}, stdout=theirs, check=True
    )
    os.close(theirs)
    lines = os.read(ours, 4096).decode().splitlines()
    os.close(ours)
    assert done.returncode == 0 and max(map(len, lines)) == 48 and lines[1].endswith("…")
    assert [line.split()[0] for line in lines[2:]] == runs
