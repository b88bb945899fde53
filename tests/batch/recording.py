"""Answers that real batch systems gave, as they stand in `answers/`."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ANSWERS = Path(__file__).parent / "answers"

Program = Callable[[str, str], Path]
"""Makes a program of a name out of the text of a bash script: the fixture `program`."""

Answers = Callable[..., None]
"""Makes programs give recorded answers, by name: the fixture `answers`."""

Replay = Callable[[str], None]
"""The same, of one recording, whatever the program is asked: the fixture `replay`."""


@dataclass(frozen=True)
class Recorded:
    """One command and what came back."""

    command: list[str]
    returncode: int
    stdout: str
    stderr: str

    def script(self) -> str:
        """A bash script that gives this answer; but it fails if it is asked anything else."""
        # what was asked in the name of the recording's user is asked now in that of the tests'
        me = pwd.getpwuid(os.geteuid()).pw_name
        wanted = [f"--user={os.geteuid()}" if word.startswith("--user=") else word for word in self.command[1:]]
        wanted = [me if word == "hpcuser" else word for word in wanted]
        return (
            f"""asked=$(printf '%q ' "$@") wanted=$(printf '%q ' {shlex.join(wanted)})\n"""
            'if [ "$asked" != "$wanted" ]; then echo "asked: $asked; recorded: $wanted" >&2; exit 99; fi\n'
            f"{self.script_for_anything()}"
        )

    def script_for_anything(self) -> str:
        """The same, whatever it is asked: for a recording whose question was typed by hand."""
        return f"printf %s {shlex.quote(self.stdout)}\nprintf %s {shlex.quote(self.stderr)} >&2\nexit {self.returncode}"


def recorded(name: str) -> Recorded:
    """The answer in `NAME.txt`: a line with the command, one with its end, then all it printed."""
    command, end, rest = (ANSWERS / f"{name}.txt").read_text().split("\n", 2)
    stdout, _, stderr = rest.removeprefix("--- stdout\n").partition("--- stderr\n")
    return Recorded(shlex.split(command.removeprefix("$ ")), int(end.removeprefix("returncode ")), stdout, stderr)
