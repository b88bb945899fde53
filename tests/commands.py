"""`hpc-launch` as a user gives it: in this process, or in one of its own, whose start costs half a second of a core."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from hpc_launch import cli
from hpc_launch.__main__ import main as hpc_launch_main
from hpc_launch.context import Context
from tests.conftest import ROOT

Result = subprocess.CompletedProcess[str]


def environment(context: Context) -> dict[str, str]:
    return {**context.environment, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "hpc_launch", *words]


def hpc_launch(context: Context, *words: str) -> Result:
    """Run a command as that user, in that directory, in this process."""
    return inside(words, context.directory, environment(context))


def in_its_own_process(context: Context, *words: str, **more: Any) -> Result:
    """The same in a process of its own, with more for `subprocess.run`."""
    given: dict[str, Any] = {"env": environment(context), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run(command(*words), cwd=context.directory, text=True, timeout=60, check=False, **given)


def inside(words: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Result:
    """Run a command in this process, with this working directory and no other environment."""
    with user_of_this_process(directory, environment), at_most(180):
        code, out, err = ended(words)
    return Result([*words], code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def forked(words: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Result:
    """As `inside`, but in a copy of this process: one that signals and limits may hit, and quick to start."""
    pipes = [os.pipe() for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a process with threads: ours only wait for messages
        child = os.fork()
    if not child:
        run_and_exit(words, directory, environment, [writer for _, writer in pipes])
    for _, writer in pipes:
        os.close(writer)
    try:
        with at_most(180):
            out, err = (text_of(reader) for reader, _ in pipes)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise
    return Result([*words], code, out, err)


def text_of(reader: int) -> str:
    with os.fdopen(reader, encoding="utf-8", errors="replace") as file:
        return file.read()


def run_and_exit(
    words: Sequence[str], directory: Path, environment: Mapping[str, str], streams: Sequence[int]
) -> NoReturn:
    """Become the process that a shell would start, with these files for stdout and stderr."""
    code = 70
    try:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(environment)
        for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), *streams)):
            os.dup2(stream, number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
        sys.argv = ["hpc-launch", *words]
        code = hpc_launch_main()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """What takes longer ends with an error."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it has taken {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def user_of_this_process(directory: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile this is the working directory, and this the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


def ended(words: Sequence[str], encoding: str = "utf-8") -> tuple[int, bytes, bytes]:
    """The code, stdout and stderr of a command in this process as it is, on streams of this encoding."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return code, out.detach().getvalue(), err.detach().getvalue()
