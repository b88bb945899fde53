"""Runs of several jobs: what is submitted after what, what is taken back, and what is called off at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError
from hpc_launch.runs.cancel import Patience, cancel
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit
from tests.runs.jobs import IDS, OVER, Prepare, arrays, batch_commands, cancelled, squeue_line


def test_workers_depend_on_the_start_of_the_schedulers_job(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    log = f'echo "$*" >>"{tmp_path}/submitted"; {IDS}'
    _, record = submit(arrays(prepared, tmp_path, submit=log), context, Path("run"))
    token = record.id[-6:]
    assert (tmp_path / "submitted").read_text().splitlines() == [
        f"--parsable --job-name=tiny-{token} scheduler.sh",
        f"--parsable --job-name=tiny-{token}-workers --array=0-2 --output=logs/workers-job-%a.log"
        " --dependency=after:36 workers.sh",
    ]
    assert record.job_ids == ["36", "37"] and cancelled(tmp_path) == []
    assert record.jobs[1].command[-2:] == ("--dependency=after:{job:scheduler}", "workers.sh")


def test_an_answer_for_the_workers_that_was_lost_is_found_by_their_name(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    lost = 'case "$*" in *workers*) echo Socket timed out >&2; exit 1 ;; *) echo 36 ;; esac'
    found = squeue_line("PENDING", "41")
    _, record = submit(arrays(prepared, tmp_path, submit=lost, status=found), context, Path("run"))
    assert record.job_ids == ["36", "41"] and cancelled(tmp_path) == []


def test_if_it_cannot_be_told_whether_workers_are_queued_the_run_is_taken_back(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    lost = 'case "$*" in *workers*) echo Socket timed out >&2; exit 1 ;; *) echo 36 ;; esac'
    one = arrays(prepared, tmp_path, submit=lost, status="echo no contact >&2; exit 1")
    with pytest.raises(BatchSystemError, match=r"-workers is queued cannot be told, so tiny-.* was taken back") as told:
        submit(one, context, Path("run"))
    record = read_record(tmp_path / "run")
    assert told.value.exit_code == 5 and f"hpc-launch cancel {record.id}" in str(told.value)
    assert cancelled(tmp_path) == ["36"] and record.taken_back and record.cancel_requested is None
    batch_commands(tmp_path, status=squeue_line("CANCELLED", "36"), cancel=f'echo "$*" >>"{tmp_path}/cancelled"')
    assert bring_up_to_date(tmp_path / "run").standing.outcome == "launch-failed"


def test_ctrl_c_between_two_jobs_takes_the_first_one_back(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    interrupt = 'case "$*" in *workers*) sleep 0.3; kill -INT $PPID; sleep 5 ;; *) echo 36 ;; esac'
    with pytest.raises(KeyboardInterrupt):
        submit(arrays(prepared, tmp_path, submit=interrupt), context, Path("run"))
    assert cancelled(tmp_path) == ["36"]


def test_workers_of_a_run_that_is_over_before_they_were_submitted_are_called_off(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    quick = f'case "$*" in *workers*) {OVER}; echo 37 ;; *) echo 36 ;; esac'
    submit(arrays(prepared, tmp_path, submit=quick), context, Path("run"))
    assert cancelled(tmp_path)[0] == "--state=PENDING 37"
    assert all(line.endswith(" 37") for line in cancelled(tmp_path))


def test_what_may_be_left_at_the_end_is_called_off_once(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, _ = submit(arrays(prepared, tmp_path), context, Path("run"))
    (directory / "state" / "1").mkdir()
    (directory / "state" / "1" / "outcome").write_text("failed 7 \n")
    (directory / "state" / "1" / "events").write_text("1 started c1 36\n2 ended\n")
    broken = "echo scancel: error: Unable to contact slurm controller >&2; exit 1"
    batch_commands(tmp_path, cancel=broken)
    assert bring_up_to_date(directory).standing.exit_code == 7
    assert read_record(directory).withdrawn is None
    batch_commands(tmp_path, cancel=f'echo "$*" >>"{tmp_path}/cancelled"')
    for _ in range(2):
        assert bring_up_to_date(directory).standing.exit_code == 7
    assert cancelled(tmp_path) == ["--state=PENDING 37", "--batch --signal=TERM --state=RUNNING 37"]
    assert read_record(directory).withdrawn


def test_cancelling_while_queued_calls_off_all_of_it(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, _ = submit(arrays(prepared, tmp_path), context, Path("run"))
    cancel(directory, print, Patience(orderly=0, gone=0, ask=0, look=0))
    assert cancelled(tmp_path) == ["36 37"]


def test_cancelling_a_run_that_is_over_insists_on_the_end_of_its_workers(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    directory, _ = submit(arrays(prepared, tmp_path), context, Path("run"))
    (directory / "state" / "1").mkdir()
    (directory / "state" / "1" / "outcome").write_text("succeeded 0 \n")
    (directory / "state" / "1" / "events").write_text("1 started c1 36\n2 ended\n")
    cancel(directory, print)
    assert cancelled(tmp_path)[-1] == "37"
