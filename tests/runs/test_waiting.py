"""Waiting for a run, and ending one, with real processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hpc_launch.batch.processes import session
from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError
from hpc_launch.runs.cancel import Patience, cancel
from hpc_launch.runs.job_ids import record_job_id
from hpc_launch.runs.logs import Tail, following
from hpc_launch.runs.parts import Part
from hpc_launch.runs.settle import View
from hpc_launch.runs.submit import submit
from hpc_launch.runs.wait import Pace, follow
from tests.runs.jobs import (
    BEGIN,
    FAILS_WITH_7,
    FOREVER,
    NOT_QUEUED,
    ORDERLY,
    RUNS,
    STUBBORN,
    SUCCEEDS,
    WORKLOAD,
    Prepare,
    on_slurm,
    rendered,
    squeue_line,
    until,
)

QUICK = Pace(look=0.05, ask=0.05, ask_at_most=0.1, alive=0.1)
IMPATIENT = Patience(orderly=1.0, gone=10.0, ask=0.1, look=0.05)


def leader(view: View) -> int:
    """The process id of a local job's shell."""
    return int((view.record.jobs[0].job_id or "").split(":")[1])


def test_following_ends_with_the_outcome(prepared: Prepare, context: Context) -> None:
    script = BEGIN + "sleep 0.5\n" + WORKLOAD + "sleep 0.5\nfinish failed 7\n"
    directory, _ = submit(rendered(prepared, script), context)
    views = list(follow(directory, QUICK))
    states = list(dict.fromkeys(view.standing.state for view in views))
    assert states[0] == "starting" and states[-1] == "failed" and "running" in states
    assert views[-1].standing.exit_code == 7 and views[-1].final
    assert views[-1].reports == {}, "what the batch system said before is out of date"


@pytest.mark.parametrize(("at_most", "fewest", "most"), [(1000, 20, 200), (3, 3, 10)])
def test_while_a_job_ends_it_is_looked_at_more_often(
    prepared: Prepare, context: Context, at_most: int, fewest: int, most: int
) -> None:
    script = BEGIN + WORKLOAD + "event ending\nsleep 2\nfinish succeeded 0\n"
    directory, _ = submit(rendered(prepared, script), context)
    views = list(follow(directory, Pace(look=0.5, at_the_end=0.02, looks_at_the_end=at_most)))
    ending = [view for view in views if view.evidence.ending is not None and not view.final]
    assert fewest <= len(ending) <= most


