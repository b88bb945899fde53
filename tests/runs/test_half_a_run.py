"""Half a run is never left: `hpc-launch submit` is ended at every step between its submissions, on every system."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.runs.directory import read_record, update_record
from tests.runs.login import EXTENDED, PROGRAMS, Login, login_host

SAYS_NO = {"slurm": "Job violates accounting", "pbs": "would exceed limit", "sge": "too many jobs", "lsf": "job limit"}
PROFILE = """
name: tiny
layout: job-array
workers: {count: 3, per_node: 1, memory: 100 MB}
workload: {command: x}
"""
"""A scheduler's job, and three plain jobs of one worker, where there are no arrays: four calls."""


@pytest.fixture(autouse=True)
def signals_as_at_a_terminal() -> Iterator[None]:
    """Also where these tests run in the background, with signals ignored."""
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    control_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGHUP, hang_up)
    signal.signal(signal.SIGINT, control_c)


@pytest.fixture(params=list(PROGRAMS))
def login(tmp_path: Path, request: pytest.FixtureRequest) -> Login:
    return at(tmp_path, request.param)


def at(tmp_path: Path, system: str) -> Login:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    (tmp_path / "own.yaml").write_text(f"schema: 1\nname: own\nextends: {EXTENDED[system]}\narrays: false\n")
    return login_host(tmp_path, system)


def rather_on_slurm(*more: str) -> list[object]:
    """Each system; all but Slurm in `make test-long`."""
    marks = {system: [] if system == "slurm" else [pytest.mark.long] for system in PROGRAMS}
    return [pytest.param(system, *more, marks=marks[system]) for system in PROGRAMS]


ON_SLURM = pytest.mark.parametrize("system", rather_on_slurm())


def everywhere(*steps: str, on_slurm: tuple[str, ...] = ()) -> list[object]:
    """System and step. How jobs are found and cancelled differs between systems; when that is done does not."""
    cases: list[object] = [(system, step) for step in steps for system in PROGRAMS]
    return [*cases, *(case for step in on_slurm for case in rather_on_slurm(step))]


@pytest.mark.parametrize(("system", "step"), everywhere("2 KILL before", "2 KILL after", on_slurm=("4 KILL before",)))
def test_the_next_status_takes_back_what_a_killed_submit_has_left(tmp_path: Path, system: str, step: str) -> None:
    login = at(tmp_path, system)
    assert login.submit(step).returncode == -signal.SIGKILL
    assert login.lines("queue"), "something was left"
    status = login.status()
    assert (status["state"], status["outcome"], status["exit_code"]) == ("launch-failed", "launch-failed", 1)
    assert "never submitted: hpc-launch submit ended before that" in status["reason"]
    assert login.lines("queue") == [], "nothing of the run waits any more"
    assert not (login.run / "tls").exists()
    assert login.status()["reason"] == status["reason"]


@ON_SLURM
def test_all_jobs_of_a_killed_submit_are_found_where_the_last_one_was_taken(tmp_path: Path, system: str) -> None:
    login = at(tmp_path, system)
    assert login.submit("4 KILL after").returncode == -signal.SIGKILL
    assert login.status()["state"] == "queued"
    ids = [line.split()[0] for line in login.lines("queue")]
    assert len(ids) == 4 and read_record(login.run).job_ids == ids
    assert (login.run / "control" / "worker-jobs").read_text().splitlines() == ids[1:]


@pytest.mark.parametrize("words", [("wait",), ("cancel",), ("list",)])
def test_so_does_every_other_command_that_looks(tmp_path: Path, words: tuple[str, ...]) -> None:
    login = at(tmp_path, "slurm")
    login.submit("2 KILL before")
    done = login.command(*words, *(["run"] if words != ("list",) else []))
    assert done.returncode == (1 if words == ("wait",) else 0), done.stderr
    assert login.lines("queue") == []
    assert login.status()["outcome"] == "launch-failed"


@ON_SLURM
def test_a_first_job_that_a_killed_submit_never_heard_of_is_found_and_taken_back(tmp_path: Path, system: str) -> None:
    login = at(tmp_path, system)
    assert login.submit("1 KILL after").returncode == -signal.SIGKILL
    assert login.status()["outcome"] == "launch-failed"
    assert login.lines("queue") == [] and login.lines("cancelled") == [f"7{'.server' if system == 'pbs' else ''}"]


def test_a_submit_that_was_killed_before_its_first_job_has_left_nothing(login: Login) -> None:
    login.submit("1 KILL before")
    status = login.status()
    assert status["outcome"] == "launch-failed" and "never confirmed the job" in status["reason"]


def test_what_a_command_takes_after_its_submit_was_killed_is_called_off_later(tmp_path: Path) -> None:
    """It may be slow: then nothing is said before it has ended."""
    login = at(tmp_path, "slurm")
    login.submit("2 KILL before")
    record = read_record(login.run)
    slow = subprocess.Popen(["sleep", "60"], cwd=login.run, start_new_session=True)
    try:
        assert login.status()["outcome"] is None
    finally:
        slow.kill()
        slow.wait()
    assert login.status()["outcome"] == "launch-failed"
    (login.place / "bin" / "queue").write_text(f"77 {record.jobs[1].job_name}\n")
    assert login.status()["outcome"] == "launch-failed"
    assert login.lines("queue") == [] and login.lines("cancelled")[-1] == "77"


