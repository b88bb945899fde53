"""A tunnel through ssh that lives as long as this process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hpc_launch.client.access import Forward, Way
from hpc_launch.client.companion import Companion
from hpc_launch.client.endpoint import Unreachable
from hpc_launch.errors import Problem

SOCKETS = Path("/proc/net/tcp")
"""proc(5): of each socket its own address, its state and whose it is stand in the columns 1, 3 and 7."""
LOOPBACK = f"{int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder):08X}"
LISTENS = "0A"


def open_tunnel(way: Way, forwards: Sequence[Forward]) -> Companion:
    """Hold these forwards until it is closed; people at a terminal may be asked for passwords before.

    Raises:
        Unreachable: ssh did not get there, or it cannot be seen on this host whether it has.
    """
    somebody_answers = bool(sys.stdin) and sys.stdin.isatty()
    words = way.words(forwards)
    if not somebody_answers:
        words[1:1] = ["-o", "BatchMode=yes"]
    ssh = Companion(words, own_session=not somebody_answers)
    try:
        while not all(_listens(forward.local) for forward in forwards):
            if ssh.has_ended:
                raise Unreachable(Problem(f"ssh did not get there: {ssh.last_words()}", hint=" ".join(words)))
            time.sleep(0.1)
    except OSError as fault:  # no Linux, or one that hides it
        ssh.close()
        cause = f"whether ssh listens cannot be seen on this host: {SOCKETS}: {fault.strerror}"
        raise Unreachable(Problem(cause, hint=f"hold the tunnel by hand: {' '.join(way.words(forwards))}")) from fault
    except BaseException:
        ssh.close()
        raise
    return ssh


def _listens(port: int) -> bool:
    """Whether a process of this user does, on loopback of this host: somebody else may have taken the port."""
    ours = [f"{LOOPBACK}:{port:04X}", LISTENS, str(os.geteuid())]
    rows = (line.split() for line in SOCKETS.read_text(encoding="ascii").splitlines()[1:])
    return any([row[1], row[3], row[7]] == ours for row in rows)
