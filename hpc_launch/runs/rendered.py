"""A directory that `render --output` writes to, perhaps not for the first time: it holds one render, whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from hpc_launch.config.wording import printable
from hpc_launch.errors import Problem, UsageError
from hpc_launch.locations import JOBSIDE
from hpc_launch.runs.files import write_files

WRITTEN = ".rendered"
"""What was written there, so that it can be known again: one line for each file, as `sha256sum --check` reads it."""
_LINE = re.compile(r"([0-9a-f]{64})  ((?:jobside/)?[A-Za-z0-9_][A-Za-z0-9_.-]*)")
_SUBMITTED = re.compile(r"(job|scheduler|workers(-[0-9]+)?)\.sh")
_NEXT = "Delete or move it, or name a new directory."


def rewrite(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write a render's files (relative name → text); gives the names of those of an earlier render that went.

    A file goes, or is written anew, if it is byte for byte what an earlier render wrote there.

    Raises:
        UsageError: the directory holds other things, is a run's, or holds something under the name of a file of a
            render that is not one, or of which it cannot be known whether it is; nothing was changed.
    """
    _refuse_foreign(directory)
    written = _written(directory)
    there = [name for name in dict.fromkeys([*files, *written, *_known(directory)]) if _is_there(directory / name)]
    left = [name for name in there if name not in files]
    _refuse_no_files(directory, [*(name for name in there if name in files), WRITTEN])
    if strange := [name for name in left if not _is_written(directory / name, written.get(name))]:
        raise _refused(
            directory,
            f"this render has no {', '.join(strange)}, and it cannot be known whether an earlier one wrote it, or"
            " somebody else",
        )
    if edited := [name for name in there if name in files and not _is_ours(directory, name, files, written)]:
        raise _refused(
            directory, f"{', '.join(edited)}: not as an earlier render wrote it, and this one would write over it"
        )
    for name in left:
        (directory / name).unlink()
    write_files(directory, files)
    lines = (f"{_digest(text.encode())}  {name}\n" for name, text in files.items())
    (directory / WRITTEN).write_text("".join(lines), encoding="utf-8")
    return left


def _refused(directory: Path, cause: str) -> UsageError:
    return UsageError(Problem(f"--output {printable(str(directory))}: {cause}", hint=_NEXT))


def _refuse_foreign(directory: Path) -> None:
    """A directory with other things in it is not ours to write to, and a run's own files are not to change."""
    there = {file.name for file in directory.iterdir()} if directory.is_dir() else set()
    is_ours = "resolved.yaml" in there and any(re.fullmatch(r"node(-\w+)?\.sh", name) for name in there)
    if "run.json" in there or (there and not is_ours):
        what = "a run directory" if "run.json" in there else "not empty"
        raise UsageError(
            f"--output {printable(str(directory))}: it is {what}; name a new directory, or one that was rendered to"
            " before"
        )


def _refuse_no_files(directory: Path, names: Iterable[str]) -> None:
    """A link would be written through, to wherever it leads."""
    folder = directory / JOBSIDE.name
    no_files = [f"{folder.name}/"] if _is_there(folder) and (folder.is_symlink() or not folder.is_dir()) else []
    no_files += [name for name in names if _is_there(directory / name) and not _is_file(directory / name)]
    if no_files:
        raise _refused(directory, f"{', '.join(no_files)}: a link, or no file, where a render has a file of its own")


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_ours(directory: Path, name: str, files: Mapping[str, str], written: Mapping[str, str]) -> bool:
    """Whether nothing is lost if the file is written anew: it is a render's, or as this one would have it."""
    file = directory / name
    return _is_written(file, written.get(name)) or file.read_bytes() == files[name].encode()


def _is_written(file: Path, digest: str | None) -> bool:
    """Whether it is a file of which a render said so; None: none did."""
    return digest is not None and _is_file(file) and _digest(file.read_bytes()) == digest


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


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
