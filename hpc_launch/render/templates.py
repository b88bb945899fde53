"""The templates: what they may use, where they are, and what one has to define."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
)
from jinja2.bccache import Bucket

from hpc_launch import file_systems, quoting
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.locations import TEMPLATES, plug_in_templates
from hpc_launch.resolve import Resolved
from hpc_launch.template_names import no_such
from hpc_launch.units import MIB, format_duration, format_walltime, format_walltime_minutes, memory_in

CONTAINERS = ("program", "image_is_file", "run")
NEEDED = {"directives": ("directives",), "launchers": ("node_index", "start"), "containers": CONTAINERS}
"""What every template of a kind defines: some come from plug-ins."""
OF_ARRAYS = ("worker_jobs",)
"""What one of directives defines where there are jobs that belong together."""


class _Compiled(BytecodeCache):
    """Templates compiled once in a process: `site check` renders dozens of small jobs."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.known:
            bucket.bytecode_from_string(self.known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def template_environment() -> Environment:
    made = Environment(
        # Plug-ins are looked for only when a template is not among ours: that takes a while.
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FunctionLoader(_from_outside)]),
        undefined=StrictUndefined,  # a name that nobody has set is a mistake, not an empty line in a script
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    made.filters.update(
        word=quoting.word,
        words=quoting.words,
        path=quoting.path,
        value=quoting.value,
        walltime=format_walltime,
        walltime_minutes=format_walltime_minutes,
        duration=format_duration,
        memory_in=memory_in,
        without_blank_lines=lambda text: "".join(line + "\n" for line in text.splitlines() if line.strip()),
        joined=joined,
        mebibytes=lambda size: size // MIB,
        dask_resources=lambda resources: ",".join(f"{name}={_number(amount)}" for name, amount in resources.items()),
    )
    made.globals["file_systems"] = {
        "disk": file_systems.as_stat_says(file_systems.DISK),
        "memory": file_systems.as_stat_says(file_systems.MEMORY),
    }
    return made


def joined(directives: Sequence[str], options: Sequence[str]) -> list[str]:
    """The directives, with one in place of several of such an option (`--gres=gpu:2`): all values in the first."""
    found: dict[str, str] = {}
    for directive in directives:
        option, _, value = directive.partition("=")
        key = option if option in options and value else directive
        found[key] = f"{found[key]},{value}" if key in found and key != directive else directive
    return list(found.values())


def part(
    environment: Environment, folder: str, name: str, resolved: Resolved, *key: str, more: tuple[str, ...] = ()
) -> Any:
    """A template's macros and texts; raises InvalidConfiguration where it is not there, is broken, or lacks some.

    `more`: what it has to define beside the `NEEDED`.
    """
    file = f"{folder}/{name}.sh.j2"
    origin, words = resolved.site_document.origins.get(key), ".".join(key)
    try:
        found = environment.get_template(file).module
    except (TemplateError, UnicodeDecodeError) as fault:
        if isinstance(fault, TemplateNotFound) and fault.name == file:
            raise InvalidConfiguration(no_such(folder, name, words, origin)) from None
        raise InvalidConfiguration(Problem(f"{words}: the template {file} is broken: {fault}", origin)) from fault
    if lacks := [each for each in (*NEEDED[folder.partition("/")[0]], *more) if not hasattr(found, each)]:
        raise InvalidConfiguration(Problem(f"{words}: the template {file} does not define {', '.join(lacks)}", origin))
    return found


def _number(amount: float) -> str:
    return str(int(amount)) if amount.is_integer() else repr(amount)


def _from_outside(file: str) -> tuple[str, str, None] | None:
    """The text of a plug-in's template and where it is, as Jinja's FunctionLoader wants it."""
    found = [path for directory in plug_in_templates() if (path := directory / file).is_file()]
    return (found[0].read_text(encoding="utf-8"), str(found[0]), None) if found else None
