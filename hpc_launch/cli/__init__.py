"""The command line. Commands import what they need when they run: `--help` and `render` have to be quick."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import copy
from functools import cache
from typing import Annotated, Any, Protocol, TextIO, runtime_checkable

import typer

from hpc_launch.cli import close, completion, connect, export, keep, launch, remove, runs, scale, site, wait
from hpc_launch.errors import HpcLaunchError, UsageError

app = typer.Typer(
    name="hpc-launch",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    launch.submit,
    launch.render,
    launch.check,
    launch.explain,
    runs.status,
    wait.wait,
    runs.logs,
    connect.connect,
    scale.scale,
    close.close,
    runs.cancel,
    keep.keep,
    remove.remove,
    export.schema,
    runs.list_,
):
    app.command(command.__name__.rstrip("_"))(command)
for one in (app, site.site, export.export):
    for each in one.registered_commands:  # the first sentence whole, where typer would cut it
        each.short_help = ((each.callback and each.callback.__doc__) or "").partition("\n\n")[0]
app.add_typer(site.site, name="site")
app.add_typer(export.export, name="export")


INTERRUPTED = "`hpc-launch list` shows which runs there are, and where they stand."


class _Context(Protocol):
    def get_usage(self) -> str: ...


@runtime_checkable
class WrongUsage(Protocol):
    """What typer raises: its own copy of click's UsageError, which has no public name."""

    @property
    def ctx(self) -> _Context | None: ...

    def format_message(self) -> str: ...


def _version(wanted: bool) -> None:
    if wanted:
        from hpc_launch import __version__

        print(f"hpc-launch {__version__}")
        raise typer.Exit


@cache
def command_line(first: str) -> Any:
    """The command line; where its first word names a command, that alone: to make all takes longer than most take."""
    one = copy(app)
    one.registered_commands = [each for each in app.registered_commands if each.name == first]
    one.registered_groups = [each for each in app.registered_groups if each.name == first]
    return typer.main.get_command(one if one.registered_commands or one.registered_groups else app)


@app.callback()
def hpc_launch(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Start a Dask cluster on a supercomputer from a short profile, and run a workload on it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code.

    Args:
        arguments: without the program's name; the process's own if not given.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without such a character; in JSON it is valid
    code = 0
    try:
        with completion.words_put_together(), _signals_told(words):
            code = _run(words)
        sys.stdout.flush()  # Python would do it in the end, and fail with a code of its own
    except BrokenPipeError:  # whoever read it has had enough
        if _lost(sys.stderr):  # the only talk that comes here is of wrong usage
            code = UsageError.exit_code
        _lost(sys.stdout)
    except OSError as error:  # a full disk, a file server that is away, a working directory that was removed
        code = UsageError.exit_code  # 1 is a run's that has no exit code of a workload's own
        _cannot(error, "--json" in words)
    _lost(sys.stderr)
    return code


def _signals_told(words: Sequence[str]) -> AbstractContextManager[None]:
    """Meanwhile, a program that wants JSON gets a document also where a signal ends this one."""
    if "--json" not in words:
        return nullcontext()
    from hpc_launch.runs.interruption import signals_raise

    return signals_raise()


def _run(words: Sequence[str]) -> int:
    try:
        command_line(words[0] if words else "").main(args=words, prog_name="hpc-launch")
    except HpcLaunchError as error:
        from hpc_launch.cli.output import print_error

        print_error(error, "--json" in words)
        return error.exit_code
    except SystemExit as end:
        if "--json" in words:
            _tell_why_in_json(end)
        if isinstance(end.__context__, BrokenPipeError):  # typer ends with 1, which is a run's
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else 0 if end.code is None else UsageError.exit_code
    return 0


def _tell_why_in_json(end: SystemExit) -> None:
    """Print a document where a program that wants one would find none: of wrong usage, or of a signal."""
    from hpc_launch.cli.output import print_error, print_fault
    from hpc_launch.errors import Problem
    from hpc_launch.runs.interruption import ToldToEnd

    wrong = end.__context__
    if isinstance(end, ToldToEnd):
        print_fault(end.exit_code, Problem(f"told to end ({end})", hint=INTERRUPTED))
    elif wrong and isinstance(wrong.__cause__, KeyboardInterrupt):
        print_fault(130, Problem("told to end (Ctrl-C)", hint=INTERRUPTED))
    elif isinstance(wrong, WrongUsage):  # typer has said it on stderr
        print_error(UsageError(Problem(wrong.format_message(), hint=wrong.ctx.get_usage() if wrong.ctx else "")), True)


def _cannot(error: OSError, as_json: bool) -> None:
    from hpc_launch.cli.output import print_error, say

    say(f"hpc-launch: {error}")
    if as_json:
        with suppress(OSError):  # then that is what cannot be written
            print_error(UsageError(str(error)), as_json)
    _lost(sys.stdout)


def _lost(stream: TextIO) -> bool:
    """Whether what a stream still holds cannot be written; then it goes nowhere, also when Python ends."""
    from hpc_launch.cli.output import drop

    try:
        stream.flush()
    except OSError:
        drop(stream)
        return True
    return False
