"""The start of the program: `hpc-launch`, or `python -m hpc_launch`."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line; gives the exit code."""
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
