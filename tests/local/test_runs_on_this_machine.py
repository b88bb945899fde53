"""Whole runs with real Dask: how they end, and that every way out is told and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.local.runs import Here, Run, until

SLEEP = ["sleep", "300"]
STUBBORN = "trap '' TERM; (trap '' TERM; sleep 300) & sleep 300"
"""A workload that does not hear TERM, and has a child that does not either."""


@pytest.mark.parametrize(("command", "code"), [("kill -KILL $$", 137), (["no-such-program"], 127)])
def test_the_workloads_exit_code_is_the_runs(here: Here, command: str | list[str], code: int) -> None:
    done = here.command("submit", here.profile(command), "--wait")
    assert done.returncode == code, done.stderr
    assert Run(here, done.stdout.strip()).ended_as("failed", code)["reason"] is None


def test_the_failure_of_a_piped_command_is_one_whatever_the_users_lines_change(here: Here) -> None:
    names = ("state", "outcome", "code", "reason", "workload", "workers", "scheduler", "node", "host", "patience")
    setup = "set -aeuf; SECONDS=0; IFS=x; outcome=succeeded code=0 reason=fine; finish() { :; }; unfit() { :; }\n"
    run = here.submit("(exit 9) | cat", environment={"variables": dict.fromkeys(names, "1"), "setup": setup})
    run.ended_as("failed", 9)


def test_a_run_ends_before_its_walltime_and_says_so(here: Here) -> None:
    run = here.submit(STUBBORN, walltime="00:00:15")
    assert run.ended_as("timeout", 1)["reason"] == "the walltime was used up"
    assert not (run.directory / "tls").exists()


def test_nobody_without_the_keys_gets_in_and_a_cancelled_run_leaves_nothing_however_stubborn(here: Here) -> None:
    run = here.submit(STUBBORN)
    run.until_running()
    address = (run.directory / "state/1/ready").read_text()
    script = "import sys; from dask.distributed import Client; Client(sys.argv[1], timeout=2).scheduler_info()"
    for attempt in (address, address.replace("tls://", "tcp://")):
        done = subprocess.run([sys.executable, "-c", script, attempt], capture_output=True, timeout=60, check=False)
        assert done.returncode == 1, attempt
    mode = (run.directory / "tls/key.pem").stat().st_mode & 0o777, run.directory.stat().st_mode & 0o777
    assert mode == (0o600, 0o700)
    assert here.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    assert not (run.directory / "tls").exists()
    again = here.command("cancel", run.id)
    assert again.returncode == 0 and "over already" in again.stderr


def test_a_job_whose_shell_is_killed_ends_all_the_same(here: Here) -> None:
    run = here.submit(here.script("from dask.distributed import Client; import time\nc = Client()\ntime.sleep(300)"))
    run.until_running()
    os.kill(run.shell, signal.SIGKILL)
    until(lambda: not run.processes(), "scheduler, workers and workload to end")
    assert run.status()["state"] == "lost"


@pytest.mark.parametrize(
    ("workers", "told"),
    [
        ({"interface": "ib99"}, "no network interface ib99"),
        ({"local_directory": "/proc/nowhere"}, "cannot write to the local directory /proc/nowhere"),
        ({"local_directory": "$NOT_SET_HERE/x"}, "$NOT_SET_HERE/x is not set here"),
        ({"options": ["--worker-class", "no.such.Class"]}, "logs/workers-"),
    ],
)
def test_a_node_that_is_not_fit_fails_the_launch_with_a_sentence(
    here: Here, workers: dict[str, object], told: str
) -> None:
    run = here.submit(SLEEP, workers={"count": 1, "memory": "300 MB", **workers})
    status = run.ended_as("launch-failed", 1)
    assert told in status["reason"]


def test_an_environment_that_is_not_there_is_named(here: Here) -> None:
    run = here.submit(SLEEP, environment={"venv": "/nowhere/venv"})
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert "environment.sh failed: " in reason and "environment.venv: /nowhere/venv has no bin/activate on " in reason


def test_an_environment_without_dask_fails_the_launch_with_a_sentence(here: Here) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "empty"], cwd=here.project, check=True, timeout=60)
    run = here.submit(SLEEP, environment={"venv": str(here.project / "empty")})
    assert "cannot import dask.distributed" in run.ended_as("launch-failed", 1)["reason"]


def test_setup_lines_that_fail_are_told(here: Here) -> None:
    run = here.submit(SLEEP, environment={"setup": "set -eu\nfalse\n"})
    assert "environment.sh failed" in run.ended_as("launch-failed", 1)["reason"]


def test_scratch_is_never_that_of_the_shell_of_submit(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(here.project))
    reason = here.submit("echo never", workers={"local_directory": "$TMPDIR"}).ended_as("launch-failed", 1)["reason"]
    assert "a variable in the local directory $TMPDIR is not set here" in reason


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])  # TERM: below
def test_a_job_that_is_told_to_end_says_so(here: Here, number: signal.Signals) -> None:
    run = here.submit(SLEEP, walltime="00:05:00")
    until(lambda: run.event("started"), "the job's shell to hear")
    os.kill(run.shell, number)
    until(lambda: run.event("ended"), "the job to end")
    told = (run.directory / "state/1/outcome").read_text()
    assert told == f"cancelled 1 the job was told to end ({number.name[3:]})\n"


LATE = """
import asyncio, os
async def dask_setup(worker):
    while str(worker.name).endswith("1") and not os.path.exists("begun"):
        await asyncio.sleep(0.1)
