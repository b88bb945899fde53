"""In which environment the run's programs find themselves, and where the workload stands."""

from __future__ import annotations

import os.path

from hpc_launch.context import Context
from hpc_launch.models.plan_parts import ContainerPlan, EnvironmentPlan
from hpc_launch.models.profile import Workload
from hpc_launch.resolve import Resolved


def plan_environment(resolved: Resolved, context: Context) -> EnvironmentPlan:
    """Modules, interpreter, container and variables of the run."""
    given = resolved.profile.environment
    container = _container(resolved, context)
    python = given.python
    if given.conda is None and given.venv is None and python is None:
        python = "python" if container else context.interpreter
    inside = container is not None  # paths are the image's own there
    return EnvironmentPlan(
        modules=tuple(given.modules),
        conda=beside(given.conda, resolved, context) if given.conda and "/" in given.conda else given.conda,
        venv=beside(given.venv, resolved, context) if given.venv else None,
        python=beside(python, resolved, context) if python and "/" in python and not inside else python,
        container=container,
        variables=dict(given.variables),
        setup=given.setup,
        site_setup=resolved.site.environment.setup,
    )


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
    return ContainerPlan(site.containers, image, tuple(_bind(bind, resolved, context) for bind in given.binds))


def _bind(bind: str, resolved: Resolved, context: Context) -> str:
    """`SOURCE[:TARGET[:OPTIONS]]`, of which the source is a path of the profile."""
    source, colon, rest = bind.partition(":")
    return beside(source, resolved, context) + colon + rest
