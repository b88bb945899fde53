"""The start of the program: `hpc-launch`, or `python -m hpc_launch`."""

from __future__ import annotations

import gc
import os
import sys

LITTLE = 100_000
"""So many new objects are left until garbage is looked for: a start makes none, and looking takes a tenth of it."""


def open_what_is_closed() -> None:
    """Lead the standard streams that the caller has closed nowhere; any file opened later would take their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def main() -> int:
    """Run the command line; gives the exit code."""
    open_what_is_closed()
    gc.set_threshold(LITTLE)
    try:
        from hpc_launch import cli

        code = cli.main()
        gc.freeze()  # what is there when Python ends is no garbage either
        return code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
