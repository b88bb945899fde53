"""`hpc-launch close`: what is a standing cluster, and has not ended, is told to end; other runs are left alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.cli import main
from hpc_launch.context import Context
from hpc_launch.errors import UsageError
from hpc_launch.runs.cancel import Patience
from hpc_launch.runs.close import close
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.settle import View
from hpc_launch.runs.submit import submit
from tests.runs.jobs import IDS, OVER, Prepare, arrays, batch_commands, cancelled, squeue_line

AT_ONCE = Patience(orderly=0, gone=0, ask=0, look=0)
STANDS = "name: tiny\nlayout: job-array\nworkers: {count: 3, per_node: 1, memory: 100 MB}\nworkload: none\n"


def stand(prepared: Prepare, context: Context, tmp_path: Path, status: str) -> Path:
    """A standing cluster of two jobs, of which Slurm says this."""
    commands = batch_commands(tmp_path, submit=IDS, status=status, cancel=f'echo "$*" >>"{tmp_path}/cancelled"')
    return submit(replace(prepared(STANDS).rendered, commands=commands), context, Path("run"))[0]


def test_a_run_with_a_workload_is_refused(
    prepared: Prepare, context: Context, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    directory, record = submit(arrays(prepared, tmp_path), context, Path("run"))
    assert main(["close", str(directory)]) == 2
    told = capfd.readouterr().err
    assert f"{record.id} is no standing cluster" in told and f"hpc-launch cancel {record.id}" in told
    assert not (directory / "control" / "close").exists() and cancelled(tmp_path) == []


def test_one_that_waits_in_the_queue_is_cancelled(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, said = stand(prepared, context, tmp_path, squeue_line("PENDING")), list[str]()
    close(directory, said.append, no_wake, AT_ONCE)
    assert said[0] == "it has not begun: it is taken out of the queue"
    assert cancelled(tmp_path) == ["36 37"] and read_record(directory).cancel_requested


def test_one_that_runs_is_left_to_end_in_order(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, said, woken = stand(prepared, context, tmp_path, squeue_line("RUNNING")), list[str](), list[View]()
    close(directory, said.append, woken.append, AT_ONCE)
    assert said[0] == "asking the job to end" and said[-1].startswith("it has not ended yet; it will.")
    assert len(woken) == 1 and cancelled(tmp_path) == [] and read_record(directory).cancel_requested is None
    assert (directory / "control" / "close").read_text() == ""
    close(directory, said.append, woken.append, AT_ONCE)
    assert len(woken) == 2


def test_where_the_batch_system_does_not_answer_the_wish_stands(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    directory = stand(prepared, context, tmp_path, "echo no contact >&2; exit 1")
    assert close(directory, print, no_wake, AT_ONCE).standing.state == "unknown"
    assert (directory / "control" / "close").exists() and cancelled(tmp_path) == []


def test_of_one_that_is_over_it_is_said(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, said = stand(prepared, context, tmp_path, squeue_line("COMPLETED")), list[str]()
    subprocess.run(["bash", "-c", OVER], cwd=directory, check=True)
    close(directory, said.append, no_wake, AT_ONCE)
    record = read_record(directory)
    assert said == [f"{record.id} is over already: succeeded"] and not (directory / "control" / "close").exists()


def test_the_wish_that_cannot_be_written_is_told(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory = stand(prepared, context, tmp_path, squeue_line("RUNNING"))
    (directory / "control" / "close").mkdir(parents=True)
    with pytest.raises(UsageError, match="the wish cannot be written"):
        close(directory, print, no_wake, AT_ONCE)


def no_wake(view: View) -> None:
    """This host does not reach the scheduler."""


def test_waiting_for_its_end_is_no_part_of_submit(
    prepared: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "profile.yaml").write_text("site: local\n" + STANDS)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert main(["submit", str(tmp_path / "profile.yaml"), "--wait"]) == 2
    told = capfd.readouterr().err
    assert "a standing cluster does not end by itself" in told and "hpc-launch close" in told
    assert not (tmp_path / "state").exists()
