"""What a draft says of the batch system itself: launchers, account, parallel environments, memory, resources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hpc_launch.batch.machine import Machine, Said
from hpc_launch.config.wording import listed, printable
from hpc_launch.survey.draft_allowed import is_known
from hpc_launch.survey.draft_lines import Line, absent, flow, line
from hpc_launch.survey.host import PROGRAMS, Host

Lines = Iterator[Line]


def source(machine: Machine, *names: str) -> str:
    """The command that told the first of these that one told."""
    return next((machine.commands[name] for name in names if name in machine.commands), "")


def system_lines(machine: Machine, host: Host) -> Lines:
    """From `batch_system` to `resources`."""
    yield Line(f"batch_system: {flow(machine.batch_system)}")
    node = machine.said("launchers", "node")
    launchers = [_value(_seen(node, host), indent=2)] if node else []
    yield from _block("launchers", [*launchers, _mpi(machine, host)])
    if stdin := machine.said("submit_stdin"):
        yield _value(stdin)
    if account := machine.said("account"):
        yield _value(account)
    else:
        yield line("account: optional", not_found="account: required where jobs without one are refused")
    yield from _group(machine, "parallel_environments")
    yield from _group(machine, "memory", Line("  headroom: 5%"))
    yield from _group(machine, "resources")
    if takes := machine.said("takes"):
        yield _value(takes)


def _value(said: Said, indent: int = 0) -> Line:
    """A key and its value; what no site profile takes (a name with blanks) is told instead."""
    if is_known(said.key, said.value):
        return line(f"{' ' * indent}{said.key[-1]}: {flow(said.value)}", said.source)
    return absent(".".join(said.key), f"{said.value!r} is not allowed in a site profile", indent)


def _seen(launcher: Said, host: Host) -> Said:
    """With that it is a guess, where its program is not on this host."""
    if not isinstance(launcher.value, str) or launcher.value in host.programs or launcher.value not in PROGRAMS:
        return launcher
    guess = f"a guess: the usual one; there is no {launcher.value} on this host"
    return replace(launcher, source="; ".join(part for part in (launcher.source, guess) if part))


def _mpi(machine: Machine, host: Host) -> Line:
    if found := machine.said("launchers", "mpi"):
        return _value(found, indent=2)
    known = [(name, program) for name, program in machine.mpi if program in host.programs]
    if known:
        name, program = known[0]
        return _value(Said(("launchers", "mpi"), name, f"a guess: {host.programs[program]} on this host"), indent=2)
    wanted = listed(f"{name} ({program})" for name, program in machine.mpi)
    why = f"none of {wanted} on this host" if machine.mpi else f"nobody says which ones go with {machine.batch_system}"
    return line(f"  # mpi: {flow(machine.mpi[0][0] if machine.mpi else 'mpiexec')}", not_found=f"launchers.mpi: {why}")


def _group(machine: Machine, name: str, *further: Line) -> Lines:
    """A mapping of the keys below `name`, with what is missing of it."""
    lines = [_value(each, indent=2) for each in machine.more if each.key[0] == name and len(each.key) == 2]
    missing = {key: why for key, why in machine.missing.items() if key.startswith(f"{name}.")}
    yield from _block(name, [*lines, *further, *(absent(key, why, indent=2) for key, why in missing.items())])


def _block(name: str, lines: list[Line]) -> Lines:
    """Lines below a key; comments alone do without it, since a key with nothing below it is null."""
    if all(each.text.lstrip().startswith("#") for each in lines):
        yield from (Line(each.text.strip(), each.not_found) for each in lines)
    else:
        yield Line(f"{printable(name)}:")
        yield from lines
