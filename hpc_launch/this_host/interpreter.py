"""A Python that is named: whether it runs on this host, and has a package."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hpc_launch.batch.environment import PLAIN_PATH
from hpc_launch.config.wording import printable

PATIENCE = 5
"""Seconds."""
LACKING = 3
LOOK = f"import importlib.util, sys; sys.exit({LACKING} if importlib.util.find_spec(sys.argv[1]) is None else 0)"


def has_package(python: Path, package: str, home: Path, modules: Path | None) -> bool | str:
    """Whether this Python finds a package as it would in a job; a text: it does not run, and why.

    True also where it takes too long to tell.

    Args:
        python: the interpreter, which is started.
        package: not imported.
        home: of the user, who may have packages there.
        modules: a directory whose modules can be imported, too.
    """
    bare = {"HOME": str(home), "PATH": PLAIN_PATH, "LC_ALL": "C", **({"PYTHONPATH": str(modules)} if modules else {})}
    try:
        done = subprocess.run(
            [python, "-c", LOOK, package], stdin=subprocess.DEVNULL, cwd="/",
            env=bare, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    except OSError as fault:
        return fault.strerror or str(fault)
    if done.returncode in (0, LACKING):
        return done.returncode == 0
    *_, last = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return printable(last.strip())
