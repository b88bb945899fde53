"""Runs a batch system's commands."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hpc_launch.batch.environment import command_environment, locate
from hpc_launch.batch.faults import NoAnswer, NotStarted, Problem
from hpc_launch.batch.signals import signals_held_back

if TYPE_CHECKING:
    from subprocess import Popen

LONGEST_ANSWER = 64 * 2**20
"""Bytes. The states of fifty jobs are some kilobytes, but PBS prints two for each element of an array that is over (ten
thousand at most, unless a site allows more); a command that prints more than this never stops.
"""


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    command: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """All that it said, errors first, in at most 1000 characters that are safe to show on a terminal."""
        said = "\n".join(part.strip() for part in (self.stderr, self.stdout) if part.strip())
        return "".join(c if c.isprintable() or c == "\n" else " " for c in said[:1000])


def shown(command: Sequence[str]) -> str:
    """The command as a person would type it."""
    import shlex

    return shlex.join(command)


def run(
    command: Sequence[str],
    *,
    directory: Path | None = None,
    timeout: float = 30.0,
    needed: Sequence[str] = (),
    stdin: Path | None = None,
) -> Answer:
    """Run a command to its end.

    Args:
        command: the words of it.
        directory: where it runs; `/` if not given (the caller's own may be gone).
        timeout: seconds; then the command is killed with all that it started.
        needed: see `command_environment`.
        stdin: a file to read from; nothing if not given.

    Raises:
        NotStarted: it is not there, or not a program.
        NoAnswer: it ran out of time, was killed, or printed without end.
    """
    import tempfile

    directory = Path(os.path.abspath(directory or "/"))
    program = locate(command[0])
    if stdin and not os.access(stdin, os.R_OK):
        raise NotStarted(f"`{shown(command)}` was not started: there is no {stdin} for it to read")
    environment = command_environment(program, directory, needed)
    # files, not pipes: a daemon that the command leaves behind holds its end of a pipe open for ever
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        open(stdin or os.devnull, "rb") as given,
    ):
        process = None
        try:
            with signals_held_back():
                process = _start(command, program, directory, environment, (given, out, err))
            problem = _wait(process, timeout, (out, err))
        finally:  # on Ctrl-C too
            if process and process.returncode is None:
                _kill(process)
        answer = Answer(tuple(command), process.returncode or 0, _text(out), _text(err))
    return _answered(answer, problem)


def _start(
    command: Sequence[str], program: str, directory: Path, environment: Mapping[str, str], files: Sequence[IO[bytes]]
) -> Popen[bytes]:
    """Start it in a session of its own, with its input, output and errors in these files."""
    import subprocess

    given, out, err = files
    try:
        return subprocess.Popen(
            list(command),
            executable=program,
            cwd=directory,
            env=environment,
            stdin=given,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    except OSError as fault:
        raise NotStarted(f"`{shown(command)}` could not be started: {fault}") from fault


def _answered(answer: Answer, problem: str) -> Answer:
    """The answer; raises NoAnswer where there was a problem, or a signal ended the command."""
    if not problem and answer.returncode < 0:
        problem = f"was killed by signal {-answer.returncode}"
    if problem:
        said = f", after it said:\n{answer.words}" if answer.words else ""
        raise NoAnswer(Problem(f"`{shown(answer.command)}` {problem}{said}", hint="Try again; it may be busy or down."))
    return answer


def _wait(process: Popen[bytes], timeout: float, outputs: Sequence[IO[bytes]]) -> str:
    """Wait for the end of the process, but not too long. Gives what went wrong, or nothing."""
    from subprocess import TimeoutExpired

    until = time.monotonic() + timeout
    while True:
        try:
            process.wait(max(0.0, min(0.2, until - time.monotonic())))
            return ""
        except TimeoutExpired:
            if time.monotonic() >= until:
                return f"did not answer within {timeout:g} s"
            if any(os.fstat(output.fileno()).st_size > LONGEST_ANSWER for output in outputs):
                return "prints without end"


def _kill(process: Popen[bytes]) -> None:
    from contextlib import suppress
    from subprocess import TimeoutExpired

    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutExpired):  # not even KILL ends a process that waits for a dead file server
        process.wait(2.0)


def _text(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read(LONGEST_ANSWER).decode(errors="replace")
