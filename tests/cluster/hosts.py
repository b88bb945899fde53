"""The test cluster as the tests see it: hosts to run commands on, to look at and to crash."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
LOG_LINES_SHOWN = 15


class Process(NamedTuple):
    """A process of one host; `pid` as the host itself counts."""

    pid: int
    command: str


class CommandFailed(AssertionError):
    """A command of a test that was to succeed; carries all that it said."""

    def __init__(self, completed: subprocess.CompletedProcess[str]) -> None:
        self.completed = completed
        super().__init__(
            f"ended with {completed.returncode}: {shlex.join(map(str, completed.args))}\n"
            f"--- stdout\n{completed.stdout}\n--- stderr\n{completed.stderr}"
        )


class Cluster:
    """One login host and `compute_hosts`, with Slurm; see the head of `tests/cluster/cluster`."""

    compute_hosts = ("c1", "c2", "c3")
    hosts = ("login", *compute_hosts)
    users = ("hpcuser", "otheruser")

    def __init__(self, directory: Path, venv: Path) -> None:
        self.directory = directory
        self.venv = venv

    @property
    def home(self) -> Path:
        """The ordinary user's home directory: the same path on every host and outside of them."""
        return self.home_of("hpcuser")

    def home_of(self, user: str) -> Path:
        return Path(f"~{user}").expanduser()

    def scratch(self, host: str) -> Path:
        """The host's own /scratch, seen from outside."""
        return self.directory / "local" / host / "scratch"

    # --- the whole

    @property
    def is_up(self) -> bool:
        return (self.directory / "hosts/switch").exists()

    def up(self) -> None:
        """Make the cluster and put the examples into the users' homes; an earlier one ends."""
        try:
            self._control("up")
        except CommandFailed as failed:
            raise AssertionError(f"{failed}\n{self.log_ends()}") from None
        self._copy_examples()

    def down(self) -> None:
        self._control("down")

    def leftovers(self) -> list[str]:
        """What there is of a cluster on this machine: nothing, after `down`."""
        return self._control("leftovers").splitlines()

    def log_ends(self) -> str:
        """The last lines of every daemon's log."""
        logs = sorted(path for path in (self.directory / "log").rglob("*") if path.is_file())
        ends = (path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:] for path in logs)
        return "\n".join(f"--- {log}\n" + "\n".join(end) for log, end in zip(logs, ends, strict=True))

    # --- commands on its hosts

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        host: str = "login",
        user: str = "hpcuser",
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        check: bool = True,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as after a login of `user` (or of root) on `host`, in the home directory or `cwd`.

        `env` is added to the login's environment. With `check`, another exit code than 0
        raises CommandFailed; it is 128 + n when signal n ended the command.
        After `timeout` seconds the command's process group is killed, and subprocess.TimeoutExpired raised.
        """
        process = self.start(argv, host=host, user=user, env=env, cwd=cwd, stdin=subprocess.PIPE)
        try:
            stdout, stderr = process.communicate(input, timeout=timeout)
        except BaseException:
            self.signal(process, signal.SIGKILL)
            process.communicate()
            raise
        completed = subprocess.CompletedProcess(list(argv), process.returncode, stdout, stderr)
        if check and completed.returncode:
            raise CommandFailed(completed)
        return completed

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        host: str = "login",
        user: str = "hpcuser",
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Start a command in the background, in a process group of its own as a shell would; see `signal`."""
        login = ["root", host] if user == "root" else ["as", user, host]
        directory = ["--chdir", str(cwd)] if cwd else []
        variables = [f"{name}={value}" for name, value in (env or {}).items()]
        return subprocess.Popen(
            [HERE / "cluster", *login, "env", *directory, *variables, *argv],
            env=self._environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def signal(self, process: subprocess.Popen[str], number: signal.Signals) -> None:
        """Send a signal to a started command and its process group, as Ctrl-C at a terminal does."""
        for pid in _on_a_host(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def processes(self, host: str, containing: str = "") -> list[Process]:
        """The processes of a host whose command line holds a text."""
        lines = self._control("processes", host).splitlines()
        found = (line.split(maxsplit=1) for line in lines)
        return [Process(int(pid), command) for pid, command in found if containing in command]

    # --- what happens to a real one

    def crash(self, host: str) -> None:
        """The host loses power: every process on it dies at once."""
        self._control("crash", host)

    def boot(self, host: str) -> None:
        """A crashed host comes back, and Slurm has noticed."""
        self._control("boot", host)

    def dead_hosts(self) -> list[str]:
        return [host for host in self.hosts if not (self.directory / "hosts" / host).exists()]

    def start_ssh(self) -> None:
        """From now on users may ssh from every host to every other one."""
        self._control("start_ssh")

    def forget_jobs(self) -> None:
        """Slurm's controller forgets all jobs, as it does some time after their end. None may be running."""
        self._control("forget-jobs")

    @property
    def accounting(self) -> bool:
        """Whether sacct works."""
        return "=accounting_storage/slurmdbd" in (self.directory / "etc/slurm/slurm.conf").read_text()

    def set_accounting(self, on: bool) -> None:
        self._control("accounting", "on" if on else "off")

    def job_ids(self) -> list[str]:
        """Jobs of anyone that are queued, running or completing."""
        return self.run(["squeue", "--noheader", "--format=%A"]).stdout.split()

    # ---

    def _control(self, *words: str) -> str:
        completed = subprocess.run(
            [HERE / "cluster", *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if completed.returncode:
            raise CommandFailed(completed)
        return completed.stdout

    def _environment(self) -> dict[str, str]:
        return {
            "CLUSTER_GRIDENGINE": "1",
            **os.environ,
            "CLUSTER_DIR": str(self.directory),
            "CLUSTER_VENV": str(self.venv),
        }

    def _copy_examples(self) -> None:
        for user in self.users:
            examples = self.home_of(user) / "examples"
            shutil.rmtree(examples, ignore_errors=True)
            shutil.copytree(PROJECT / "examples", examples)
            for path in _tree(examples):
                shutil.chown(path, user, user)


def _on_a_host(group: int) -> Iterator[int]:
    """The processes of a group that are on a host; not `nsenter`, which waits outside for the exit code."""
    outside = os.readlink("/proc/self/ns/pid")
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, PermissionError):
            if (
                entry.name.isdigit()
                and os.getpgid(int(entry.name)) == group
                and os.readlink(entry / "ns/pid") != outside
            ):
                yield int(entry.name)


def _tree(directory: Path) -> Iterator[Path]:
    yield directory
    yield from directory.rglob("*")