def test_a_batch_system_is_not_asked_while_the_scheduler_shows_progress(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    asked = f'echo >>"{tmp_path}/asked"; ' + squeue_line("RUNNING")
    one = on_slurm(prepared, tmp_path, submit="echo 36", status=asked)
    directory, _ = submit(one, context, Path("run"))
    state = directory / "state" / "1"
    state.mkdir()
    (state / "events").write_text("1 started n 36\n2 workload tls://x\n")
    for number, view in enumerate(follow(directory, Pace(look=0.02, ask=0.02, ask_at_most=0.02, alive=60.0))):
        assert view.standing.state in ("running", "succeeded")
        (state / "new").write_text(f'{{"schema": 1, "workers": 4, "time": {number}}}')
        (state / "new").rename(state / "progress.json")
        if number == 20:
            (state / "outcome").write_text("succeeded 0\n")
            (state / "events").write_text("1 started n 36\n2 workload tls://x\n3 ending\n4 ended\n")
    assert view.standing.outcome == "succeeded"
    assert len((tmp_path / "asked").read_text()) <= 3


def test_a_batch_system_that_does_not_answer_ends_the_waiting_not_the_run(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    one = on_slurm(prepared, tmp_path, submit="echo 36", status="echo slurm_load_jobs error >&2; exit 1")
    directory, record = submit(one, context, Path("run"))
    seen = []
    with pytest.raises(BatchSystemError, match=f"hpc-launch wait {record.id}") as told:
        for view in follow(directory, Pace(look=0.01, ask=0.01, ask_at_most=0.01, unanswered=3)):
            seen.append(view.standing.state)
    assert set(seen) == {"unknown"} and told.value.exit_code == 5


def test_a_killed_job_is_lost_and_waiting_goes_on_until_that_is_certain(
    prepared: Prepare, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    directory, _ = submit(rendered(prepared, RUNS), context)
    view = until(directory, lambda view: view.standing.state == "running")
    for process in session(leader(view)):
        os.kill(process, signal.SIGKILL)
    monkeypatch.setattr("hpc_launch.runs.settle.SETTLES_AFTER", timedelta(seconds=0.5))
    views = list(follow(directory, QUICK))
    assert sum(view.standing.state == "lost" for view in views) > 1
    assert views[-1].final and views[-1].standing.exit_code == 1


def test_a_running_job_is_let_end_in_its_own_way(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, RUNS, security="tls"), context)
    view = until(directory, lambda view: view.standing.state == "running")
    said: list[str] = []
    view = cancel(directory, said.append)
    assert (view.standing.outcome, view.standing.source) == ("cancelled", "job")
    assert view.evidence.ended is not None and "in order" in " ".join(said)
    assert session(leader(view)) == [] and not (directory / "tls").exists()


def test_a_job_that_does_not_listen_is_ended_all_the_same(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, STUBBORN), context)
    view = until(directory, lambda view: view.standing.state == "running")
    view = cancel(directory, lambda _: None, IMPATIENT)
    assert (view.standing.outcome, view.standing.exit_code) == ("cancelled", 1)
    assert session(leader(view)) == []


def test_a_job_that_ends_well_although_it_was_told_to_end_succeeded(prepared: Prepare, context: Context) -> None:
    script = BEGIN + "trap 'finish succeeded 0' TERM\n" + WORKLOAD + FOREVER
    directory, _ = submit(rendered(prepared, script), context)
    until(directory, lambda view: view.standing.state == "running")
    assert cancel(directory, lambda _: None).standing.outcome == "succeeded"


def test_a_job_that_is_told_to_end_before_it_can_do_so_in_order_leaves_nothing(
    prepared: Prepare, context: Context
) -> None:
    directory, _ = submit(rendered(prepared, "#!/bin/bash\nsleep 600 & sleep 601\n"), context)
    view = until(directory, lambda view: view.standing.state == "starting" and len(session(leader(view))) == 3)
    assert cancel(directory, lambda _: None, IMPATIENT).standing.outcome == "cancelled"
    assert session(leader(view)) == []


def test_cancelling_what_is_over_changes_nothing(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, FAILS_WITH_7), context)
    until(directory, lambda view: view.standing.over)
    said: list[str] = []
    view = cancel(directory, said.append)
    assert view.standing.exit_code == 7 and view.record.cancel_requested is None
    assert "over already" in said[0]


LEAVES_SOMETHING = BEGIN + WORKLOAD + "set -m\nsleep 100 &\nset +m\n"
"""As a workload may: a process in a group of its own, which the job does not know."""


@pytest.mark.parametrize(("end", "outcome"), [
    ("echo succeeded 0 >state/1/outcome; event ending; event ended; exit 0", "succeeded"), ("kill -KILL $$", "lost"),
])  # fmt: skip
def test_what_a_run_that_is_over_has_left_behind_is_ended_by_cancel(
    prepared: Prepare, context: Context, end: str, outcome: str
) -> None:
    directory, _ = submit(rendered(prepared, LEAVES_SOMETHING + end), context)
    view = until(directory, lambda view: view.standing.over and len(session(leader(view))) == 1)
    assert view.standing.outcome == outcome
    view = cancel(directory, lambda _: None)
    assert session(leader(view)) == []
    assert (view.standing.outcome, view.record.cancel_requested) == (outcome, None)


