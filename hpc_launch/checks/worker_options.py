"""Words for `dask worker` beside those that node.sh says: known ones, each of them alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from hpc_launch.checks.services import python_of_run
from hpc_launch.config.wording import nearest, printable
from hpc_launch.context import Context
from hpc_launch.errors import Problem
from hpc_launch.resolve import Resolved

SAID = {
    "--scheduler-file", "--nworkers", "--nthreads", "--memory-limit", "--name", "--local-directory", "--protocol",
    "--interface", "--host", "--dashboard", "--no-dashboard", "--dashboard-address", "--resources", "--death-timeout",
    "--lifetime", "--lifetime-stagger", "--nanny", "--no-nanny",
}  # fmt: skip
"""Options of `dask worker` that node.sh gives, or that would undo them."""
UNDO = {
    **dict.fromkeys(("--tls-ca-file", "--tls-cert", "--tls-key"), "is the run's own, as `security` has it"),
    **dict.fromkeys(("--version", "--help"), "would end each worker at once"),
}
"""Others that would, and why."""
WITH_VALUE = {
    "--worker-port", "--nanny-port", "--listen-address", "--contact-address", "--pid-file", "--dashboard-prefix",
    "--worker-class", "--preload", "--preload-nanny", "--scheduler-sni",
}  # fmt: skip
FLAGS = {"--lifetime-restart", "--no-lifetime-restart"}
"""With these, all that `dask worker` has in Dask 2026.8 (distributed/cli/dask_worker.py)."""


def problems(resolved: Resolved, context: Context) -> Iterator[Problem]:
    """Of the workers of one group. `mpi` has no such words at all."""
    options = resolved.profile.workers.options
    if resolved.profile.layout == "mpi":
        return
    for number, option in enumerate(options):
        name = option.partition("=")[0]
        origin = resolved.origin("workers", "options", number)
        if name in SAID:
            hint = "leave it out: workers.threads, memory, interface, resources, lifetime … have keys of their own"
            yield Problem(f"workers.options: {name} is already said by node.sh", origin, hint)
        elif name in UNDO:
            yield Problem(f"workers.options: {name} {UNDO[name]}", origin, "leave it out")
    for number in _strangers(options, lambda name: _is_known_there(name, resolved, context)):
        yield _unknown(options[number], number, resolved)


def _strangers(options: Sequence[str], is_known: Callable[[str], bool]) -> Iterator[int]:
    """Places of words that are no options and no values; what follows a preload may be for that."""
    number = 0
    while number < len(options):
        name, equals, _ = options[number].partition("=")
        if name in SAID or name in UNDO or (name not in WITH_VALUE and "--preload" in options[:number]):
            return
        newer = name not in FLAGS and name not in WITH_VALUE and is_known(name)
        if name not in FLAGS and name not in WITH_VALUE and not newer:
            yield number
        may_be_value = not options[number + 1 : number + 2] or not options[number + 1].startswith("-")
        number += 2 if not equals and (name in WITH_VALUE or (newer and may_be_value)) else 1


def _unknown(option: str, number: int, resolved: Resolved) -> Problem:
    name, words = option.partition("=")[0], option.split()
    near = nearest(name, {*SAID, *WITH_VALUE, *FLAGS})
    hint = (
        f"did you mean {near}?"
        if near
        else "`dask worker --help` names all; settings of Dask can also be variables: DASK_…"
    )
    if len(words) > 1 and words[0] in WITH_VALUE:
        hint = f"each word stands for itself: [{', '.join(words)}]"
    cause = f"workers.options: {printable(name)!r} is no option of `dask worker`, which would end, or overlook it"
    return Problem(cause, resolved.origin("workers", "options", number), hint)


def _is_known_there(name: str, resolved: Resolved, context: Context) -> bool:
    """Whether the run's own Dask has this option, as far as that can be seen from here: it may be a newer one."""
    python = python_of_run(resolved, context)
    if python is None:
        return False
    found = find_spec("distributed") if python == sys.executable else None
    places = map(Path, found.submodule_search_locations or []) if found else _packages(Path(python))
    return any(_names(place / "cli" / "dask_worker.py", name) for place in places)


def _packages(python: Path) -> Iterator[Path]:
    yield from python.parent.parent.glob("lib/python3.*/site-packages/distributed")


def _names(file: Path, option: str) -> bool:
    try:
        return bool(re.search(rf'["/]{re.escape(option)}["/]', file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        return False
