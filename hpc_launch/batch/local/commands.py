"""No batch system at all: a job is a process group of this machine, in the background, and starts at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch import processes
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import shown
from hpc_launch.batch.environment import PLAIN_PATH, command_environment, locate
from hpc_launch.batch.faults import NotStarted, Refused
from hpc_launch.batch.local.dialect import DIALECT
from hpc_launch.batch.report import JobReport, JobStatus, Told

if TYPE_CHECKING:
    from subprocess import Popen

LOG = "logs/job.log"
"""Where a job's own output goes, as `--output` has it elsewhere; relative to the run directory."""

_children: dict[int, Popen[bytes]] = {}  # by pid; kept, so that those that end are buried


class Local(BatchSystem):
    name = "local"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {"submit": ("bash",)}
    grace: float = 5.0
    """Seconds between TERM and KILL."""

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name is there to be found again; the script does not look at it. A job starts at once, alone.
        return [*self.commands["submit"], file, job_name]

    def submit(
        self,
        directory: Path,
        file: str,
        job_name: str,
        array: int | None = None,
        after: str | None = None,
        log: str | None = None,
    ) -> str:
        """As everywhere; the id is `host:pid:start@boot`.

        A pid alone may be another process's tomorrow, and after a reboot pid and start together.
        """
        import subprocess

        command, directory = self.submit_command(file, job_name, array, after, log), Path(os.path.abspath(directory))
        program = _shell() if command[0] == "bash" else locate(command[0])
        try:
            (directory / LOG).parent.mkdir(mode=0o700, exist_ok=True)
            with open(directory / LOG, "ab") as output:
                child = subprocess.Popen(
                    command,
                    executable=program,
                    cwd=directory,
                    env=command_environment(program, directory),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # no terminal's end or Ctrl-C reaches it
                )
        except OSError as fault:
            raise NotStarted(f"`{shown(command)}` could not be started in {directory}: {fault}") from fault
        start = processes.started(child.pid)
        _children[child.pid] = child
        return processes.identity(child.pid, start or "ended")

    def job_id(self, text: str) -> str | None:
        return None  # nothing is printed: `submit` knows

    def queued(self, ids: Sequence[str]) -> Told:
        for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
            del _children[pid]
        return Told({job: _report(job) for job in ids})

    def find(self, job_name: str, since: float) -> list[str]:
        """As everywhere, but what was started on another machine cannot be seen from here."""
        shell = os.path.basename(self.commands["submit"][-1])
        own = [pid for pid in processes.mine() if _is_job(processes.words(pid), shell, job_name) and _leads(pid)]
        return [processes.identity(pid, start) for pid in own if (start := processes.started(pid))]

    def interrupt(self, ids: Sequence[str]) -> None:
        for pid in [pid for pid, alive in self._here(ids) if alive]:
            _signal([pid], signal.SIGTERM)

    def cancel(self, ids: Sequence[str]) -> None:
        """TERM, and after a few seconds KILL to all that is left of the jobs' sessions.

        Not of their process groups only: a job's shell gives each of its parts a group of its own. Also of
        jobs that are over: what a workload started may have stayed. TERM goes to the shell, which ends the
        others in order; to them when it is gone.
        """
        leaders, told = self._here(ids), set[int]()
        until = time.monotonic() + self.grace
        while (left := _members(leaders)) and time.monotonic() < until:
            news = {pid for leader, _ in leaders for pid in _hearers(leader)} - told
            _signal(news, signal.SIGTERM)
            told |= news
            time.sleep(0.05)
        for _ in range(100):  # what starts processes faster than they can be killed has to be asked again
            if not left:
                return
            _signal(left, signal.SIGKILL)
            time.sleep(0.05)
            left = _members(leaders)

    def _here(self, ids: Iterable[str]) -> list[tuple[int, bool]]:
        """Leaders of the jobs' sessions, and whether they live; never a pid that is another's by now."""
        parts = [(job, *processes.parts(job)) for job in dict.fromkeys(ids)]
        if strange := [job for job, _, pid, start, _ in parts if pid < 2 or not start]:
            raise Refused(f"not the id of a local job: {', '.join(map(repr, strange))}")
        if elsewhere := [f"{job} runs on {there}" for job, there, *_ in parts if there != processes.host()]:
            raise Refused(f"this is {processes.host()}; {', '.join(elsewhere)}: cancel it there")
        now = [(pid, start, processes.started(pid)) for _, _, pid, start, boot in parts if processes.is_this_boot(boot)]
        return [(pid, alive is not None) for pid, start, alive in now if alive in (start, None)]


def _shell() -> str:
    """The system's bash, rather than one of a user's environment: its directory would lead the job's PATH."""
    with suppress(NotStarted):
        return locate("bash", PLAIN_PATH)
    return locate("bash")


def _report(job: str) -> JobReport:
    there, *_ = processes.parts(job)
    if (alive := processes.lives(job)) is None:
        return JobReport(JobStatus.UNKNOWN, raw=f"it runs on {there}, and this is {processes.host()}: ask there")
    if alive:
        return JobReport(JobStatus.RUNNING, raw="alive", nodes=there)
    return JobReport(JobStatus.GONE)  # how it ended only the run directory knows


def _is_job(words: Sequence[str], shell: str, job_name: str) -> bool:
    """Whether a command line ends in `shell FILE job_name`."""
    return len(words) > 2 and os.path.basename(words[-3]) == shell and words[-1] == job_name


def _leads(pid: int) -> bool:
    """Whether a process began its session; a subshell has the command line of its parent, but did not."""
    with suppress(OSError):
        return os.getsid(pid) == pid
    return False


def _hearers(leader: int) -> list[int]:
    return [leader] if processes.started(leader) else processes.session(leader)


def _members(leaders: Iterable[tuple[int, bool]]) -> list[int]:
    return [member for pid, _ in leaders for member in processes.session(pid)]


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
