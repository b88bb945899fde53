"""Writing rendered files: by themselves, for `render` and `check` need nothing else of a run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    """Write each file (relative name → text) below the run directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def replace_file(file: Path, text: str) -> None:
    """Write a file as a whole, mode 0600: a reader on any host finds the old text or the new one. May raise OSError."""
    new = file.with_name(f".{file.name}.{os.uname().nodename}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        os.replace(new, file)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
