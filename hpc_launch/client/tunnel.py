"""A tunnel through ssh that lives as long as this process."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Sequence

from hpc_launch.client.access import Forward, Way
from hpc_launch.client.companion import Companion
from hpc_launch.client.endpoint import Unreachable
from hpc_launch.errors import Problem


def open_tunnel(way: Way, forwards: Sequence[Forward]) -> Companion:
    """Hold these forwards until it is closed; people at a terminal may be asked for passwords before.

    Raises:
        Unreachable: ssh did not get there.
    """
    somebody_answers = bool(sys.stdin) and sys.stdin.isatty()
    words = way.words(forwards)
    if not somebody_answers:
        words[1:1] = ["-o", "BatchMode=yes"]
    ssh = Companion(words, own_session=not somebody_answers)
    try:
        while not all(_answers(forward.local) for forward in forwards):
            if ssh.has_ended:
                raise Unreachable(Problem(f"ssh did not get there: {ssh.last_words()}", hint=" ".join(words)))
            time.sleep(0.1)
    except BaseException:
        ssh.close()
        raise
    return ssh


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
