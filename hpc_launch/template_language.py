"""What the templates of scripts may use. The wheel's are compiled with it when it is built, all others here."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import BaseLoader, BytecodeCache, Environment, StrictUndefined

from hpc_launch import quoting
from hpc_launch.units import MIB, format_duration, format_walltime, format_walltime_minutes, memory_in


def templates_from(loader: BaseLoader, compiled: BytecodeCache | None = None) -> Environment:
    """Templates with our options and filters.

    Args:
        compiled: keeps what was compiled.
    """
    made = Environment(
        loader=loader,
        undefined=StrictUndefined,  # a name that nobody has set is a mistake, not an empty line in a script
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=compiled,
    )
    made.filters.update(
        word=quoting.word,
        words=quoting.words,
        path=quoting.path,
        value=quoting.value,
        names_in=quoting.names_in,
        walltime=format_walltime,
        walltime_minutes=format_walltime_minutes,
        duration=format_duration,
        memory_in=memory_in,
        without_blank_lines=lambda text: "".join(line + "\n" for line in text.splitlines() if line.strip()),
        joined=joined,
        mebibytes=lambda size: size // MIB,
        dask_resources=lambda resources: ",".join(f"{name}={_number(amount)}" for name, amount in resources.items()),
        dask_ports=dask_ports,
    )
    return made


def joined(directives: Sequence[str], options: Sequence[str]) -> list[str]:
    """The directives, with one in place of several of such an option (`--gres=gpu:2`): all values in the first."""
    found: dict[str, str] = {}
    for directive in directives:
        option, _, value = directive.partition("=")
        key = option if option in options and value else directive
        found[key] = f"{found[key]},{value}" if key in found and key != directive else directive
    return list(found.values())


def dask_ports(ports: str) -> str:
    """`FIRST-LAST` as Dask's options have it."""
    return ports.replace("-", ":")


def _number(amount: float) -> str:
    return str(int(amount)) if amount.is_integer() else repr(amount)
