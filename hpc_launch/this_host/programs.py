"""The workload's program, the script that an interpreter is given, and the directory where it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from hpc_launch.batch import dialect_of
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import printable
from hpc_launch.this_host.host import Found, Host
from hpc_launch.this_host.shell_lines import is_of_the_shell

COMMAND: KeyPath = ("workload", "command")
PLAIN = re.compile(r"[\w./+,@%-]+")
"""A word that no shell does anything to."""
INTERPRETERS = re.compile(r"(i?python|pypy)[0-9.]*|bash|sh|Rscript|julia|perl|node")
FLAGS = {"-u", "-O", "-OO", "-B", "-I", "-s", "-S", "-E", "-v", "-q", "-x", "-e"}
"""Options of interpreters that have no value, and after which a script may come; `-e` is one of shells alone."""


def problems_of_directory(host: Host) -> Iterator[Found]:
    """Where the workload is to run."""
    if host.directory and not host.directory.is_dir():
        yield Found(
            ("workload", "directory"), f"workload.directory: there is no directory {host.directory} on this host"
        )


def problems_of_command(host: Host) -> Iterator[Found]:
    """What is called is not there. In a container it is the image's."""
    if host.plan.environment.container or not (words := _words(host)):
        return
    key = COMMAND if isinstance(host.plan.workload.command, str) else (*COMMAND, 0)
    program = words[0]
    if "/" in program:
        path = host.directory / program if host.directory else None
        if path and not os.access(path, os.X_OK):
            what = "may not be executed (chmod +x)" if path.is_file() else "is not there on this host"
            yield Found(key, f"workload.command: {printable(program)} {what}{_several(program)}")
            return
    elif host.knows_programs and not host.has_program(program):
        yield Found(key, f"workload.command: there is no program {printable(program)} on this host{_several(program)}")
        return
    elif elsewhere := host.only_here(program):
        yield Found(key, f"workload.command: {elsewhere}")
    yield from _script(host, words)


def problems_of_launcher(host: Host) -> Iterator[Found]:
    """What is to start MPI ranks, which comes with an MPI library."""
    given = host.plan.launcher
    if given is None or given.kind != "mpi":
        return
    launcher = dialect_of(host.plan.batch_system).launcher(given.kind, given.name)
    if launcher and host.lacks_as_node(launcher.program):
        yield Found(
            ("layout",), f"layout: {given.kind} needs the program {launcher.program}, which is not on this host"
        )


def _several(program: str) -> str:
    """What to say of a whole command line that was written as one word of a list."""
    return f"; each word of a list stands alone: [{printable(', '.join(program.split()))}]" if " " in program else ""


def _script(host: Host, words: Sequence[str]) -> Iterator[Found]:
    """The file that an interpreter is told to run."""
    if not INTERPRETERS.fullmatch(os.path.basename(words[0])):
        return
    number = next((n for n, word in enumerate(words) if n and word not in FLAGS), len(words))
    if number == len(words) or words[number].startswith("-") or not PLAIN.fullmatch(words[number]):
        return
    if "-e" in words[:number] and os.path.basename(words[0]) not in ("bash", "sh"):
        return  # its value is no file
    directory, script = host.directory, words[number]
    if directory and directory.is_dir() and not (directory / script).exists():
        key = COMMAND if isinstance(host.plan.workload.command, str) else (*COMMAND, number)
        yield Found(key, f"workload.command: there is no {script} in {directory} on this host")


def _words(host: Host) -> list[str]:
    """The program and what follows it; of a command line its plain words at the beginning, if that is a program."""
    command = host.plan.workload.command
    if command is None:
        return []
    if not isinstance(command, str):
        return [*command] if "$" not in command[0] else []
    lines = [line for line in command.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    words: list[str] = []
    for word in (lines or [""])[0].split():
        if not PLAIN.fullmatch(word):
            break
        words.append(word)
    return words if words and not is_of_the_shell(words[0], host.context.environment) else []
