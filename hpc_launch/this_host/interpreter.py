"""A Python that is named: whether it runs on this host, and has a package."""

from __future__ import annotations

from pathlib import Path

from hpc_launch.batch.command import run
from hpc_launch.batch.environment import PLAIN_PATH
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.config.wording import printable

ENV = "/usr/bin/env"
PATIENCE = 5
"""Seconds."""
LACKING = 3
LOOK = f"import importlib.util, sys; sys.exit({LACKING} if importlib.util.find_spec(sys.argv[1]) is None else 0)"


def has_package(python: Path, package: str, home: Path, modules: Path | None) -> bool | str:
    """Whether this Python finds a package as it would in a job; a text: it does not run, and why.

    True also where it takes too long to tell, or is killed.

    Args:
        python: the interpreter, which is started.
        package: not imported.
        home: of the user, who may have packages there.
        modules: a directory whose modules can be imported, too.
    """
    bare = [f"HOME={home}", f"PATH={PLAIN_PATH}", "LC_ALL=C", *([f"PYTHONPATH={modules}"] if modules else [])]
    try:
        answer = run([ENV, "--ignore-environment", *bare, str(python), "-c", LOOK, package], timeout=PATIENCE)
    except NoAnswer:
        return True
    if answer.returncode in (0, LACKING):
        return answer.returncode == 0
    *_, last = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
    return printable(last.strip())
