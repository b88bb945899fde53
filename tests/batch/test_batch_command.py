"""The running of commands: in one small environment, to an end that is always known."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpc_launch.batch.account import Account, account
from hpc_launch.batch.command import Answer, run
from hpc_launch.batch.environment import PLAIN_PATH, locate
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.runs.interruption import ToldToEnd, signals_raise
from tests.batch.recording import Program
from tests.conftest import TIMES

LEAKS = (
    "SBATCH_PARTITION",
    "SBATCH_ACCOUNT",
    "SLURM_JOB_ID",
    "SLURM_MEM_PER_CPU",
    "SLURM_CPU_BIND",
    "SLURM_CLUSTERS",
    "SRUN_CPUS_PER_TASK",
    "SALLOC_PARTITION",
    "PMI_RANK",
    "PMIX_RANK",
    "PBS_JOBID",
    "SGE_TASK_ID",
    "LSB_JOBID",
    "DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME",
    "DASK_SCHEDULER_ADDRESS",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "LD_PRELOAD",
    "BASH_ENV",
    "ENV",
    "BASH_FUNC_module%%",
    "OMP_NUM_THREADS",
    "TMPDIR",
)


def child_environment(**options: object) -> dict[str, str]:
    """What a child process of `run` really finds."""
    answer = run(["env", "-0"], **options)  # type: ignore[arg-type]
    return dict(line.split("=", 1) for line in answer.stdout.split("\0") if line)


@pytest.fixture
def fresh_child_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LEAKS:
        monkeypatch.setenv(name, "() { echo leaked; }" if "%" in name else "leaked")


@pytest.mark.usefixtures("fresh_child_environment")
def test_an_account_that_the_system_does_not_know_has_a_name_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert account() == account(os.geteuid())
    unknown = 2**31 - 7
    assert account(unknown) == Account(str(unknown), "/")
    monkeypatch.setattr(os, "geteuid", lambda: unknown)
    monkeypatch.setenv("LOGNAME", "guest")
    assert (account().name, account(unknown - 1).name) == ("guest", str(unknown - 1))
    monkeypatch.delenv("LOGNAME")
    assert account().name == str(unknown)


def test_a_child_gets_a_small_fixed_environment_and_nothing_inherited(tmp_path: Path) -> None:
    found = child_environment(directory=tmp_path)
    assert set(found) == {"HOME", "USER", "LOGNAME", "LANG", "PATH", "PWD"}
    assert found["LANG"] == "C.UTF-8"
    assert found["PATH"] == PLAIN_PATH
    assert found["PWD"] == str(tmp_path)
    assert found["HOME"] == os.environ["HOME"]
    assert "leaked" not in "".join(found.values())


@pytest.mark.usefixtures("fresh_child_environment")
def test_only_named_variables_of_the_clients_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", "/etc/other cluster/slurm.conf")
    monkeypatch.delenv("SGE_ROOT", raising=False)
    found = child_environment(needed=("SLURM_CONF", "SGE_ROOT"))
    assert found["SLURM_CONF"] == "/etc/other cluster/slurm.conf"
    assert "SGE_ROOT" not in found
    assert "SLURM_JOB_ID" not in found


def test_the_directory_where_a_command_was_found_leads_its_path(programs: Path, program: Program) -> None:
    program("sbatch", 'echo "$PATH"')
    assert run(["sbatch"]).stdout.strip() == f"{programs}:{PLAIN_PATH}"
    assert run([str(programs / "sbatch")]).stdout.strip() == f"{programs}:{PLAIN_PATH}"


def test_a_command_is_found_without_any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert os.path.isabs(locate("env"))


def test_a_command_found_in_a_relative_directory_runs_from_elsewhere(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = program("status", "pwd").parent
    monkeypatch.chdir(place.parent)
    monkeypatch.setenv("PATH", place.name)
    assert run(["status"]).stdout.strip() == "/"


def test_without_a_directory_a_command_does_not_depend_on_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    monkeypatch.chdir(doomed)
    doomed.rmdir()
    assert child_environment()["PWD"] == "/"


@settings(deadline=None, max_examples=50 * TIMES)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4))
def test_words_arrive_as_they_were_given(words: list[str]) -> None:
    assert run(["printf", "%s\\0", "x", *words]).stdout.split("\0")[:-1] == ["x", *words]


def test_nothing_stands_on_stdin_unless_it_is_given(tmp_path: Path) -> None:
    assert run(["cat"]).stdout == ""
    script = tmp_path / "a script"
    script.write_text("#BSUB -n 1\n")
    assert run(["cat"], stdin=script).stdout == "#BSUB -n 1\n"


def test_output_that_is_no_text_does_no_harm(program: Program) -> None:
    program("squeue", r"printf '12 \xff\xfe 34\n'; printf '\033[31mred\a' >&2; exit 3")
    answer = run(["squeue"])
    assert answer.returncode == 3
    assert answer.stdout.startswith("12 ")
    assert answer.words.splitlines()[0] == " [31mred "  # no escape sequences on anybody's terminal


def test_a_missing_command_is_told_with_the_next_step() -> None:
    with pytest.raises(NotStarted, match="no-such-command") as caught:
        run(["no-such-command"])
    assert "site profile" in str(caught.value)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("text", ["", "#!/no/such/interpreter\n"])
def test_a_file_that_is_no_program_was_not_started(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sbatch"
    path.write_text(text)
    path.chmod(0o755)
    with pytest.raises(NotStarted):
        run([str(path)])


def test_a_missing_directory_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(NotStarted):
        run(["env"], directory=tmp_path / "gone")


def test_a_command_killed_by_a_signal_is_no_answer(program: Program) -> None:
    program("squeue", "echo half; kill -SEGV $$")
    with pytest.raises(NoAnswer, match=f"signal {signal.SIGSEGV.value}"):
        run(["squeue"])


def test_a_command_that_hangs_is_killed_with_all_it_started(tmp_path: Path, program: Program) -> None:
    program("squeue", f"trap '' TERM; sleep 1000 & echo $! >{tmp_path}/child; echo waiting; wait")
    with pytest.raises(NoAnswer, match=r"within 0.7 s.*") as caught:
        run(["squeue"], timeout=0.7)
    assert "waiting" in str(caught.value)
    assert ends(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_has_just_been_started_is_killed_where_a_signal_ends_us(
    program: Program, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    started: list[int] = []

    class Interrupted(subprocess.Popen[bytes]):
        """The signal comes when the process is there, but nobody has been told its number."""

        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            started.append(self.pid)
            signal.raise_signal(number)

    program("sbatch", "exec sleep 60")
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with signals_raise():
        usual = signal.getsignal(number)
        with pytest.raises((KeyboardInterrupt, ToldToEnd)):
            run(["sbatch"])
        assert signal.getsignal(number) is usual
    assert len(started) == 1 and ends(started[0])


def test_a_daemon_left_behind_keeps_nobody_waiting(program: Program) -> None:
    program("qsub", "setsid sleep 3 & echo 12.server")
    start = time.monotonic()
    assert run(["qsub"], timeout=60).stdout == "12.server\n"
    assert time.monotonic() - start < 2.5  # it does not wait for the daemon, which has stdout open


def test_a_command_that_prints_without_end_is_stopped(program: Program) -> None:
    program("squeue", "exec yes garbage")
    with pytest.raises(NoAnswer, match="without end"):
        run(["squeue"], timeout=60)


def test_words_are_errors_first() -> None:
    assert Answer(("x",), 1, " out \n", "\nerr\n").words == "err\nout"


def ends(pid: int) -> bool:
    """Whether a process has gone (or waits to be buried) within a while."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_command_whose_input_is_not_there_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"there is no .*job\.sh"):
        run(["cat"], stdin=tmp_path / "job.sh")