"""


def test_the_workload_starts_when_the_minimum_is_there(here: Here) -> None:
    """The second worker waits for it."""
    (here.project / "late.py").write_text(LATE)
    work = (
        "import dask, pathlib; from dask.distributed import Client\n"
        "c = Client(); print(len(c.scheduler_info(n_workers=-1)['workers'])); pathlib.Path('begun').touch()\n"
        "c.wait_for_workers(2); print(*c.run(dask.config.get, 'distributed.worker.memory.spill').values())"
    )
    workers = {"count": 2, "minimum": 1, "options": ["--preload", "late.py"], "spill": False}
    run = here.submit(here.script(work), workers=workers)
    run.ended_as("succeeded", 0)
    assert run.log() == "1\nFalse False\n"


def test_workers_that_never_come_fail_the_launch_in_time(here: Here) -> None:
    wait_for_ever = "exec sleep 300"
    run = here.submit(
        SLEEP,
        workers={"count": 1, "memory": "300 MB", "timeout": "5s"},
        environment={"setup": f"case $0 in *node.sh) {wait_for_ever} ;; esac"},
    )
    assert "fewer than 1 workers were connected after 5 s" in run.ended_as("launch-failed", 1)["reason"]


def test_a_scheduler_that_dies_is_named_when_the_workload_fails(here: Here) -> None:
    run = here.submit(
        here.script(
            "import os; from dask.distributed import Client\nc = Client()\n"
            "print(flush=True)\n"
            "c.run_on_scheduler(lambda: os.kill(os.getpid(), 9))"
        )
    )
    status = run.status() if run.wait() else {}
    assert status["outcome"] == "failed" and "scheduler died with exit code 137" in status["reason"]
    until(lambda: not run.processes(), "every process of the run to end")


def test_a_requeued_job_starts_a_new_attempt(here: Here) -> None:
    run = here.submit("[ $HPC_LAUNCH_ATTEMPT = 2 ] || sleep 300\nexit 0; true\n(exit 9) | cat")
    run.until_running()
    directory = run.directory
    os.kill(run.shell, signal.SIGTERM)  # as a batch system does before it requeues
    until(lambda: run.event("ended"), "the first attempt to end")
    (directory / "scheduler.json").write_text('{"address": "tls://127.0.0.1:1"}')  # an earlier attempt's
    environment = {"PATH": os.environ["PATH"], "HOME": str(here.home)}
    subprocess.run(["bash", "job.sh"], cwd=directory, check=True, timeout=60, env=environment)
    assert (directory / "state/attempt").read_text() == "2\n"
    assert (directory / "state/1/outcome").read_text() == "cancelled 1 the job was told to end (TERM)\n"
    assert (directory / "state/2/outcome").read_text().startswith("succeeded 0")
