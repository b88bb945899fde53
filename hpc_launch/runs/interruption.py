"""TERM and HUP while jobs are submitted, or waited for: they end the program in order, as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""What a batch job's end, `kill`, or a terminal that is closed sends; by default a process ends on the spot."""


class ToldToEnd(SystemExit):
    """One of ENDS came; ends the program with 128 + its number, as a shell has it."""

    @property
    def exit_code(self) -> int:
        assert isinstance(self.code, int)
        return self.code

    def __str__(self) -> str:
        return signal.Signals(self.exit_code - 128).name


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise ToldToEnd(128 + number)


@contextmanager
def signals_raise() -> Iterator[None]:
    """Meanwhile ENDS raise ToldToEnd. One that the caller ignores (nohup) or handles stays as it is."""
    with _handled_by(_raise, signal.SIG_DFL):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """Meanwhile, within `signals_raise`, ENDS do nothing: a terminal that is closed may bring both."""
    with _handled_by(signal.SIG_IGN, _raise):
        yield


@contextmanager
def _handled_by(new: Callable[[int, FrameType | None], NoReturn] | signal.Handlers, old: object) -> Iterator[None]:
    """Put a handler in the place of another; only the main thread may (signal(3) in Python)."""
    main = threading.current_thread() is threading.main_thread()
    changed = {number: signal.getsignal(number) for number in ENDS if main and signal.getsignal(number) is old}
    for number in changed:
        signal.signal(number, new)
    try:
        yield
    finally:
        for number, before in changed.items():
            signal.signal(number, before)
