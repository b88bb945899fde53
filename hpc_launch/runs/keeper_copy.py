"""The keeper in a run directory: a copy for the scheduler's job, where nothing of hpc-launch is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hpc_launch.batch import BUILT_IN
from hpc_launch.locations import PACKAGE
from hpc_launch.runs.files import write_files

COPY: Final = "jobside/keeper"


def travels(batch_system: str) -> bool:
    """Whether the keeper can run where hpc-launch is not installed: not with a batch system of a plug-in."""
    return batch_system in BUILT_IN


def copy_keeper(directory: Path, batch_system: str) -> None:
    """Put the keeper into the run directory, unless it is there; its first file comes last. May raise OSError."""
    if not travels(batch_system) or (directory / COPY / "__main__.py").exists():
        return
    files = {f"{COPY}/hpc_launch/{file.relative_to(PACKAGE)}": _text(file) for file in _needed(batch_system)}
    write_files(directory, {**files, f"{COPY}/__main__.py": _text(PACKAGE / "keeper" / "__main__.py")})


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _needed(batch_system: str) -> Iterator[Path]:
    """Of this package, what the keeper imports: itself, and what all batch systems share with this one."""
    yield PACKAGE / "__init__.py"
    for folder in ("batch", f"batch/{batch_system}", "keeper"):
        yield from sorted((PACKAGE / folder).glob("*.py"))
