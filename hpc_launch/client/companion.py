"""A process beside this one, which ends with it, however that ends."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

WITH_US = """exec 3<&0
"$@" </dev/null 3<&- &
other=$!
{ read -r _ <&3; kill "$other" 2>/dev/null; } &
reader=$!
wait "$other"
code=$?
kill "$reader" 2>/dev/null
exit "$code"
"""
"""When this process ends, its end of the shell's input is closed, and what the shell has started is told to end.

What ends before that takes the reader with it: by then its number may be another process's."""


class Companion:
    """Runs a command until it is closed."""

    def __init__(self, words: Sequence[str], own_session: bool) -> None:
        """`own_session`: what interrupts this process (a cell of a notebook) is not for it, nor is there a terminal."""
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with it
        self.shell = subprocess.Popen(
            ["sh", "-c", WITH_US, "sh", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.said,
            start_new_session=own_session,
        )

    @property
    def has_ended(self) -> bool:
        return self.shell.poll() is not None

    def wait(self) -> str:
        """Until the command ends; gives its last words."""
        self.shell.wait()
        return self.last_words()

    def last_words(self) -> str:
        """The last line that it has written to stderr, or its exit code."""
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.shell.returncode}"

    def close(self) -> None:
        """End it; once more does nothing."""
        if self.shell.stdin:
            with suppress(OSError):
                self.shell.stdin.close()
        self.shell.wait()
        self.said.close()
