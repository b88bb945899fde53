"""Who touches files of a directory, as inotify(7) tells. (It does not tell of a stat(2), nor who it was.)"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType

_LIBC = ctypes.CDLL(None, use_errno=True)
_EVENT = struct.Struct("iIII")
_OPEN, _MOVED_TO, _DELETE, _ATTRIB = 0x20, 0x80, 0x200, 0x4


class Looks:
    """The files in a directory, and in all that are below it now, that are opened, replaced, removed or changed."""

    def __init__(self, directory: Path) -> None:
        self.fd = _LIBC.inotify_init1(os.O_NONBLOCK)
        self.places: dict[int, str] = {}
        for place in [place for place, _, _ in os.walk(directory)]:
            watch = _LIBC.inotify_add_watch(self.fd, os.fsencode(place), _OPEN | _MOVED_TO | _DELETE | _ATTRIB)
            if watch < 0:
                raise OSError(ctypes.get_errno(), f"inotify does not watch {place}")
            self.places[watch] = os.path.relpath(place, directory)

    def __enter__(self) -> Looks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def since_then(self) -> list[str]:
        """A file's name for each operation since the last call; a file that is replaced counts once."""
        found = []
        while events := self._read():
            while events:
                watch, _, _, length = _EVENT.unpack_from(events)
                name = os.fsdecode(events[_EVENT.size : _EVENT.size + length].rstrip(b"\0"))
                events = events[_EVENT.size + length :]
                if not name.endswith(".new"):
                    found.append(os.path.join(self.places.get(watch, "?"), name))
        return found

    def _read(self) -> bytes:
        try:
            return os.read(self.fd, 2**16)
        except BlockingIOError:
            return b""
