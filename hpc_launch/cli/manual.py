"""The man page: `python -m hpc_launch.cli.manual`, from the commands themselves."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer

HEAD = '.TH HPC-LAUNCH 1 "" "hpc-launch" "User commands"'


def page() -> str:
    """All of it, as roff with the macros of man(7)."""
    from hpc_launch.cli import app

    program = typer.main.get_command(app)
    return "\n".join([HEAD, *_section("NAME"), f"hpc-launch \\- {_text(program.help)}", *_body(program)]) + "\n"


def _body(program: Any) -> Iterator[str]:
    yield from (*_section("SYNOPSIS"), ".B hpc-launch", "COMMAND [OPTION …] [ARGUMENT …]")
    yield from _section("COMMANDS")
    for words, command in _commands(program, "hpc-launch"):
        yield f".SS {_text(words)}"
        for paragraph in (command.help or "").split("\n\n"):
            yield from (".PP", _text(paragraph))
        for one in command.params:
            if one.name != "help":
                yield from (".TP", f".B {_text(_shown(one))}", _text(getattr(one, "help", "") or ""))
    yield from (*_section("SEE ALSO"), "docs/contracts.md of hpc-launch: keys, exit codes, JSON, files of a run.")


def _commands(above: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, command in above.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command


def _shown(one: Any) -> str:
    """`--site S`, `RUN`."""
    if one.param_type_name == "argument":
        return str(one.metavar or one.name.upper())
    return f"{', '.join(one.opts)}{f' {one.metavar}' if one.metavar else ''}"


def _section(title: str) -> list[str]:
    return [f".SH {title}"]


def _text(words: str | None) -> str:
    """On one line, with what roff would act on taken for itself."""
    line = re.sub(r"\s+", " ", words or "").strip().replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    sys.stdout.write(page())
