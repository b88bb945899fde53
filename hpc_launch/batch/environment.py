"""The environment of a batch system's commands: small, and the same for everyone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hpc_launch.batch.account import account
from hpc_launch.batch.faults import NotStarted, Problem

PLAIN_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def locate(program: str, path: str | None = None) -> str:
    """The absolute path of a program: as it is when it holds a slash, else the first on PATH or a plain PATH.

    Raises:
        NotStarted: there is none.
    """
    directories = (path or f"{os.environ.get('PATH', '')}:{PLAIN_PATH}").split(":")
    places = [program] if "/" in program else [f"{d}/{program}" for d in directories if d]
    for place in places:
        if os.path.isfile(place) and os.access(place, os.X_OK):
            return os.path.abspath(place)
    raise NotStarted(
        Problem(
            f"the command `{program}` was not found",
            hint="Is this a login host of the machine that the site profile describes?"
            " A site profile can name another command under `commands`.",
        )
    )


def command_environment(program: str, directory: Path, needed: Sequence[str] = ()) -> dict[str, str]:
    """The whole environment of a batch system's command, and so of a job where the batch system copies it.

    Slurm and LSF give the job what the submit command had; PBS and Grid Engine give it nothing. With this
    small one a job is the same on all of them, whoever submits it from wherever: inside another job, in a
    virtual environment, with SBATCH_* set (which beat the script's directives: sbatch(1), INPUT ENVIRONMENT
    VARIABLES).

    Args:
        program: absolute path; its directory leads PATH, since the batch system's other commands are there.
        directory: absolute; where the command runs.
        needed: names of variables that this batch system's clients cannot do without.
    """
    user = account()
    at_home = os.path.dirname(program)
    return {
        "HOME": os.environ.get("HOME") or user.home,
        "USER": user.name,
        "LOGNAME": user.name,
        "LANG": "C.UTF-8",
        "PATH": PLAIN_PATH if at_home in PLAIN_PATH.split(":") else f"{at_home}:{PLAIN_PATH}",
        "PWD": str(directory),
    } | {name: os.environ[name] for name in needed if name in os.environ}
