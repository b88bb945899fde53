"""No batch system at all: a job is a session of processes of this machine, in the background.

It starts at once. Worker jobs wait until there is room among those of their run: their scripts say `#LOCAL at-once=N`,
and a process of ours (`elements`) starts what the submission is of when it is its turn. With `walltime=SECONDS`
behind it what has run for so long is ended, too.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch import processes
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import shown
from hpc_launch.batch.environment import PLAIN_PATH, command_environment, locate
from hpc_launch.batch.faults import NotStarted
from hpc_launch.batch.local import ending, told
from hpc_launch.batch.local.dialect import DIALECT
from hpc_launch.batch.report import JobReport, Told

if TYPE_CHECKING:
    from subprocess import Popen

LOG = "logs/job.log"
"""Where a job's own output goes, as `--output` has it elsewhere; relative to the run directory."""
ELEMENTS = str(Path(__file__).with_name("elements.py"))
"""The program that starts worker jobs when there is room for them."""

_children: dict[int, Popen[bytes]] = {}  # by pid; kept, so that those that end are buried


class Local(BatchSystem):
    name = "local"
    dialect = DIALECT
    of_one_host = True
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {"submit": ("bash",)}
    grace: float = 5.0
    """Seconds between TERM and KILL."""

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name is there to be found again. What another job comes `after` has started when it was submitted.
        several = [f"--array={array}"] if array and array > 1 else []
        return [*self.commands["submit"], file, job_name, *several]

    def submit(
        self,
        directory: Path,
        file: str,
        job_name: str,
        array: int | None = None,
        after: str | None = None,
        log: str | None = None,
    ) -> str:
        """As everywhere; the id is `host:pid:start@boot`, that of an element has `[INDEX]` behind it.

        A pid alone may be another process's tomorrow, and after a reboot pid and start together.
        """
        import subprocess

        command, directory = self.submit_command(file, job_name), Path(os.path.abspath(directory))
        shell = program = _shell() if command[0] == "bash" else locate(command[0])
        number = array if array and array > 1 else 0
        log = log or f"logs/{Path(file).stem}-job"
        at_once, walltime = _said(directory / file)
        if at_once := at_once or ((number and os.cpu_count()) or 0):
            program = locate(sys.executable or "python3")
            command = [program, "-I", "-S", ELEMENTS, str(at_once), str(number), str(walltime), log, *command]
        try:
            output = directory / (f"{log}.log" if at_once else LOG)
            output.parent.mkdir(mode=0o700, exist_ok=True)
            with open(output, "ab") as opened:
                child = subprocess.Popen(
                    command,
                    executable=program,
                    cwd=directory,
                    env=command_environment(shell, directory),
                    stdin=subprocess.DEVNULL,
                    stdout=opened,
                    stderr=opened,
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
        reports: dict[str, JobReport] = {}
        for job in ids:
            reports |= told.reports_on(job)
        return Told(reports)

    def find(self, job_name: str, since: float) -> list[str]:
        """As everywhere, but what was started on another machine cannot be seen from here."""
        shell = os.path.basename(self.commands["submit"][-1])
        own = [pid for pid in processes.mine() if _is_job(processes.words(pid), shell, job_name) and _leads(pid)]
        return [processes.identity(pid, start) for pid in own if (start := processes.started(pid))]

    def interrupt(self, ids: Sequence[str]) -> None:
        for pid in [pid for pid, alive in ending.leaders(ids) if alive]:
            ending.send([pid], signal.SIGTERM)

    def cancel(self, ids: Sequence[str]) -> None:
        """TERM, and after a few seconds KILL to all that is left of jobs' sessions, or of an element's process group.

        Also of jobs that are over: what a workload started may have stayed. An element that waits is called off.
        """
        jobs = [job for job in ids if told.index_of(job) is None]
        ending.end_sessions(ending.leaders(jobs), self.grace)
        ending.end_elements([job for job in ids if job not in jobs], self.grace)


def _shell() -> str:
    """The system's bash, rather than one of a user's environment: its directory would lead the job's PATH."""
    with suppress(NotStarted):
        return locate("bash", PLAIN_PATH)
    return locate("bash")


def _said(script: Path) -> tuple[int, int]:
    """How many worker jobs of its run there may be at once, 0: the job starts at once; its walltime, 0: no limit."""
    with suppress(OSError), open(script, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if said := re.fullmatch(r"#LOCAL at-once=([1-9][0-9]{0,5})(?: walltime=([0-9]{1,9}))?", line.strip()):
                return int(said[1]), int(said[2] or 0)
    return 0, 0


def _is_job(words: Sequence[str], shell: str, job_name: str) -> bool:
    """Whether a command line ends in `shell FILE job_name`."""
    return len(words) > 2 and os.path.basename(words[-3]) == shell and words[-1] == job_name


def _leads(pid: int) -> bool:
    """Whether a process began its session; a subshell has the command line of its parent, but did not."""
    with suppress(OSError):
        return os.getsid(pid) == pid
    return False
