"""A directory that `render --output` writes to, perhaps not for the first time: it holds one render, whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from hpc_launch.errors import Problem, UsageError
from hpc_launch.locations import JOBSIDE
from hpc_launch.runs.files import write_files

WRITTEN = ".rendered"
"""What was written there, so that it can be known again: one line for each file, as `sha256sum --check` reads it."""
_LINE = re.compile(r"([0-9a-f]{64})  ((?:jobside/)?[A-Za-z0-9_][A-Za-z0-9_.-]*)")
_SUBMITTED = re.compile(r"(job|scheduler|workers(-[0-9]+)?)\.sh")


def rewrite(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write a render's files (relative name → text); gives the names of those of an earlier render that went.

    A file goes if it is byte for byte what an earlier render wrote there.

    Raises:
        UsageError: the directory holds other things, is a run's, or holds a file of which it cannot be known whether
            it is a render's; nothing was changed.
    """
    _refuse_foreign(directory)
    written = _written(directory)
    left = [name for name in dict.fromkeys([*written, *_known(directory)]) if name not in files]
    left = [name for name in left if (directory / name).is_symlink() or (directory / name).exists()]
    if strange := [name for name in left if _digest(directory / name) != written.get(name)]:
        raise UsageError(
            Problem(
                f"--output {directory}: this render has no {', '.join(strange)}, and it cannot be known whether an"
                " earlier one wrote it, or somebody else",
                hint="Delete or move it, or name a new directory.",
            )
        )
    for name in left:
        (directory / name).unlink()
    write_files(directory, files)
    lines = (f"{sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items())
    (directory / WRITTEN).write_text("".join(lines), encoding="utf-8")
    return left


def _refuse_foreign(directory: Path) -> None:
    """A directory with other things in it is not ours to write to, and a run's own files are not to change."""
    there = {file.name for file in directory.iterdir()} if directory.is_dir() else set()
    if "run.json" in there or (there and not {"resolved.yaml", "node.sh"} <= there):
        what = "a run directory" if "run.json" in there else "not empty"
        raise UsageError(
            f"--output {directory}: it is {what}; name a new directory, or one that was rendered to before"
        )


def _written(directory: Path) -> dict[str, str]:
    """Name → digest of what the last render wrote; empty where nothing tells, or nothing that can be believed."""
    try:
        lines = (directory / WRITTEN).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    return {found[2]: found[1] for line in lines if (found := _LINE.fullmatch(line))}


def _known(directory: Path) -> Iterator[str]:
    """What goes by a name that some render gives: left behind, it would be taken for a part of this one."""
    if directory.is_dir():
        yield from sorted(file.name for file in directory.iterdir() if _SUBMITTED.fullmatch(file.name))
    yield from (f"jobside/{file.name}" for file in sorted(JOBSIDE.iterdir()) if file.is_file())


def _digest(file: Path) -> str | None:
    """None where it is nothing that a render writes."""
    return sha256(file.read_bytes()).hexdigest() if file.is_file() and not file.is_symlink() else None
