"""How the elements of one job stand: a file of the run directory, and one with those that are to be called off.

Its first line is `START NUMBER AT_ONCE`; then there is one for each step of an element: `INDEX begun PID START`, `INDEX
ended CODE` (128 + n if signal n killed it) or `INDEX cancelled` (before it began).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = "local"
"""In the run directory; beside the files of each job those that are locked for each element that runs."""


@dataclass(frozen=True)
class Step:
    """The last that is known of an element."""

    word: str
    """`waits`, `begun`, `ended` or `cancelled`."""
    number: int = 0
    """Process id of an element that has begun, exit code of one that has ended."""
    start: str = ""
    """When the process of one that has begun started (`processes.started`)."""

    @property
    def over(self) -> bool:
        return self.word in ("ended", "cancelled")


@dataclass(frozen=True)
class Ledger:
    """Of the job whose first process is `pid`, started at `start`, in the run directory `run`."""

    run: Path
    pid: int
    start: str

    @property
    def file(self) -> Path:
        return self.run / DIRECTORY / str(self.pid)

    @property
    def wishes(self) -> Path:
        return self.file.with_suffix(".cancel")

    def open(self, number: int, at_once: int) -> None:
        """Begin it anew. `number`: of elements, 0 for a plain job."""
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        self.remove()
        self._add(self.file, f"{self.start} {number} {at_once}")

    def begun(self, index: int, pid: int, start: str) -> None:
        self._add(self.file, f"{index} begun {pid} {start}")

    def ended(self, index: int, code: int) -> None:
        self._add(self.file, f"{index} ended {code}")

    def cancelled(self, index: int) -> None:
        self._add(self.file, f"{index} cancelled")

    def call_off(self, index: int) -> None:
        """Say that an element is to be called off, if it still waits."""
        self._add(self.wishes, str(index))

    def called_off(self) -> set[int]:
        return {int(line) for line in self._lines(self.wishes) if line.isdecimal()}

    def read(self) -> tuple[int, int, dict[int, Step]] | None:
        """Number of elements (0: a plain job), how many may run at once, and of each how it stands; None: not there."""
        head, *lines = self._lines(self.file) or [""]
        words = head.split()
        if len(words) != 3 or words[0] != self.start:
            return None
        number, at_once = int(words[1]), int(words[2])
        steps = {index: Step("waits") for index in range(max(1, number))}
        for line in lines:
            index, word, *rest = line.split()
            steps[int(index)] = Step(word, int(rest[0]) if rest else 0, *rest[1:])
        return number, at_once, steps

    def steps(self) -> dict[int, Step]:
        """How each element stands; nothing where there is no such file any more."""
        read = self.read()
        return read[2] if read else {}

    def wake(self) -> None:
        """Have the job look at what is to be called off; to whoever else may have its pid the signal says nothing."""
        _wake(self.pid)

    def wake_all(self) -> None:
        """Have all jobs of the run look whether there is room."""
        with suppress(OSError):
            for name in os.listdir(self.file.parent):
                if name.isdecimal():
                    _wake(int(name))

    def remove(self) -> None:
        for file in (self.file, self.wishes):
            with suppress(OSError):
                file.unlink()

    def _add(self, file: Path, line: str) -> None:
        """On a full disk less is told; what runs goes on."""
        with suppress(OSError):
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"{line}\n".encode())
            finally:
                os.close(descriptor)

    def _lines(self, file: Path) -> list[str]:
        """All lines but one that is not all there."""
        try:
            return file.read_text(encoding="ascii").split("\n")[:-1]
        except OSError:
            return []


def _wake(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGCHLD)
