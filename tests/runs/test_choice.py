"""What is typed to end a run, or to wait for it, means one that goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import UsageError
from hpc_launch.models.record import Ending
from hpc_launch.runs import index
from hpc_launch.runs.choice import find_unfinished
from hpc_launch.runs.directory import write_record
from tests.runs.jobs import NOW, batch_commands, record, squeue_line

OVER = Ending(outcome="failed", exit_code=7, source="job", decided=NOW)


def run(context: Context, run_id: str, status: str | None = None) -> Path:
    """A run on Slurm that is over, or of which squeue tells what this bash line does."""
    directory = context.directory / "runs" / run_id
    directory.mkdir(parents=True)
    commands = batch_commands(directory, status=status) if status else {}
    write_record(directory, record(id=run_id, commands=commands, outcome=None if status else OVER))
    index.add(context, run_id, directory)
    return directory


RUNNING = squeue_line("RUNNING")
SILENT = "echo no contact >&2; exit 1"


@pytest.mark.parametrize("status", [squeue_line("PENDING"), RUNNING, SILENT])
def test_the_only_one_that_is_not_over_is_meant(context: Context, status: str) -> None:
    run(context, "pi-1")
    meant = run(context, "pi-2", status)
    run(context, "pi-3")
    assert find_unfinished(context, "pi-") == meant
    with pytest.raises(UsageError, match="may mean 3 runs; say the id of one"):
        index.find(context, "pi-")


def test_several_that_are_not_over_are_listed_without_those_that_are(context: Context) -> None:
    run(context, "pi-1")
    for run_id in ("pi-2", "pi-3"):
        run(context, run_id, RUNNING)
    with pytest.raises(UsageError) as told:
        find_unfinished(context, "pi-")
    assert "2 runs that are not over" in str(told.value)
    assert "pi-2" in str(told.value) and "pi-3" in str(told.value) and "pi-1" not in str(told.value)


def test_where_all_are_over_nothing_is_guessed(context: Context) -> None:
    run(context, "pi-1"), run(context, "pi-2")
    with pytest.raises(UsageError, match=r"(?s)2 runs; say the id.*pi-2.*pi-1"):
        find_unfinished(context, "pi-")


IDS = [f"pi-20261122-12000{number}-aaaaa{number}" for number in range(3)]


def test_of_a_name_the_latest_that_is_not_over_is_meant_but_none_is_ended_for_another(context: Context) -> None:
    for run_id, status in zip(IDS, (RUNNING, RUNNING, None), strict=True):
        latest = run(context, run_id, status)
    assert find_unfinished(context, "pi").name == IDS[1]
    with pytest.raises(UsageError, match="2 runs that are not over"):
        find_unfinished(context, "pi", to_end=True)
    shutil.rmtree(latest.parent / IDS[1])
    assert find_unfinished(context, "pi", to_end=True).name == IDS[0]


def test_of_a_name_of_which_all_are_over_the_latest_is_meant(context: Context) -> None:
    for run_id in IDS:
        latest = run(context, run_id)
    assert find_unfinished(context, "pi") == latest == find_unfinished(context, "pi", to_end=True)


def test_one_that_cannot_be_seen_from_here_may_be_the_one_that_is_meant(context: Context) -> None:
    away = context.directory / "away" / IDS[0]
    away.parent.mkdir()
    run(context, IDS[0], RUNNING).rename(away)
    run(context, IDS[1], RUNNING)
    link = context.state / "runs" / IDS[0]
    link.unlink()
    index.add(context, IDS[0], away)
    away.parent.rename(context.directory / "not mounted")
    with pytest.raises(UsageError, match="2 runs that are not over"):
        find_unfinished(context, "pi", to_end=True)
    with pytest.raises(UsageError, match=f"cannot be seen from here.*\n.*remove --forget {IDS[0]}"):
        find_unfinished(context, IDS[0], to_end=True)


def test_a_damaged_record_may_be_the_one_that_is_meant_and_a_deleted_run_not(context: Context) -> None:
    run(context, "pi-1", RUNNING)
    damaged, gone = run(context, "pi-2"), run(context, "pi-3", RUNNING)
    (damaged / "run.json").write_text("{")
    shutil.rmtree(gone)
    with pytest.raises(UsageError, match="2 runs that are not over") as told:
        find_unfinished(context, "pi-")
    assert "pi-3" not in str(told.value)


def test_nobody_is_asked_as_long_as_what_was_typed_fits_one(context: Context) -> None:
    over, asked = run(context, "pi"), context.directory / "asked"
    other = run(context, "pi-2", f'touch "{asked}"; {RUNNING}')
    assert find_unfinished(context, "pi") == over == find_unfinished(context, str(over))
    assert find_unfinished(context, "pi-") == other
    assert not asked.exists()
    run(context, "pi-3")
    assert find_unfinished(context, "pi-") == other
    assert asked.exists()


@pytest.mark.parametrize("words", ["qi", "", "$(touch x)", "\n", "no/such"])
def test_what_is_no_run_is_said_as_everywhere(context: Context, words: str) -> None:
    run(context, "pi-1")
    with pytest.raises(UsageError, match="hpc-launch list"):
        find_unfinished(context, words)
