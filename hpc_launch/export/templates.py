"""The templates of sections, and how values are written in YAML."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

from jinja2 import Environment

from hpc_launch import quoting, units
from hpc_launch.config.wording import printable
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.explain import shown
from hpc_launch.render.templates import template_environment as templates
from hpc_launch.sites import SiteFile


def environment_of(found: SiteFile) -> Environment:
    """The templates of scripts, with what YAML needs besides; there a value that nobody knows stays None."""
    environment = templates()

    def own(options: dict[str, str | None], between: str) -> list[str]:
        """Directives of ours, but those that the site refuses."""
        wanted = {name: value for name, value in options.items() if value and name not in found.site.rejects}
        return [f"{name}{between}{value}" for name, value in wanted.items()]

    environment.globals.update(refuse=partial(refuse, found), own=own)
    environment.filters.update(
        yaml=scalar,
        block=block,
        printable=printable,
        path=lambda value: value and quoting.path(value),
        memory=lambda size: size and units.exact_memory(size),
        walltime=lambda seconds: seconds and units.format_walltime(seconds),
        walltime_minutes=lambda seconds: seconds and units.format_walltime_minutes(seconds),
        written=lambda name, mark, names=None: f"{mark} {(names or {}).get(name, f'{name} ')}",
    )
    return environment


def scalar(value: Any) -> str:
    """A value as YAML of any version on one line, whatever is in it."""
    if isinstance(value, str) and not value.isprintable():
        import yaml

        return yaml.safe_dump(value, default_style='"', width=2**30).strip()
    return shown(value)


def block(text: str, indent: int) -> str:
    """Shell text as YAML: as it is, where YAML would give it back so."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) == 1 or lines[0][:1] in ("", " ") or not all(line.isprintable() for line in lines):
        return scalar(text.rstrip("\n"))
    return "|-\n" + "\n".join(" " * indent + line if line else "" for line in lines)


def refuse(found: SiteFile, message: str, *key: str, hint: str = "") -> NoReturn:
    """A key of the site profile; where it is not written, the nearest one above it is shown."""
    document = found.document
    raise InvalidConfiguration(Problem(message, document.nearest(*key) or document.origins.get(()), hint))
