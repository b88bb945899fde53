"""Jobs on this machine: real processes that outlive their shell, are known again, and end when told to."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpc_launch.batch import get, processes
from hpc_launch.batch.faults import NotStarted, Refused
from hpc_launch.batch.local.commands import Local
from hpc_launch.batch.report import JobReport, JobStatus
from tests.batch.local_processes import HOSTILE, STUBBORN, eventually, pid_in


@pytest.fixture
def local() -> Local:
    system = get("local")
    assert isinstance(system, Local)
    system.grace = 0.5
    return system


@pytest.fixture
def submit(local: Local, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Submits a script; whatever is left of it is killed in the end."""
    jobs = []

    def start(text: str, name: str = "pi-a1b2c3", directory: Path = tmp_path) -> str:
        (directory / "job.sh").write_text(text)
        jobs.append(local.submit(directory, "job.sh", name))
        return jobs[-1]

    yield start
    local.grace = 0.0
    local.cancel(jobs)


def status(local: Local, job: str) -> JobStatus:
    return local.states([job])[job].status


def test_a_job_runs_and_then_is_gone(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    job = submit("until [ -e go ]; do sleep 0.05; done; echo done; echo also >&2")
    assert local.states([job])[job] == JobReport(JobStatus.RUNNING, raw="alive", nodes=processes.host())
    (tmp_path / "go").touch()
    assert eventually(lambda: status(local, job) is JobStatus.GONE)
    assert (tmp_path / "logs/job.log").read_text() == "done\nalso\n"


def test_a_second_attempt_adds_to_the_log(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    for _ in range(2):
        job = submit("echo attempt")
        assert eventually(lambda: status(local, job) is JobStatus.GONE)  # noqa: B023
    assert (tmp_path / "logs/job.log").read_text() == "attempt\nattempt\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_directories_and_names_do_no_harm(
    local: Local, submit: Callable[..., str], tmp_path: Path, name: str
) -> None:
    directory = tmp_path / name
    directory.mkdir()
    job = submit('printf %s "$PWD" >where; printf %s "$1" >name; exec sleep 1000', name, directory)
    assert eventually((directory / "name").exists)
    assert (directory / "where").read_text() == str(directory)
    assert eventually(lambda: (directory / "name").read_text() == name)
    assert status(local, job) is JobStatus.RUNNING
    assert not list(tmp_path.rglob("pwned"))


def test_a_job_gets_the_fixed_environment(
    local: Local, submit: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLURM_JOB_ID", "DASK_SCHEDULER_ADDRESS", "PYTHONPATH", "BASH_ENV", "TMPDIR"):
        monkeypatch.setenv(name, "/leaked")
    job = submit("env -0 >environment; cat >stdin")
    assert eventually(lambda: status(local, job) is JobStatus.GONE)
    found = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().split("\0") if line)
    assert set(found) - {"SHLVL", "_", "OLDPWD"} == {"HOME", "USER", "LOGNAME", "LANG", "PATH", "PWD"}
    assert (tmp_path / "stdin").read_text() == ""


SUBMIT_AND_LEAVE = """
import sys
from pathlib import Path
from hpc_launch.batch import get
print(get("local").submit(Path(sys.argv[1]), "job.sh", sys.argv[2]), flush=True)
"""


def test_a_job_survives_the_shell_that_started_it(local: Local, tmp_path: Path) -> None:
    """A terminal that closes sends HUP to the whole session and its foreground group."""
    (tmp_path / "job.sh").write_text("echo $$ >pid; sleep 1000")
    name = str(tmp_path)  # of no other test that runs at the same time
    shell = subprocess.Popen(
        ["bash", "-c", f"{shlex.join([sys.executable, '-c', SUBMIT_AND_LEAVE, str(tmp_path), name])}; sleep 1000"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert shell.stdout is not None
    job = shell.stdout.readline().strip()
    try:
        os.killpg(shell.pid, signal.SIGHUP)
        shell.communicate(timeout=20)
        pid_in(tmp_path / "pid")
        assert status(local, job) is JobStatus.RUNNING  # another process knows it again by its id alone
        assert local.find(name, 0.0) == [job]
    finally:
        local.cancel([job])
    assert status(local, job) is JobStatus.GONE
    assert local.find(name, 0.0) == []


def test_a_job_is_found_by_its_name_alone(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    name = f"{tmp_path} it's $(a) name"
    job = submit("(touch sub; sleep 1000) & sleep 1000", name)
    assert eventually((tmp_path / "sub").exists)  # a subshell has the same command line
    assert local.find(name, 0.0) == [job]
    assert local.find(f"{tmp_path} it's $(a)", 0.0) == []
    assert local.find("name", 0.0) == []


def test_a_pid_that_another_process_has_by_now_is_not_taken_for_the_job(
    local: Local, submit: Callable[..., str], tmp_path: Path
) -> None:
    job = submit("echo $$ >pid; sleep 1000")
    host, pid, start = job.split(":")
    ticks, boot = start.split("@")
    earlier, other_boot = f"{host}:{pid}:{int(ticks) - 1}@{boot}", f"{host}:{pid}:{ticks}@{boot[::-1]}x"
    for before in (earlier, other_boot):
        assert status(local, before) is JobStatus.GONE
        local.interrupt([before])
        local.cancel([before])
    assert status(local, job) is JobStatus.RUNNING


def test_after_a_reboot_nothing_is_taken_for_what_an_ended_job_left(
    local: Local, submit: Callable[..., str], tmp_path: Path
) -> None:
    """Another session may bear the number by then."""
    job = submit(f"({STUBBORN.format('child')}) & exit 0")
    child = pid_in(tmp_path / "child")
    assert eventually(lambda: status(local, job) is JobStatus.GONE)
    local.cancel([job.partition("@")[0] + "@00000000"])
    assert processes.started(child)


def test_an_id_without_a_boot_is_still_understood(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    job = submit("sleep 1000").partition("@")[0]
    assert status(local, job) is JobStatus.RUNNING
    local.cancel([job])
    assert status(local, job) is JobStatus.GONE


def test_what_a_shell_does_not_end_itself_is_told_to_end_before_it_is_killed(
    local: Local, submit: Callable[..., str], tmp_path: Path
) -> None:
    local.grace = 20.0
    job = submit(
        "set -m\n(trap 'echo told >told; exit' TERM; touch ready; while :; do sleep 0.05; done) &\n"
        "set +m\ntrap 'exit' TERM; while :; do sleep 0.05; done"
    )
    assert eventually((tmp_path / "ready").exists)
    local.cancel([job])
    assert (tmp_path / "told").exists() and processes.session(int(job.split(":")[1])) == []


def test_a_job_on_another_host_is_unknown_here(local: Local) -> None:
    report = local.states(["login2:123:456"])["login2:123:456"]
    assert report.status is JobStatus.UNKNOWN
    assert "login2" in report.raw and processes.host() in report.raw
    for refused in (local.cancel, local.interrupt):
        with pytest.raises(Refused, match="login2"):
            refused(["login2:123:456"])


@pytest.mark.parametrize("rest", ["", "0:1", "1:1", "-1:5", "12", "12:", "x:y", "1e3:2"])
def test_what_is_no_id_kills_nobody(local: Local, rest: str) -> None:
    job = f"{processes.host()}:{rest}"
    assert status(local, job) in (JobStatus.GONE, JobStatus.UNKNOWN)
    with pytest.raises(Refused, match="not the id"):
        local.cancel([job])


def test_interrupt_reaches_the_jobs_shell_alone(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    job = submit(
        "trap 'echo told >told' TERM\n"
        "bash -c 'trap \"echo told >child-told\" TERM; touch ready; while :; do sleep 0.05; done' &\n"
        "while :; do wait; done"
    )
    assert eventually((tmp_path / "ready").exists)
    local.interrupt([job])
    assert eventually((tmp_path / "told").exists)
    assert not (tmp_path / "child-told").exists()
    assert status(local, job) is JobStatus.RUNNING


def test_cancel_lets_a_job_end_in_its_own_way(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    local.grace = 20.0
    job = submit("trap 'echo cancelled >outcome; kill $!; exit' TERM; sleep 1000 & touch ready; wait")
    assert eventually((tmp_path / "ready").exists)
    local.cancel([job])
    assert (tmp_path / "outcome").read_text() == "cancelled\n"
    assert status(local, job) is JobStatus.GONE


def test_cancel_ends_a_grandchild_that_ignores_term_in_a_group_of_its_own(
    local: Local, submit: Callable[..., str], tmp_path: Path
) -> None:
    job = submit(
        f"set -m\n({STUBBORN.format('child')}) &\n"
        f"({STUBBORN.format('grandchild')}) &\nset +m\n{STUBBORN.format('shell')}"
    )
    pids = [pid_in(tmp_path / name) for name in ("shell", "child", "grandchild")]
    assert len({os.getpgid(pid) for pid in pids}) == 3
    local.cancel([job])
    assert [pid for pid in pids if processes.started(pid)] == []


def test_cancel_ends_what_a_killed_shell_left_behind(local: Local, submit: Callable[..., str], tmp_path: Path) -> None:
    job = submit(f"({STUBBORN.format('child')}) & echo $$ >shell; wait")
    child = pid_in(tmp_path / "child")
    os.kill(pid_in(tmp_path / "shell"), signal.SIGKILL)
    assert eventually(lambda: status(local, job) is JobStatus.GONE)
    assert processes.started(child)
    local.cancel([job])
    assert not processes.started(child)


def test_cancel_of_several_jobs_leaves_the_others_alone(
    local: Local, submit: Callable[..., str], tmp_path: Path
) -> None:
    def job(name: str, text: str) -> str:
        (tmp_path / name).mkdir()
        return submit(text, directory=tmp_path / name)

    ended, one, other, kept = job("a", "exit 0"), *(job(name, "sleep 1000") for name in "bcd")
    assert eventually(lambda: status(local, ended) is JobStatus.GONE)
    local.cancel([ended, one, other])
    states = {job: report.status for job, report in local.states([ended, one, other, kept]).items()}
    assert states == {
        ended: JobStatus.GONE,
        one: JobStatus.GONE,
        other: JobStatus.GONE,
        kept: JobStatus.RUNNING,
    }


def test_an_ended_job_whose_parent_does_not_bury_it_is_gone(local: Local, tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text("until [ -e go ]; do sleep 0.05; done")
    parent = subprocess.Popen(
        [sys.executable, "-c", SUBMIT_AND_LEAVE + "import time; time.sleep(1000)", str(tmp_path), "pi-left"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        job = parent.stdout.readline().strip()
        assert status(local, job) is JobStatus.RUNNING
        (tmp_path / "go").touch()
        assert eventually(lambda: status(local, job) is JobStatus.GONE)
        assert os.path.exists(f"/proc/{job.split(':')[1]}")  # a zombie
    finally:
        parent.kill()
        parent.communicate()


def test_a_submit_that_cannot_be_says_so(local: Local, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="no such directory"):
        local.submit(tmp_path / "no such directory", "job.sh", "x")
    with pytest.raises(NotStarted, match="no-such-shell"):
        get("local", {"submit": ["no-such-shell"]}).submit(tmp_path, "job.sh", "x")


def test_a_site_may_start_jobs_its_own_way(local: Local, tmp_path: Path) -> None:
    nice = Local({"submit": ["nice", "-n", "5", "bash"]})
    nice.grace = local.grace
    assert nice.submit_command("job.sh", "{run}") == ["nice", "-n", "5", "bash", "job.sh", "{run}"]
    (tmp_path / "job.sh").write_text("nice >level; sleep 1000")
    job = nice.submit(tmp_path, "job.sh", "pi-nice")
    try:
        assert eventually(lambda: nice.find("pi-nice", 0.0) == [job])
        assert eventually(lambda: (tmp_path / "level").exists() and (tmp_path / "level").read_text())
        assert int((tmp_path / "level").read_text()) == os.nice(0) + 5
    finally:
        nice.cancel([job])


def test_ps_tells_the_same_as_proc(
    submit: Callable[..., str], local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On machines without /proc."""
    monkeypatch.setattr(processes, "PROC", False)
    job = submit(f"echo $$ >shell; {STUBBORN.format('child')}")
    pid_in(tmp_path / "child")
    assert status(local, job) is JobStatus.RUNNING
    assert local.find("pi-a1b2c3", 0.0) == [job]
    assert " " not in job
    local.cancel([job])
    assert status(local, job) is JobStatus.GONE
