"""`hpc-launch list`: which runs, and how wide."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from hpc_launch.context import Context
from hpc_launch.models.record import Record, record_of
from hpc_launch.runs import directory, index
from hpc_launch.runs.directory import write_record
from hpc_launch.runs.listing import listed
from tests.commands import command, environment, hpc_launch
from tests.runs.jobs import batch_commands, record, squeue_line


def fail_for(run: str) -> Callable[[Any], Record]:
    """Reads records as usual, but not that of this run."""

    def read(content: Any) -> Record:
        assert content["id"] != run, "it was read again"
        return record_of(content)

    return read


OUTCOME = {"outcome": "failed", "exit_code": 7, "source": "job", "decided": "2026-11-22T12:00:00Z"}


def run(context: Context, number: int, name: str, site: str, state: str | None) -> str:
    """A run on Slurm; one without a state is over. Gives its id."""
    run_id = f"{name}-20261122-12000{number}-aaaaa{number}"
    directory = context.directory / run_id
    (directory / "state").mkdir(mode=0o700, parents=True)
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


def test_a_site_that_nobody_knows_is_refused_with_the_one_that_was_meant(context: Context, runs: list[str]) -> None:
    for more in ([], ["--json"], ["--name", "pi"], ["--state", "failed"]):
        told = hpc_launch(context, "list", "--site", "cerse", *more)
        said = told.stdout if "--json" in more else told.stderr
        assert told.returncode == 2 and "no site profile is called 'cerse'; did you mean 'ceres'?" in said
        assert "known sites: casper, ceres, " in said
    for known in ("casper", "atlas"):  # a site without runs, and one that has runs and no profile
        none = hpc_launch(context, "list", "--site", known, "--name", "nosuch")
        assert (none.returncode, none.stderr) == (0, "there is no such run; `hpc-launch list` shows all\n")


def test_beside_those_that_failed_those_that_never_began_are_counted(context: Context, runs: list[str]) -> None:
    file = context.directory / runs[2] / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "outcome": {**OUTCOME, "outcome": "launch-failed"}}))
    told = hpc_launch(context, "list", "--state", "failed", "--limit", "5")
    assert [line.split()[0] for line in told.stdout.splitlines()[1:]] == [runs[0]]
    assert told.stderr == "1 more never began their workload: --state launch-failed\n"
    both = hpc_launch(context, "list", "--state", "failed", "--state", "launch-failed")
    assert len(both.stdout.splitlines()) == 3 and both.stderr == ""
    programs = json.loads(hpc_launch(context, "list", "--state", "failed", "--json").stdout)
    assert [each["run"] for each in programs["runs"]] == [runs[0]]


def test_runs_that_are_over_for_good_are_not_read_again_until_something_changes(
    context: Context, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown() -> dict[str, str]:
        return {row.id: row.shown for row in listed(context).rows}

    first = shown()
    over = context.directory / runs[2]
    with monkeypatch.context() as patch:
        patch.setattr(directory, "record_of", fail_for(runs[2]))
        assert shown() == first
    (over / "run.json").chmod(0o666)
    assert shown()[runs[2]] == "refused: others may write it"
    (over / "run.json").chmod(0o600)
    assert shown() == first
    data = json.loads((over / "run.json").read_text())
    write_record(over, record_of({**data, "outcome": {**OUTCOME, "exit_code": 8}}))
    assert shown()[runs[2]] == "failed (8)"
    shutil.rmtree(over)
    assert "is gone" in shown()[runs[2]]


def test_a_run_whose_job_began_once_more_is_looked_at(context: Context, runs: list[str]) -> None:
    listed(context), listed(context)
    again = context.directory / runs[0]
    (again / "state" / "1").mkdir(parents=True)
    (again / "state" / "attempt").write_text("1\n")
    row = next(row for row in listed(context).rows if row.id == runs[0])
    assert row.state != "failed"


@pytest.mark.parametrize(
    "kept", ["{", "[]", '{"schema": 2, "runs": {}}', '{"schema": 1, "runs": {"x": 1}}', '{"schema": 1, "runs": 1}']
)
def test_what_was_kept_and_cannot_be_understood_changes_nothing(context: Context, runs: list[str], kept: str) -> None:
    before = listed(context).rows
    (context.state / "over.json").write_text(kept)
    assert listed(context).rows == before == listed(context).rows
    assert json.loads((context.state / "over.json").read_text())["schema"] == 1


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
