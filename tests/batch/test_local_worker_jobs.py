"""Worker jobs on this machine: real processes, so many at once, of which the others wait their turn."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpc_launch.batch import get, processes
from hpc_launch.batch.faults import Refused
from hpc_launch.batch.local.commands import Local
from hpc_launch.batch.report import JobReport, JobStatus
from tests.batch.local_processes import HOSTILE, STUBBORN, eventually, pid_in
from tests.conftest import ROOT

INDEX = "$HPC_LAUNCH_LOCAL_INDEX"
UNTIL_TOLD = f"echo $$ >pid-{INDEX}; until [ -e end-{INDEX} ]; do sleep 0.05; done"
TELLS = f"trap 'touch told-{INDEX}; exit' TERM; echo $$ >pid-{INDEX}; while :; do sleep 0.05; done"
Start = Callable[..., str]


def name_in(directory: Path) -> str:
    """Of the jobs of a test; others run beside it."""
    return f"pi-{directory.parent.name}-{directory.name}"


@pytest.fixture
def local() -> Local:
    system = get("local")
    assert isinstance(system, Local)
    system.grace = 0.5
    return system


@pytest.fixture
def start(local: Local, tmp_path: Path) -> Iterator[Start]:
    """Submits worker jobs of one run; what is left of them is killed in the end."""
    jobs: list[str] = []

    def submitted(
        text: str = UNTIL_TOLD,
        array: int | None = 3,
        at_once: int = 2,
        name: str = "",
        walltime: int | None = None,
        **keys: Path,
    ) -> str:
        directory = keys.get("directory", tmp_path)
        file = f"workers{len(jobs)}.sh"
        limits = f"at-once={at_once}" + (f" walltime={walltime}" if walltime else "")
        (directory / file).write_text(f"#!/bin/bash\n#LOCAL {limits}\n{text}\n")
        jobs.append(local.submit(directory, file, name or name_in(tmp_path), array, "36", "logs/workers-job"))
        return jobs[-1]

    yield submitted
    local.grace = 0.0
    local.cancel(jobs)


def elements(local: Local, job: str, array: int = 3) -> dict[str, int]:
    return dict(local.states([job], {job: array})[job].elements)


def state(local: Local, job: str) -> JobStatus:
    return local.states([job])[job].status


def left_of(job: str) -> list[int]:
    return processes.session(processes.parts(job)[1])


def test_as_many_run_at_once_as_may_and_the_others_wait_their_turn(local: Local, start: Start, tmp_path: Path) -> None:
    job = start()
    assert eventually(lambda: elements(local, job) == {"running": 2, "queued": 1})
    assert [pid_in(tmp_path / f"pid-{index}") > 0 for index in (0, 1)] == [True, True]
    waits = local.states([f"{job}[2]"])[f"{job}[2]"]
    assert waits == JobReport(JobStatus.QUEUED, raw="waits", why="2 worker jobs run at once on this machine")
    assert not (tmp_path / "pid-2").exists()
    (tmp_path / "end-1").touch()
    pid_in(tmp_path / "pid-2")
    assert eventually(lambda: elements(local, job) == {"running": 2, "completed": 1})
    assert local.states([job])[job].status is JobStatus.RUNNING
    for index in (0, 2):
        (tmp_path / f"end-{index}").touch()
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert left_of(job) == []


def test_a_job_of_one_element_and_another_submission_of_the_run_share_the_limit(
    local: Local, start: Start, tmp_path: Path
) -> None:
    first = start(array=2)
    assert eventually(lambda: elements(local, first, 2) == {"running": 2})
    alone = start("touch alone", array=None)
    assert eventually(lambda: state(local, alone) is JobStatus.QUEUED)
    (tmp_path / "end-0").touch()
    assert eventually((tmp_path / "alone").exists)
    assert eventually(lambda: state(local, alone) is JobStatus.GONE)
    assert elements(local, first, 2) == {"running": 1, "completed": 1}


def test_an_element_finds_its_name_its_index_and_its_id(local: Local, start: Start, tmp_path: Path) -> None:
    job = start('printf "%s %s %s\\n" "$1" "$HPC_LAUNCH_LOCAL_INDEX" "$HPC_LAUNCH_LOCAL_JOB"; pwd >&2')
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    for index in range(3):
        told = (tmp_path / f"logs/workers-job-{index}.log").read_text()
        assert told == f"{name_in(tmp_path)} {index} {job}[{index}]\n{tmp_path}\n"
    plain = start('echo "$1 ${HPC_LAUNCH_LOCAL_INDEX-none} $HPC_LAUNCH_LOCAL_JOB"', array=None)
    assert eventually(lambda: state(local, plain) is JobStatus.GONE)
    assert (tmp_path / "logs/workers-job.log").read_text() == f"{name_in(tmp_path)} none {plain}\n"


def test_how_an_element_ended_is_told(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(f"{UNTIL_TOLD}; case $HPC_LAUNCH_LOCAL_INDEX in 0) exit 7 ;; 1) kill -KILL $$ ;; esac", at_once=3)
    for index in (0, 1):
        pid_in(tmp_path / f"pid-{index}")
        (tmp_path / f"end-{index}").touch()
    assert eventually(lambda: elements(local, job) == {"failed": 2, "running": 1})
    codes = [local.states([f"{job}[{index}]"])[f"{job}[{index}]"].exit_code for index in range(3)]
    assert codes == [7, 137, None]


def test_what_an_element_leaves_behind_is_ended_with_it(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(f"({STUBBORN.format('child')}) & until [ -s child ]; do sleep 0.05; done", array=2, at_once=1)
    child = pid_in(tmp_path / "child")
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert processes.started(child) is None


def test_an_element_ends_when_its_walltime_is_over(local: Local, start: Start, tmp_path: Path) -> None:
    stays = start(TELLS, array=1)
    job = start(f"echo began >>told; {UNTIL_TOLD}", array=3, at_once=2, walltime=1)
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert (tmp_path / "told").read_text() == "began\n" * 3
    assert left_of(job) == [] and state(local, stays) is JobStatus.RUNNING


def test_one_that_does_not_hear_is_killed_after_its_walltime(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(f"{STUBBORN.format('pid')}", array=None, walltime=1)
    stubborn = pid_in(tmp_path / "pid")
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert processes.started(stubborn) is None


def test_a_cancel_leaves_no_process_and_starts_none(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(f"set -m; ({STUBBORN.format(f'child-{INDEX}')}) & {STUBBORN.format(f'pid-{INDEX}')}")
    pids = [pid_in(tmp_path / f"{what}-{index}") for what in ("pid", "child") for index in (0, 1)]
    local.cancel([job])
    assert [pid for pid in pids if processes.started(pid)] == [] and left_of(job) == []
    assert state(local, job) is JobStatus.GONE
    assert not (tmp_path / "pid-2").exists()


def test_elements_are_told_to_end_before_they_are_killed(local: Local, start: Start, tmp_path: Path) -> None:
    local.grace = 20.0
    job = start(TELLS)
    for index in (0, 1):
        pid_in(tmp_path / f"pid-{index}")
    local.cancel([job])
    assert sorted(file.name for file in tmp_path.glob("told-*")) == ["told-0", "told-1"]
    assert left_of(job) == []


def test_one_element_can_be_cancelled_waiting_or_running(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(f"trap '' TERM; {UNTIL_TOLD}", array=4)
    running = [pid_in(tmp_path / f"pid-{index}") for index in (0, 1)]
    local.cancel([f"{job}[2]", f"{job}[0]"])
    over = [local.states([f"{job}[{index}]"])[f"{job}[{index}]"].status.value for index in (0, 2)]
    assert over == ["failed", "cancelled"]
    assert [bool(processes.started(pid)) for pid in running] == [False, True]
    pid_in(tmp_path / "pid-3")
    assert eventually(lambda: elements(local, job, 4) == {"running": 2, "failed": 1, "cancelled": 1})
    assert not (tmp_path / "pid-2").exists()
    local.cancel([f"{job}[0]", f"{job}[9]"])  # over already, and never there
    assert state(local, f"{job}[9]") is JobStatus.GONE and state(local, f"{job}[1]") is JobStatus.RUNNING
    with pytest.raises(Refused, match="login2"):
        local.cancel([f"login2:12:34@{processes.boot()}[1]"])


def test_an_element_of_a_job_that_has_just_begun_can_be_cancelled(local: Local, start: Start, tmp_path: Path) -> None:
    job = start()
    local.cancel([f"{job}[2]", f"{job}[0]"])
    (tmp_path / "end-1").touch()
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert not (tmp_path / "pid-2").exists()


def test_if_the_process_that_starts_them_is_killed_elements_are_told_to_end(
    local: Local, start: Start, tmp_path: Path
) -> None:
    job = start(TELLS)
    for index in (0, 1):
        pid_in(tmp_path / f"pid-{index}")
    os.kill(processes.parts(job)[1], signal.SIGKILL)
    assert eventually(lambda: (tmp_path / "told-0").exists() and (tmp_path / "told-1").exists())
    assert eventually(lambda: left_of(job) == [])
    assert state(local, job) is JobStatus.GONE
    again = start(array=2)  # and room is there again
    assert eventually(lambda: elements(local, again, 2) == {"running": 2})


def test_an_element_that_does_not_end_then_is_ended_by_a_cancel(local: Local, start: Start, tmp_path: Path) -> None:
    job = start(STUBBORN.format(f"pid-{INDEX}"))
    pids = [pid_in(tmp_path / f"pid-{index}") for index in (0, 1)]
    os.kill(processes.parts(job)[1], signal.SIGKILL)
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert all(map(processes.started, pids))
    local.cancel([job])
    assert not any(map(processes.started, pids))


def test_an_array_is_found_by_its_name_once(local: Local, start: Start, tmp_path: Path) -> None:
    job = start()
    pid_in(tmp_path / "pid-0")
    assert local.find(name_in(tmp_path), 0.0) == [job]
    assert local.find(name_in(tmp_path)[:-1], 0.0) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_directories_and_names_do_no_harm(local: Local, start: Start, tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    job = start('printf %s "$1" >name; exec sleep 1000', name=name, directory=directory)
    assert eventually(lambda: (directory / "name").exists() and (directory / "name").read_text() == name)
    assert eventually(lambda: elements(local, job) == {"running": 2, "queued": 1})
    assert local.find(name, 0.0) == [job]
    local.cancel([job])
    assert left_of(job) == [] and not list(tmp_path.rglob("pwned"))


def test_the_shell_of_a_site_starts_elements_too(start: Start, local: Local, tmp_path: Path) -> None:
    nice = Local({"submit": ["nice", "-n", "5", "bash"]})
    (tmp_path / "workers.sh").write_text("#LOCAL at-once=1\nnice >level-$HPC_LAUNCH_LOCAL_INDEX\n")
    assert nice.submit_command("workers.sh", "x", 2) == ["nice", "-n", "5", "bash", "workers.sh", "x", "--array=2"]
    job = nice.submit(tmp_path, "workers.sh", name_in(tmp_path), 2)
    assert eventually(lambda: nice.states([job])[job].status is JobStatus.GONE)
    levels = [int((tmp_path / f"level-{index}").read_text()) for index in (0, 1)]
    assert levels == [os.nice(0) + 5] * 2


# The same, from the scheduler's job: bash and coreutils alone


def sessions(function: str, *ids: str) -> int:
    """The exit code of a function of jobside/sessions.sh, called for these worker jobs."""
    script = f'. {ROOT}/hpc_launch/jobside/sessions.sh; {function} "$@"'
    done = subprocess.run(["bash", "-c", script, "bash", *ids], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode


def test_the_schedulers_job_sees_and_ends_worker_jobs(start: Start, tmp_path: Path) -> None:
    job, other = start(array=2), start("exit 0", array=2, at_once=4)
    pid_in(tmp_path / "pid-0")
    assert eventually(lambda: sessions("worker_jobs_left", other) == 1)
    assert sessions("worker_jobs_left", other, job) == 0
    sessions("end_worker_jobs", other, job)
    assert left_of(job) == [] and sessions("worker_jobs_left", other, job) == 1


def test_the_schedulers_job_ends_what_a_killed_one_has_left(start: Start, local: Local, tmp_path: Path) -> None:
    job = start(STUBBORN.format(f"pid-{INDEX}"))
    pid_in(tmp_path / "pid-1")
    os.kill(processes.parts(job)[1], signal.SIGKILL)
    assert eventually(lambda: state(local, job) is JobStatus.GONE)
    assert sessions("worker_jobs_left", job) == 0
    sessions("end_worker_jobs", job)
    assert left_of(job) == [] and sessions("worker_jobs_left", job) == 1


def test_a_number_that_another_process_has_by_now_is_left_alone(start: Start, tmp_path: Path) -> None:
    job = start()
    pid_in(tmp_path / "pid-0")
    host, pid, start_and_boot = job.split(":")
    ticks, boot = start_and_boot.split("@")
    for before in (f"{host}:{pid}:{int(ticks) - 1}@{boot}", f"{host}:{pid}:{ticks}@{boot[::-1]}x"):
        assert sessions("worker_jobs_left", before) == 1
        sessions("end_worker_jobs", before)
    assert processes.lives(job)


def test_of_a_worker_job_on_another_machine_nothing_is_known(start: Start) -> None:
    assert sessions("worker_jobs_left", f"login2:12:34@{processes.boot()}") == 0
