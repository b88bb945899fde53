"""Machines that answer as was recorded: programs on PATH, one for each command of a batch system."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hpc_launch import batch
from hpc_launch.batch.machine import LiveQueue, Machine, Node
from hpc_launch.survey.host import Host, Interface
from hpc_launch.survey.scratch import Scratch
from hpc_launch.units import MIB
from tests.batch.recording import Recorded

ANSWERS = Path(__file__).parent / "answers"
INSTEAD = ("-drained", "-disabled", "-away", "-none", "-gpus", "-whole")
"""How recordings are called that can stand in place of another one."""

Make = Callable[..., None]
"""Put a batch system on PATH: `make("slurm", nodes="nodes-drained")` with another recording in place of one."""

LOGIN = Host(
    "login",
    (Interface("eth0", "10.0.0.1", 1000), Interface("ib0", "10.1.0.1", 100000)),
    (Scratch("/scratch", "disk", "xfs"), Scratch("/tmp", "memory", "tmpfs")),
    {"mpiexec": "/usr/bin/mpiexec", "apptainer": "/usr/bin/apptainer"},
)
"""A login host."""


def recorded(name: str) -> Recorded:
    """The answer in `answers/NAME.txt`."""
    command, end, rest = (ANSWERS / f"{name}.txt").read_text(encoding="utf-8").split("\n", 2)
    stdout, _, stderr = rest.removeprefix("--- stdout\n").partition("--- stderr\n")
    return Recorded(shlex.split(command.removeprefix("$ ")), int(end.removeprefix("returncode ")), stdout, stderr)


def install(directory: Path, system: str, replaced: Mapping[str, str], edit: Callable[[str, str], str]) -> None:
    """The programs of a batch system; what was not recorded they refuse with 99."""
    names = sorted(file.stem for file in (ANSWERS / system).glob("*.txt"))
    variants = [name for name in names if name.endswith(INSTEAD) or name == "down"]
    programs: dict[str, str] = {}
    for name in names:
        if name in variants:
            continue
        answer = recorded(f"{system}/{replaced.get(name, name)}")
        program, *words = answer.command
        said = f"printf %s {shlex.quote(edit(name, answer.stdout))}; printf %s {shlex.quote(answer.stderr)} >&2"
        case = f"{shlex.quote(' '.join(words))}) {said}; exit {answer.returncode} ;;\n"
        programs[program] = programs.get(program, "") + case
    for program, cases in programs.items():
        write(directory / program, f'case "$*" in\n{cases}*) echo "was not recorded: $*" >&2; exit 99 ;;\nesac')


def write(path: Path, text: str) -> None:
    """A program out of the text of a bash script."""
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def machine(system: str) -> Machine:
    """What is on PATH, as this batch system tells it."""
    found = batch.get(system).survey()
    assert found is not None
    return found


def queue(name: str = "short", *, nodes: int = 3, out: str = "", **more: Any) -> LiveQueue:
    """A queue of like nodes with 8 cores and 16000 MiB, of which the last may be out."""
    each = [Node(f"c{n}", 8, 16000 * MIB, out if n == nodes else "") for n in range(1, nodes + 1)]
    return LiveQueue(name, tuple(each), **{"walltime": 3600, **more})


def small(*queues: LiveQueue, **more: Any) -> Machine:
    """A machine of queues, without a batch system behind it."""
    commands = {"queues": "ask queues", "nodes": "ask nodes", "config": "ask config"}
    keys = {"queue_option": "--queue", "cluster": "testcluster", "array": 10000, **more}
    return Machine(keys.pop("batch_system", "slurm"), "1.0", queues, commands, **keys)
