"""A tunnel through ssh that lives as long as this process."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress

from hpc_launch.client.access import Forward, Way
from hpc_launch.client.endpoint import Unreachable
from hpc_launch.errors import Problem

WITH_US = """exec 3<&0
"$@" </dev/null 3<&- &
ssh=$!
{ read -r _ <&3; kill "$ssh" 2>/dev/null; } &
wait "$ssh"
"""
"""When this process ends, however it does, what it holds of the shell's input is closed, and ssh is ended."""


class Tunnel:
    """Forwards that are held by an ssh of ours."""

    def __init__(self, way: Way, forwards: Sequence[Forward]) -> None:
        self.forwards = tuple(forwards)
        words = way.words(forwards)
        somebody_answers = bool(sys.stdin) and sys.stdin.isatty()
        if not somebody_answers:
            words[1:1] = ["-o", "BatchMode=yes"]
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the tunnel
        self.shell = subprocess.Popen(
            ["sh", "-c", WITH_US, "sh", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.said,
            start_new_session=not somebody_answers,  # what interrupts a cell is not for it
        )
        try:
            self._wait_until_open(words)
        except BaseException:
            self.close()
            raise

    def _wait_until_open(self, words: Sequence[str]) -> None:
        """Until each of the ports answers; people may be asked for passwords meanwhile."""
        for forward in self.forwards:
            while not _answers(forward.local):
                if self.shell.poll() is not None:
                    raise Unreachable(Problem(f"ssh did not get there: {self._last_words()}", hint=" ".join(words)))
                time.sleep(0.1)

    def wait(self) -> str:
        """Until ssh ends; gives its last words."""
        self.shell.wait()
        return self._last_words()

    def close(self) -> None:
        """End it; once more does nothing."""
        if self.shell.stdin:
            with suppress(OSError):
                self.shell.stdin.close()
        self.shell.wait()
        self.said.close()

    def _last_words(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.shell.returncode}"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
