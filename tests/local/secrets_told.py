"""Where a secret of a run may have got to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tests.local.runs import Run


def words_of_all_processes() -> str:
    """Command lines and environments, as `ps` shows them."""
    said = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said += [(process / name).read_bytes() for name in ("cmdline", "environ")]
    return b"\0".join(said).decode(errors="replace")


def files_with(run: Run, text: str) -> list[str]:
    """Files of the run directory in which this stands."""
    files = [file for file in run.directory.rglob("*") if file.is_file()]
    return sorted(str(file.relative_to(run.directory)) for file in files if text.encode() in file.read_bytes())
