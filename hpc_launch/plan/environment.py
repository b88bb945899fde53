"""In which environment the run's programs find themselves, and where the workload stands."""

from __future__ import annotations

import os.path
import re

from hpc_launch.config.wording import listed
from hpc_launch.context import Context
from hpc_launch.models.plan_parts import ContainerPlan, EnvironmentPlan
from hpc_launch.models.profile import Environment, Workload
from hpc_launch.resolve import Resolved

ACTIVATION = re.compile(
    r"""^(?:(?:source|\.)[ \t]+\S*\bactivate(?=["'\s;&]|$)|(?:conda|mamba|micromamba)[ \t]+activate\b)""", re.M
)
"""A line of shell that makes a virtual environment, or one of conda's, the active one; not one within an `if`."""


def plan_environment(resolved: Resolved, context: Context) -> EnvironmentPlan:
    """Modules, interpreter, container and variables of the run."""
    given, container = resolved.profile.environment, _container(resolved, context)
    named = [f"environment.{key}" for key in ("conda", "venv", "python") if getattr(given, key) is not None]
    changing = [] if named or container else _may_change_path(given)
    return EnvironmentPlan(
        modules=tuple(given.modules),
        conda=beside(given.conda, resolved, context) if given.conda and "/" in given.conda else given.conda,
        venv=beside(given.venv, resolved, context) if given.venv else None,
        python=None if changing or given.conda or given.venv else _python(resolved, context),
        container=container,
        variables=dict(given.variables),
        setup=given.setup,
        site_setup=resolved.site.environment.setup,
        purge=given.purge,
        module_path=tuple(beside(place, resolved, context) for place in given.module_path),
        own_python=context.interpreter if changing else None,
        python_is=_which_python(named, changing, container is not None),
        conda_program=_conda_program(given, context),
        activates=ACTIVATION.search(given.setup) is not None,
    )


def _may_change_path(given: Environment) -> list[str]:
    """The keys by which another `python` may come first on PATH."""
    said = {"modules": given.modules, "variables": "PATH" in given.variables, "setup": given.setup.strip()}
    return [f"environment.{key}" for key, some in said.items() if some]


def _which_python(named: list[str], changing: list[str], contained: bool) -> str:
    """The rule that holds, in words."""
    if named:
        return f"named by {named[0]}"
    if contained:
        return "the first one in the container"
    usual = "the one that runs hpc-launch"
    return f"the one that {listed(changing, 'or')} puts first on PATH, otherwise {usual}" if changing else usual


def _conda_program(given: Environment, context: Context) -> str | None:
    """What `conda activate` has set where hpc-launch was called, if the run needs it."""
    found = context.environment.get("CONDA_EXE", "")
    needed = given.conda or "conda activate" in given.setup
    return found if needed and found.startswith("/") else None


def _python(resolved: Resolved, context: Context) -> str:
    """The interpreter that is named, or the usual one; in a container paths are the image's own."""
    python, contained = resolved.profile.environment.python, resolved.profile.environment.container is not None
    if python is None:
        return "python" if contained else context.interpreter
    return beside(python, resolved, context) if "/" in python and not contained else python


def workload_directory(resolved: Resolved, context: Context) -> str:
    """Where the workload runs, and workers with it; those of a standing cluster beside the profile."""
    workload = resolved.profile.workload
    return beside(workload.directory if isinstance(workload, Workload) else ".", resolved, context)


def beside(path: str, resolved: Resolved, context: Context) -> str:
    """A path of the profile, which is relative to it; without `.` and `..`, and the file system is not asked."""
    if path.startswith(("$", "~")):
        return path
    return os.path.normpath(context.directory / resolved.file.parent / path)


def _container(resolved: Resolved, context: Context) -> ContainerPlan | None:
    given, site = resolved.profile.environment.container, resolved.site
    if given is None or site.containers is None:
        return None
    # `docker://…` and the like are addresses, not paths.
    image = given.image if "://" in given.image else beside(given.image, resolved, context)
    binds = tuple(_bind(bind, resolved, context) for bind in given.binds)
    return ContainerPlan(site.containers, image, binds, given.image)


def _bind(bind: str, resolved: Resolved, context: Context) -> str:
    """`SOURCE[:TARGET[:OPTIONS]]`, of which the source is a path of the profile."""
    source, colon, rest = bind.partition(":")
    return beside(source, resolved, context) + colon + rest