@pytest.mark.parametrize(
    ("system", "step"),
    everywhere("1 TERM after", on_slurm=("2 TERM before", "2 HUP after", "3 INT before")),
)
def test_a_submit_that_is_told_to_end_takes_its_jobs_back_itself(tmp_path: Path, system: str, step: str) -> None:
    login, name = at(tmp_path, system), step.split()[1]
    done = login.submit(step)
    assert done.returncode == 128 + signal.Signals[f"SIG{name}"], done.stderr
    assert login.lines("queue") == []
    status = login.status()
    how = "Ctrl-C" if name == "INT" else f"SIG{name}"
    assert status["outcome"] == "cancelled"
    assert status["reason"] == f"hpc-launch submit was told to end ({how}) before all jobs of the run were submitted"
    assert login.lines("queue") == []


def test_a_closed_terminal_ends_no_submit_that_was_to_outlive_it(tmp_path: Path) -> None:
    login = at(tmp_path, "slurm")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        (login.place / "bin" / "plan").write_text("")
        program = login.place / "bin" / "standin.py"
        program.write_text(
            program.read_text().replace(
                "def submit(kind: str) -> None:", "def submit(kind: str) -> None:\n    os.kill(os.getppid(), 1)"
            )
        )
        assert login.submit().returncode == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert len(login.lines("queue")) == 4


@pytest.mark.parametrize("call", [2, 3, 4])
def test_a_worker_job_that_is_refused_is_a_launch_that_failed_in_the_batch_systems_words(
    login: Login, call: int
) -> None:
    done = login.submit_unhurt(f"{call} refuse now")
    assert done.returncode == 5 and login.lines("queue") == []
    begin_an_attempt(login.run)  # the scheduler's job was quicker, and was then told to end
    status = login.status()
    assert (status["outcome"], status["state"]) == ("launch-failed", "launch-failed")
    assert login.lines("calls")[call - 1].startswith("tiny-")
    assert SAYS_NO[login.system] in status["reason"]
    assert read_record(login.run).refused and read_record(login.run).cancel_requested is None


def test_so_is_one_whose_workload_had_begun_without_workers_and_was_told_to_end(tmp_path: Path) -> None:
    login = at(tmp_path, "slurm")
    login.submit_unhurt("2 refuse now")
    begin_an_attempt(login.run)
    (login.run / "state" / "1" / "events").write_text("1 started c1 7\n1 workload tls://x\n2 ending\n3 ended\n")
    status = login.status()
    assert status["outcome"] == "launch-failed" and SAYS_NO["slurm"] in status["reason"]


def begin_an_attempt(run: Path) -> None:
    """What a scheduler's job leaves that is told to end before its workload began."""
    (run / "state" / "1").mkdir()
    (run / "state" / "attempt").write_text("1\n")
    (run / "state" / "1" / "events").write_text("1 started c1 7\n2 ending\n3 ended\n")
    (run / "state" / "1" / "outcome").write_text("cancelled 1 the job was told to end (TERM)\n")


@pytest.mark.parametrize("call", [2, 3])
def test_one_of_which_no_answer_came_is_one_too_and_it_is_looked_for_until_it_cannot_come_any_more(
    login: Login, call: int
) -> None:
    done = login.submit_unhurt(f"{call} silence now")
    assert done.returncode == 5 and login.lines("queue") == []
    status = login.status()
    assert status["outcome"] == "launch-failed" and "is queued cannot be told" in status["reason"]
    record = read_record(login.run)
    late = "99.server" if login.system == "pbs" else "99"
    (login.place / "bin" / "queue").write_text(f"{late} {record.missing[0].job_name}\n")
    assert login.status()["outcome"] == "launch-failed"
    assert login.lines("queue") == [] and late in login.lines("cancelled")


def test_a_workload_that_had_begun_counts_for_more(tmp_path: Path) -> None:
    login = at(tmp_path, "slurm")
    login.submit("4 KILL before")
    begin_an_attempt(login.run)
    (login.run / "state" / "1" / "events").write_text("1 started c1 7\n1 workload tls://x\n2 ending\n3 ended\n")
    (login.run / "state" / "1" / "outcome").write_text("succeeded 0 \n")
    assert login.status()["outcome"] == "succeeded"
    assert len(login.lines("queue")) == 1, "the worker jobs were called off, the first job ends by itself"


@ON_SLURM
def test_ids_that_cannot_be_kept_are_a_run_that_is_taken_back(tmp_path: Path, system: str) -> None:
    login = at(tmp_path, system)
    done = login.submit("1 full after")
    assert done.returncode == 5 and "cannot write" in done.stderr
    assert login.lines("queue") == []
    assert login.status()["outcome"] == "launch-failed"


def test_where_the_submitting_process_cannot_be_seen_it_is_said_when_no_submission_takes_so_long(
    tmp_path: Path,
) -> None:
    login = at(tmp_path, "slurm")
    login.submit("2 KILL before")
    update_record(login.run, lambda record: replace(record, submitter="elsewhere:1:1"))
    assert login.status()["outcome"] is None
    from datetime import timedelta

    old = read_record(login.run).created - timedelta(minutes=3)

    def aged(record: Any) -> Any:
        jobs = tuple(replace(job, submitted=job.submitted and old) for job in record.jobs)
        return replace(record, created=old, jobs=jobs)

    update_record(login.run, aged)
    assert login.status()["outcome"] == "launch-failed"
    assert login.lines("queue") == []
