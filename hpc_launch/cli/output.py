"""Results to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

from hpc_launch.errors import HpcLaunchError, Problem


def say(text: str) -> None:
    """Talk: what is not the result. That nobody hears it changes nothing of what is done, nor the exit code."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # a full disk, a pipe without a reader
        drop(sys.stderr)


def tell(text: str) -> None:
    """A result, at once. That its reader is gone changes nothing: the command ends with its own exit code."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        drop(sys.stdout)


def drop(stream: TextIO) -> None:
    """Lead a stream that cannot be written to nowhere, with what it still holds."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def print_json(data: Mapping[str, Any], *, lines: bool = False) -> None:
    """The result, for programs; with `lines`, one of several, on a line of its own."""
    # What a terminal shows of a character that it does not have (a backslash and its number) would be no JSON.
    ascii_alone = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")
    text = json.dumps(_of_json_alone(data), indent=None if lines else 2, ensure_ascii=ascii_alone)
    if lines:
        print(text, flush=True)
    else:
        tell(text)


def _of_json_alone(data: Mapping[str, Any]) -> Any:
    """The same as JSON can say it: other values as text, and what is no number (NaN, Infinity) as null."""
    return json.loads(json.dumps(data, default=str), parse_constant=lambda name: None)


def copy(texts: Iterable[str]) -> None:
    """The result, in pieces as they come."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a locale that has no such character is no reason to stop
    for text in texts:
        sys.stdout.write(text)
        sys.stdout.flush()


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as what is in them; what a line ends with has all the space that it needs."""
    cells = [list(headers), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells if any(row[column + 1 :])) for column in range(len(headers) - 1)]
    lines = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, [*widths, 0], strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def cut_to_terminal(text: str) -> str:
    """The same without what a terminal would break into further lines; elsewhere as it is."""
    import shutil

    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in text.splitlines())


def in_terminal(cell: str, width: int) -> str:
    """The same, so wide at most in a terminal, where one long value would leave no room for what stands behind it."""
    return f"{cell[: width - 1]}…" if sys.stdout.isatty() and len(cell) > width else cell


def listing(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values below each other."""
    width = max((len(name) for name, _ in facts), default=0)
    return "\n".join(f"  {name:{width}}  {value}" for name, value in facts)


def print_error(error: HpcLaunchError, as_json: bool) -> None:
    """Everything that is wrong, one block for each problem."""
    if as_json:
        return print_fault(error.exit_code, *error.problems)
    for problem in error.problems:
        say(f"hpc-launch: {problem}")
    if len(error.problems) > 1:
        say(f"hpc-launch: {len(error.problems)} problems")


def print_fault(exit_code: int, *problems: Problem) -> None:
    """The document that a program gets in place of a result."""
    print_json(fault_as_json(exit_code, *problems))


def fault_as_json(exit_code: int, *problems: Problem) -> dict[str, Any]:
    """The same as data."""
    told = [problem_as_json(problem) for problem in problems]
    return {"schema": 1, "error": {"exit_code": exit_code, "problems": told}}


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Its hints as one text, and line by line."""
    return {
        "message": problem.message,
        "file": problem.origin.source if problem.origin else None,
        "line": problem.origin.line if problem.origin else None,
        "hint": problem.hint or None,
        "hints": problem.hint.splitlines(),
    }
