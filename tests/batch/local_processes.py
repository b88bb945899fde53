"""What tests of jobs on this machine share: names, a script that does not end, waiting for what processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

HOSTILE = [
    "plain",
    "a b",
    "it's",
    'say "no"',
    "$(touch pwned)",
    "new\nline",
    "käse ☃",
    "-rf",
    "a;b&c|d",
    "back\\slash",
]
STUBBORN = "trap '' TERM HUP INT; echo $BASHPID >{}; while :; do sleep 0.1; done"


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def pid_in(path: Path) -> int:
    assert eventually(lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())
