"""Reading and writing of whole files, so that a reader on any host sees the old text or the new one, never a part."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpc_launch.batch import processes
from hpc_launch.keeper.reading import SCHEMA, Document

Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """What changes when a file is replaced; None: there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def load(path: Path) -> Document:
    """A document of ours; raises one of `reading.UNREADABLE`."""
    document: Document = json.loads(path.read_text(encoding="utf-8"))
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']}")
    return document


def text_of(document: Mapping[str, Any]) -> str:
    """Each key on a line of its own: bash reads some of these, too."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def replace(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file as a whole, mode 0600. May raise OSError: then the old one is still there."""
    new = _write_aside(path, document)
    try:
        os.replace(new, path)
    except OSError:
        _remove(new)
        raise


def create(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file that must not be there yet: raises FileExistsError if it is, also if another host was faster."""
    new = _write_aside(path, document)
    try:
        os.link(new, path)
    finally:
        _remove(new)


def _write_aside(path: Path, document: Mapping[str, Any]) -> Path:
    new = path.with_name(f".{path.name}.{processes.host()}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text_of(document))
            file.flush()
            os.fsync(descriptor)
    except OSError:
        _remove(new)
        raise
    return new


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
