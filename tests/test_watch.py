"""How a job's shell waits: real processes and signals, and no look at a file meanwhile."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.locations import JOBSIDE
from tests.sessions import in_session

LATE = 20
"""Seconds; a shell that nothing wakes waits for thirty."""
SHELL = """
alive() { kill -0 -- "$1" 2>/dev/null; }
last_second='' begun='' workload='' scheduler='' workers='' scheduler_code='' workers_code=''
. "$1/watch.sh"
SECONDS=1000
"""


def shell(lines: str) -> str:
    """What these lines print in a job's shell whose first minutes are over."""
    command = ["bash", "-c", SHELL + lines, "bash", str(JOBSIDE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LATE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize(
    "happens",
    [
        "sleep 0.5 & workload=$! begun=yes",
        "sleep 60 & workload=$! begun=yes; sleep 0.5 & scheduler=$!",
        "sleep 60 & workload=$! begun=yes; sleep 0.1 & workers=$!; : & for one in 1 2 3; do sleep 0.2; done",
        "sleep 60 & workload=$! begun=yes; ( sleep 0.5; kill -URG $$ ) &",
        "sleep 60 & workload=$! begun=yes; kill -URG $$",
        "sleep 60 & workload=$! begun=yes; wake_at=1001",
        "sleep 60 & workload=$! begun=yes; last_second=1001",
    ],
)
def test_what_happens_wakes_the_shell(happens: str) -> None:
    shell(f"{happens}\nwait_a_moment\nkill $workload 2>/dev/null || true")


def test_nothing_else_does() -> None:
    """Workers that are known to have ended with 0 least of all."""
    lines = (
        ": & workers=$!; wait $workers; workers_code=0; sleep 60 & workload=$! begun=yes; wake_at=1003; wait_a_moment"
    )
    assert int(shell(f"{lines}\nkill $workload; echo $SECONDS")) >= 1003


def test_a_signal_is_heard_at_once() -> None:
    lines = "sleep 60 & workload=$! begun=yes; trap 'kill $workload; echo told; exit 0' TERM; ( sleep 0.5; kill $$ ) &"
    assert shell(f"{lines}\nwait_a_moment") == "told"


def test_the_exit_code_of_what_ended_is_kept() -> None:
    assert shell("( sleep 0.3; exit 7 ) & workload=$! begun=yes\nwait_a_moment; wait $workload; echo $?") == "7"


def test_a_shell_that_has_no_time_left_ends() -> None:
    assert shell("out_of_time() { echo out of time; exit 0; }\nlast_second=1000; wait_a_moment") == "out of time"


def test_what_a_host_has_left_lying_is_told_also_where_its_launcher_knows_it_by_a_longer_name(tmp_path: Path) -> None:
    for left in ("n-1-77", "n-11-78"):
        (tmp_path / f"starting-{left}").write_text("it does not run\n")
    (tmp_path / "unfit").mkdir()
    lines = f"state={tmp_path}; tell_where_python_did_not_run n-1.cluster; ls $state/unfit; cat $state/unfit/*"
    assert shell(lines) == "n-1\nit does not run"
    assert shell(f"state={tmp_path}; tell_where_python_did_not_run; ls $state/unfit") == "n-1\nn-11"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"n-1": "", "n-2": "no shared library\n"}, "n-2"),
        ({"n-1": "", "n-2": ""}, "n-1\nn-2"),
    ],
)
def test_of_ranks_that_began_those_are_told_that_have_said_why_they_ended(
    tmp_path: Path, said: dict[str, str], told: str
) -> None:
    """The launcher ends the others as soon as one has ended."""
    for name in ("unfit", "logs"):
        (tmp_path / name).mkdir()
    for host, words in said.items():
        for process in (77, 78):
            (tmp_path / f"starting-{host}-{process}").write_text("it does not run\n")
        begins = "".join(f"rank {process % 10} is process {process} on {host}\n" for process in (77, 78))
        (tmp_path / "logs" / f"workers-{host}.log").write_text(begins + words)
    assert shell(f"cd '{tmp_path}'; state=.; tell_where_python_did_not_run; ls unfit") == told


def until(condition: Callable[[], object], what: str) -> None:
    give_up = time.monotonic() + LATE
    while not condition():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


def test_a_shell_that_is_killed_leaves_no_process() -> None:
    lines = "sleep 60 & workload=$!; echo $workload; wait_a_moment"
    command = ["bash", "-c", SHELL + lines, "bash", str(JOBSIDE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        workload = int(process.stdout.readline())
        time.sleep(0.5)  # it waits
        process.kill()
        os.kill(workload, signal.SIGTERM)
        until(lambda: not in_session(process.pid), "what the shell has left to end")


JOB = (
    'cd "$2"; mkdir state; HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=1 last_second="" patience=1\n'
    '. "$1/watch.sh"; . "$1/attempt.sh"\n'
)
"""How a job's script begins."""
BASH_ITSELF = re.compile(r"\S+: line \d+: wait_for: No record of process \d+\n")
"""What bash 5.2 now and then says itself of `<(…)`, in a copy of the shell that a signal ends before it is more."""


def test_a_job_that_is_told_to_end_at_any_moment_ends_once(tmp_path: Path) -> None:
    """A batch system tells all processes of a job at once: also a child that was just forked, a copy of the shell."""
    lines = (
        f"{JOB}sleep 60 & workers=$!; workload=''; SECONDS=1000; echo begun\nwhile :; do news=$3; wait_a_moment; done"
    )
    for turn in range(8):
        place = tmp_path / str(turn)
        place.mkdir()
        command = ["bash", "-c", lines, "bash", str(JOBSIDE), str(place), ("", "yes")[turn % 2]]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
            assert process.stdout and process.stderr
            assert process.stdout.readline() == "begun\n"
            time.sleep(random.uniform(0, 0.1))
            os.killpg(process.pid, signal.SIGTERM)
            assert (process.wait(LATE), BASH_ITSELF.sub("", process.stderr.read())) == (1, "")
        told = [line.split()[1] for line in (place / "state" / "1" / "events").read_text().splitlines()]
        assert told == ["started", "ending", "ended"]
        until(lambda session=process.pid: not in_session(session), "what the shell has left to end")  # type: ignore[misc]


def test_a_job_that_is_told_to_end_while_it_waits_gives_its_workload_time(tmp_path: Path) -> None:
    work = "trap 'sleep 1; touch saved; exit' TERM; echo begun; while :; do sleep 0.1; done"
    lines = f'{JOB}set -m; bash -c "$3" & workload=$! begun=yes; set +m; SECONDS=1000; while :; do wait_a_moment; done'
    command = ["bash", "-c", lines, "bash", str(JOBSIDE), str(tmp_path), work]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        time.sleep(0.3)  # it waits
        process.terminate()
        assert process.wait(LATE) == 1
        told = [line.split()[1] for line in (tmp_path / "state" / "1" / "events").read_text().splitlines()]
        assert (tmp_path / "saved").exists() and told == ["started", "ending", "ended"]
