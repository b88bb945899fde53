"""`python3 -m hpc_launch.keeper RUN_DIRECTORY`: the keeper beside a run's scheduler, started by its job's shell.

It ends when the run is over, when that shell has ended, or when it is told to (TERM, INT, HUP). With a second word,
`call-off`, it only calls off all worker jobs that may be left of the run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from hpc_launch.batch.faults import HpcLaunchError
from hpc_launch.keeper import intervals
from hpc_launch.keeper.hands import say
from hpc_launch.keeper.job import Shell
from hpc_launch.keeper.keep import Keeping
from hpc_launch.keeper.lease import Lease
from hpc_launch.keeper.leftover import call_off_all
from hpc_launch.keeper.loop import Keeper
from hpc_launch.keeper.reading import UNREADABLE

PATIENCE = 60.0
"""Seconds in which a network file system shows what was written before this process was started."""


def main(directory: Path, call_off: bool) -> None:
    every, shell = intervals.read(), Shell()
    if call_off:
        keeper = Keeper(directory, Lease(directory / "pool" / "lease", every.stale), every)
        call_off_all(keeper.system, keeper.watch)
        return
    until = time.monotonic() + PATIENCE
    while True:
        try:
            Keeping(directory, shell, every, beside=True).run()
            return
        except UNREADABLE as fault:
            if time.monotonic() > until:
                raise
            say(f"not readable yet: {fault}")
            time.sleep(every.look)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:] == ["call-off"])
    except HpcLaunchError as fault:
        say(str(fault))
        sys.exit(fault.exit_code)
