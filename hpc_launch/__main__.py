"""The start of the program: `hpc-launch`, or `python -m hpc_launch`."""

from __future__ import annotations

import gc
import os
import sys


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
    gc.disable()  # nothing that is made while modules are imported is garbage; looking for it takes a tenth of a start
    try:
        from hpc_launch import cli

        gc.freeze()
        gc.enable()
        code = cli.main()
        gc.freeze()  # nor is what is there when Python ends
        return code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
