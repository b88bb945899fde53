"""What runs beside the scheduler: whether the run's Python has what it needs, where that can be known from here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from hpc_launch import quoting
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.resolve import Resolved

NEEDED = "jupyterlab"
PACKAGES = (NEEDED, "dask-labextension", "jupyter-server-proxy", "bokeh")
"""The lab, its panel, and what shows the dashboard in it: of those of the extra `notebook` that a run needs."""


def problems(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """JupyterLab that is asked for and is not in the run's environment."""
    asked = resolved.profile.services.jupyter is not None and resolved.profile.has_workers
    if not asked or not (python := python_of_run(resolved, context)):
        return
    if _is_lacking(Path(python)):
        cause = f"services.jupyter: {python} has no JupyterLab"
        hint = f"install it there: {python} -m pip install {' '.join(PACKAGES)}"
        yield Problem(cause, resolved.origin("services", "jupyter"), hint)


def python_of_run(resolved: Resolved, context: Context) -> str | None:
    """The run's interpreter; None where modules, shell lines or a container decide what is in it."""
    given = resolved.profile.environment
    if given.modules or given.setup or given.container or given.conda or resolved.site.environment.setup:
        return None
    if given.venv or given.python:
        with suppress(KeyError):  # a variable that only the node knows
            path = quoting.expand(str(given.venv or given.python), context.variables)
            return f"{path}/bin/python" if given.venv else path
        return None
    return context.interpreter


def _is_lacking(python: Path) -> bool:
    """Whether it is known not to be there: an environment that is not this one is looked at by its files."""
    if str(python) == sys.executable:
        return find_spec(NEEDED) is None
    environment = python.parent.parent
    try:
        alone = "include-system-site-packages = false" in (environment / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    packages = [*environment.glob("lib/python3.*/site-packages")]
    return alone and bool(packages) and not any((place / NEEDED).is_dir() for place in packages)
