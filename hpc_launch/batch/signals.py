"""Signals that wait while a process is started: what a handler raises before its id is known would lose the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Meanwhile handlers of INT, TERM and HUP are not called; those of signals that came are called at the end.

    Blocking them would block them in the new process, too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python calls handlers in its main thread alone
        return
    told = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: handler for number in told if callable(handler := signal.getsignal(number))}
    came: list[int] = []
    try:
        for number in handlers:
            signal.signal(number, lambda number, frame: came.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, handler in handlers.items():
            if number in came:
                handler(number, None)