def test_what_a_job_that_ended_in_order_did_not_know_is_ended_too(prepared: Prepare, context: Context) -> None:
    script = BEGIN + "trap 'echo cancelled 1 >state/1/outcome; event ended; exit 1' TERM\n"
    script += "set -m\nsleep 100 &\nset +m\n" + WORKLOAD + "while :; do sleep 0.1; done\n"
    directory, _ = submit(rendered(prepared, script), context)
    view = until(directory, lambda view: view.standing.state == "running")
    assert cancel(directory, lambda _: None).standing.outcome == "cancelled"
    assert session(leader(view)) == []


def test_a_run_that_is_over_on_another_machine_is_left_alone_and_that_is_said(
    prepared: Prepare, context: Context
) -> None:
    directory, _ = submit(rendered(prepared, FAILS_WITH_7), context)
    view = until(directory, lambda view: view.standing.over)
    record_job_id(directory, view.record, "job", "login2:123:456")
    said: list[str] = []
    assert cancel(directory, said.append).standing.exit_code == 7
    assert "login2" in said[-1]


def test_a_queued_job_is_cancelled_at_once(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    queue = f'if [ -e "{tmp_path}/cancelled" ]; then {NOT_QUEUED}; fi; ' + squeue_line("PENDING")
    note = f'echo "$@" >>"{tmp_path}/cancelled"'
    one = on_slurm(prepared, tmp_path, submit="echo 36", status=queue, cancel=note)
    directory, _ = submit(one, context, Path("run"))
    view = cancel(directory, lambda _: None, IMPATIENT)
    assert (view.standing.outcome, view.final) == ("cancelled", True)
    assert (tmp_path / "cancelled").read_text() == "36\n", "no signal first: nothing runs that could hear it"


def test_a_cancel_that_gets_no_answer_says_so_and_the_wish_is_kept(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    one = on_slurm(prepared, tmp_path, submit="echo 36", status=squeue_line("RUNNING"), cancel="exit 1")
    directory, _ = submit(one, context, Path("run"))
    with pytest.raises(BatchSystemError):
        cancel(directory, lambda _: None, IMPATIENT)
    assert until(directory, lambda _: True).record.cancel_requested is not None


def test_a_job_without_an_id_is_found_by_its_name_and_cancelled(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    one = on_slurm(prepared, tmp_path, submit="echo hello", status="exit 1")
    with pytest.raises(BatchSystemError):
        submit(one, context, Path("run"))
    note = f'echo "$@" >>"{tmp_path}/cancelled"'
    batch_status = f'if [ -e "{tmp_path}/cancelled" ]; then {NOT_QUEUED}; fi; ' + squeue_line("PENDING", "77")
    on_slurm(prepared, tmp_path, status=batch_status, cancel=note)
    assert cancel(tmp_path / "run", lambda _: None, IMPATIENT).standing.outcome == "cancelled"
    assert (tmp_path / "cancelled").read_text() == "77\n"


def test_logs_are_followed_to_their_end(prepared: Prepare, context: Context) -> None:
    numbers = "exec >>logs/workload.log; for n in 1 2 3; do echo $n; sleep 0.2; done\n"
    cut = "printf 'caf\\xc3'; sleep 0.2; printf '\\xa9 \\xff'\n"  # a character in two pieces, and none at all
    script = BEGIN + ORDERLY + WORKLOAD + numbers + cut + "finish succeeded 0\n"
    directory, _ = submit(rendered(prepared, script), context)
    assert "".join(following(Tail(directory, Part.workload), QUICK)) == "1\n2\n3\ncafé \ufffd"


def test_logs_of_several_workers_have_a_header_each(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, SUCCEEDS), context)
    for node in ("b", "a"):
        (directory / "logs" / f"workers-{node}.log").write_text(f"of {node}\n")
    expected = "==> workers-a.log <==\nof a\n\n==> workers-b.log <==\nof b\n"
    assert "".join(Tail(directory, Part.workers).new()) == expected


def test_a_log_that_is_written_anew_is_read_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log, tail = tmp_path / "logs" / "job.log", Tail(tmp_path, Part.job)
    log.write_text("a first, longer text\n")
    assert "".join(tail.new()) == "a first, longer text\n"
    log.write_text("again\n")
    assert "".join(tail.new()) == "again\n" and "".join(tail.new()) == ""
