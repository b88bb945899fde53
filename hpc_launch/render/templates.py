"""The templates: where they are, and what one has to define."""

from __future__ import annotations

from collections.abc import MutableMapping
from threading import Lock
from typing import Any

import jinja2
from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    ModuleLoader,
    TemplateError,
    TemplateNotFound,
)
from jinja2.bccache import Bucket

from hpc_launch import file_systems
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.locations import PACKAGE, TEMPLATES, plug_in_templates
from hpc_launch.resolve import Resolved
from hpc_launch.template_language import templates_from
from hpc_launch.template_names import no_such

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


class _CompiledInWheel(ModuleLoader):
    """Jinja imports such a template for each environment anew, each time under the same name, which it then forgets.

    Two threads that do so at once would share a module, and with it one's environment, or find the name gone.
    """

    lock = Lock()

    def load(
        self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None
    ) -> jinja2.Template:
        with self.lock:
            return super().load(environment, name, globals)


_COMPILED = _Compiled()
_OF_THE_WHEEL = _CompiledInWheel(PACKAGE / "compiled_templates" / vars(jinja2).get("__version__", "unknown"))
"""Ours, compiled when the wheel was built (`hatch_build.py`). There are none for another Jinja, nor in a checkout."""


def template_environment() -> Environment:
    # Plug-ins are looked for only when a template is not among ours: that takes a while.
    loader = ChoiceLoader([_OF_THE_WHEEL, FileSystemLoader(TEMPLATES), FunctionLoader(_from_outside)])
    made = templates_from(loader, _COMPILED)
    made.globals["file_systems"] = {
        "disk": file_systems.as_stat_says(file_systems.DISK),
        "memory": file_systems.as_stat_says(file_systems.MEMORY),
    }
    return made


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


def _from_outside(file: str) -> tuple[str, str, None] | None:
    """The text of a plug-in's template and where it is, as Jinja's FunctionLoader wants it."""
    found = [path for directory in plug_in_templates() if (path := directory / file).is_file()]
    return (found[0].read_text(encoding="utf-8"), str(found[0]), None) if found else None
