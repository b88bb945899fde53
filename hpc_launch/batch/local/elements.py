"""The first process of a job whose elements wait their turn on this machine: it starts them, and ends after them.

`Local.submit` runs this file by its path, in the run directory and in a session of its own:

    python -I -S elements.py AT_ONCE NUMBER WALLTIME LOG COMMAND …

So many elements of all jobs of the run are there at once. NUMBER is 0 for a plain job, which waits its turn like an
element. An element that has run for WALLTIME seconds is told to end, and killed soon afterwards; 0 is no limit. Told
to end, this program starts no more, passes that on to those that run, and ends with them. If it is killed, the kernel
tells them to end.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpc_launch.batch.local.ledger import Ledger

INDEX, JOB = "HPC_LAUNCH_LOCAL_INDEX", "HPC_LAUNCH_LOCAL_JOB"
"""Variables in which an element finds its number, counted from 0, and its id."""
LOOK_AFTER = 10.0
"""Seconds after which a job looks again whether there is room; usually it is told before."""
GRACE = 5.0
"""Seconds between TERM and KILL to an element whose walltime is over."""
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@dataclass
class Running:
    """An element that has begun."""

    shell: Popen[bytes]
    place: int
    """The descriptor of the file that it holds locked."""
    end_at: float
    """When it gets a signal, by the monotonic clock: first TERM, then KILL."""
    told: bool = False

    def end_if_overdue(self, now: float) -> None:
        if now < self.end_at:
            return
        if self.told:
            _kill_group(self.shell.pid)
        else:
            self.shell.terminate()
        self.told, self.end_at = True, now + GRACE


@dataclass
class Elements:
    """Those of one job."""

    ledger: Ledger
    job: str
    number: int
    at_once: int
    walltime: float
    """Seconds of each element."""
    log: str
    command: Sequence[str]
    waiting: deque[int] = field(default_factory=deque)
    running: dict[int, Running] = field(default_factory=dict)
    """By index."""
    fault: str = ""
    """Why the next one could not be started, where that is not for want of room."""

    def run(self, wait: Callable[[float | None], bool]) -> None:
        """Until all have ended; `wait` for something to happen, so many seconds at most: it tells whether to end."""
        self.waiting.extend(range(max(1, self.number)))
        while self.waiting or self.running:
            self._bury()
            for index in self.ledger.called_off() & set(self.waiting):
                self._call_off(index)
            while self.waiting and self._start_next():
                pass
            for each in self.running.values():
                each.end_if_overdue(time.monotonic())
            if (self.waiting or self.running) and wait(self._patience()):
                return self._end(wait)
        return None

    def _patience(self) -> float | None:
        """Seconds until there is something to do though nothing happens."""
        ends = min((each.end_at for each in self.running.values()), default=math.inf)
        seconds = min(max(0.0, ends - time.monotonic()), LOOK_AFTER if self.waiting else math.inf)
        return seconds if seconds < math.inf else None

    def _end(self, wait: Callable[[float | None], bool]) -> None:
        for index in [*self.waiting]:
            self._call_off(index)
        for each in self.running.values():
            each.shell.terminate()
        while self.running:
            wait(None)
            self._bury()

    def _start_next(self) -> bool:
        """Start the next one, if there is room for it; gives whether there was."""
        try:
            place = _lock_one_of(self.ledger.file.with_name(f"place-{number}") for number in range(self.at_once))
            if place is None:
                return False
            try:
                shell = self._start(self.waiting[0])
            except OSError:
                os.close(place)
                raise
        except OSError as fault:
            if self.fault != str(fault):
                self.fault = str(fault)
                print(f"hpc-launch: no worker job can be started just now: {fault}", file=sys.stderr, flush=True)
            return False
        self.running[self.waiting.popleft()] = Running(shell, place, time.monotonic() + self.walltime)
        return True

    def _start(self, index: int) -> Popen[bytes]:
        from hpc_launch.batch import processes

        own = {JOB: f"{self.job}[{index}]", INDEX: str(index)} if self.number else {JOB: self.job}
        with open(f"{self.log}-{index}.log" if self.number else f"{self.log}.log", "ab") as log:
            environment = {**os.environ, **own}
            shell = Popen(
                self.command, env=environment, stdin=DEVNULL, stdout=log, stderr=log, preexec_fn=_become_an_element
            )
        self.ledger.begun(index, shell.pid, processes.started(shell.pid) or "ended")
        return shell

    def _bury(self) -> None:
        """Let go of those that have ended, and tell the other jobs of the run that there is room."""
        ended = [index for index, each in self.running.items() if each.shell.poll() is not None]
        for index in ended:
            each = self.running.pop(index)
            _kill_group(each.shell.pid)
            code = each.shell.returncode
            self.ledger.ended(index, code if code >= 0 else 128 - code)
            os.close(each.place)
        if ended:
            self.ledger.wake_all()

    def _call_off(self, index: int) -> None:
        self.waiting.remove(index)
        self.ledger.cancelled(index)


def _lock_one_of(files: Iterable[Path]) -> int | None:
    """The descriptor of the first of these files that nobody has locked; it is locked until that is closed."""
    for file in files:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as fault:
            os.close(descriptor)
            if not isinstance(fault, BlockingIOError):
                raise
    return None


def _become_an_element() -> None:
    """In the new process: a group of its own, and an end when this one is killed."""
    os.setpgid(0, 0)
    with suppress(ImportError, OSError, AttributeError):  # only Linux has it
        import ctypes

        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGTERM)


def _kill_group(group: int) -> None:
    """What an element's shell has left behind."""
    from hpc_launch.batch import processes

    for pid in processes.session(os.getpid()):
        with suppress(OSError):
            if os.getpgid(pid) == group:
                os.kill(pid, signal.SIGKILL)


def _waiter() -> Callable[[float | None], bool]:
    """A function that waits for a signal, so many seconds at most; it tells whether one of ENDS has come by now."""
    told: list[int] = []
    reads, writes = os.pipe()
    for end in (reads, writes):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writes)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in ENDS:
        signal.signal(number, lambda number, frame: told.append(number))

    def wait(seconds: float | None) -> bool:
        if select.select([reads], [], [], seconds)[0]:
            os.read(reads, 4096)
        return bool(told)

    return wait


def main(words: Sequence[str]) -> None:
    from hpc_launch.batch import processes
    from hpc_launch.batch.local.ledger import Ledger

    wait = _waiter()
    at_once, number, walltime, log, *command = words
    job = processes.this_one()
    ledger = Ledger(Path.cwd(), os.getpid(), processes.parts(job)[2])
    ledger.open(int(number), int(at_once))
    try:
        limit = float(walltime) or math.inf
        Elements(ledger, job, int(number), int(at_once), limit, log, command).run(wait)
    finally:
        ledger.remove()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # where this package is, installed or a copy
    main(sys.argv[1:])
