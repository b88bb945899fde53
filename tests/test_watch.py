"""How a job's shell waits: real processes and signals, and no look at a file meanwhile."""

from __future__ import annotations

import subprocess

import pytest

from hpc_launch.locations import JOBSIDE

LATE = 20
"""Seconds; a shell that nothing wakes sleeps for thirty."""
SHELL = """
alive() { kill -0 -- "$1" 2>/dev/null; }
last_second='' begun='' workload='' scheduler='' workers='' scheduler_code='' workers_code=''
. "$1/watch.sh"
SECONDS=1000
"""
OLD = "has_wait_n=\n"
"""What a bash before 4.3 finds."""


def shell(lines: str) -> str:
    """What these lines print in a job's shell whose first minutes are over."""
    command = ["bash", "-c", SHELL + lines, "bash", str(JOBSIDE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LATE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("bash", ["", OLD])
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
def test_what_happens_wakes_the_shell(bash: str, happens: str) -> None:
    shell(f"{bash}{happens}\nwait_a_moment\nkill $workload 2>/dev/null || true")


@pytest.mark.parametrize("bash", ["", OLD])
def test_nothing_else_does(bash: str) -> None:
    """Workers that are known to have ended with 0 least of all."""
    lines = (
        ": & workers=$!; wait $workers; workers_code=0; sleep 60 & workload=$! begun=yes; wake_at=1003; wait_a_moment"
    )
    assert int(shell(f"{bash}{lines}\nkill $workload; echo $SECONDS")) >= 1003


@pytest.mark.parametrize("bash", ["", OLD])
def test_a_signal_is_heard_at_once_and_nothing_is_left_sleeping(bash: str) -> None:
    trap = "trap 'stop_sleeping; kill $workload; echo told; exit 0' TERM"
    lines = f"sleep 60 & workload=$! begun=yes; {trap}; ( sleep 0.5; kill $$ ) &"
    assert shell(f"{bash}{lines}\nwait_a_moment") == "told"


@pytest.mark.parametrize("bash", ["", OLD])
def test_the_exit_code_of_what_ended_is_kept(bash: str) -> None:
    assert shell(f"{bash}( sleep 0.3; exit 7 ) & workload=$! begun=yes\nwait_a_moment; wait $workload; echo $?") == "7"


def test_a_shell_that_has_no_time_left_ends() -> None:
    assert shell("out_of_time() { echo out of time; exit 0; }\nlast_second=1000; wait_a_moment") == "out of time"


def test_a_sleep_that_is_ended_as_it_begins_does_not_do_what_the_shell_does_at_its_end() -> None:
    """A child that has just been forked is still a copy of the shell, with its EXIT trap."""
    ends = "trap '[ $BASHPID = $$ ] || echo a child ended the job' EXIT\n"
    again = "for ((turn = 0; turn < 50; turn++)); do news=yes; begin_to_sleep 30; wait $sleeper 2>/dev/null; done; true"
    assert shell(ends + again) == ""
