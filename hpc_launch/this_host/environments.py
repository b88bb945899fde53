"""The run's Python environment and container image: whether they are there, and have Dask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hpc_launch.config.wording import nearest, printable
from hpc_launch.models.plan_parts import ContainerPlan
from hpc_launch.render.templates import part, template_environment
from hpc_launch.this_host.conda import environments
from hpc_launch.this_host.host import Found, Host
from hpc_launch.this_host.interpreter import has_package

DASK = "distributed"


def problems_of_environment(host: Host) -> Iterator[Found]:
    """What is missing of it."""
    environment = host.plan.environment
    yield from _module_command(host)
    if environment.container:
        yield from _image(host, environment.container)
        return
    missing = [*_conda(host), *_venv(host), *_python(host)]
    yield from missing or _dask(host)


def _module_command(host: Host) -> Iterator[Found]:
    """A job's shell has no functions but those that the site's own lines bring."""
    environment = host.plan.environment
    wanted = [key for key in ("purge", "module_path", "modules") if getattr(environment, key)]
    if wanted and host.is_node and not environment.site_setup.strip():
        what = "jobs on this host have no command `module`: environment.setup of the site profile can bring it"
        yield Found(("environment", wanted[-1]), f"environment.{wanted[-1]}: {what}")


def _image(host: Host, container: ContainerPlan) -> Iterator[Found]:
    """A file, and what runs it; other images are known to their runtime alone."""
    runtime = part(template_environment(), "containers", container.runtime, host.resolved, "containers")
    if host.lacks_as_node(runtime.program):
        what = f"environment.container: there is no program {runtime.program} on this host"
        yield Found(("environment", "container"), what)
    path = host.path_of(container.image) if runtime.image_is_file and "://" not in container.image else None
    if path and not path.exists():
        yield Found(
            ("environment", "container", "image"), f"environment.container.image: there is no {path} on this host"
        )


def _conda(host: Host) -> Iterator[Found]:
    name, key = host.plan.environment.conda, ("environment", "conda")
    if name is None:
        return
    if not host.plan.environment.conda_program and host.lacks_as_node("conda"):
        yield Found(key, "environment.conda: jobs on this host have no command conda on PATH")
    if "/" in name:
        path = host.path_of(name)
        if path and not (path / "conda-meta").is_dir():
            yield Found(key, f"environment.conda: there is no conda environment {path} on this host")
        return
    known = None if host.says_more else environments(host.context)
    if known is not None and name not in known:
        near = nearest(name, known)
        meant = f"; did you mean {near}?" if near else ""
        yield Found(key, f"environment.conda: there is no conda environment {printable(name)} on this host{meant}")


def _venv(host: Host) -> Iterator[Found]:
    path = host.path_of(host.plan.environment.venv or "")
    if path and not (path / "bin" / "activate").is_file():
        what = "has no bin/activate: is it a virtual environment?" if path.is_dir() else "is not there on this host"
        yield Found(("environment", "venv"), f"environment.venv: {path} {what}")
    elif path and not os.access(path / "bin" / "python", os.X_OK):
        yield Found(("environment", "venv"), f"environment.venv: {path}/bin/python is not there, or leads nowhere")


def _python(host: Host) -> Iterator[Found]:
    python, key = host.resolved.profile.environment.python, ("environment", "python")
    if not python:
        return
    path = host.path_of(host.plan.environment.python or "")
    if path and not os.access(path, os.X_OK):
        yield Found(key, f"environment.python: there is no program {path} on this host")
    elif "/" not in python and host.knows_programs and not host.has_program(python):
        yield Found(key, f"environment.python: there is no program {printable(python)} on this host")
    elif "/" not in python and (elsewhere := host.only_here(python)):
        yield Found(key, f"environment.python: {elsewhere}")


def _dask(host: Host) -> Iterator[Found]:
    """Dask in the run's environment: by its files where it holds all that there is in it, otherwise it is asked."""
    if not host.plan.has_workers or host.says_more:
        return
    place, given = host.environment, host.resolved.profile.environment
    if not place or not _is_closed(place):
        yield from _dask_of_interpreter(host, "venv" if given.venv else "python")
        return
    packages = [*place.glob("lib/python3.*/site-packages")]
    if packages and not any((each / DASK).is_dir() for each in packages):
        key = next((name for name in ("conda", "venv", "python") if getattr(given, name)), "python")
        what = f"environment.{key}: there is no {DASK} in {place}, which scheduler and workers need"
        yield Found(("environment", key), f'{what}: {place}/bin/python -m pip install "dask[distributed]"')


def _dask_of_interpreter(host: Host, key: str) -> Iterator[Found]:
    """Of a Python that may find packages in several places."""
    python, variables = host.interpreter, host.plan.environment.variables
    if python is None or any(name.startswith(("PYTHON", "LD_")) for name in variables):
        return
    found = has_package(python, DASK, host.context.home, host.directory)
    if isinstance(found, str):
        yield Found(("environment", key), f"environment.{key}: {python} does not run on this host: {found}")
    elif not found:
        what = f"environment.{key}: {python} has no {DASK}, which scheduler and workers need"
        step = f'{python} -m pip install "dask[distributed]"' if key == "venv" else "name one that has"
        yield Found(("environment", key), f"{what}: {step}")


def _is_closed(place: Path) -> bool:
    """Whether it is a conda environment, or a virtual one without the packages of the Python below it."""
    try:
        return "include-system-site-packages = false" in (place / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return (place / "conda-meta").is_dir()
