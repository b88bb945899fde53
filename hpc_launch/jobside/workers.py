"""The workers of one node: `dask worker`, whose processes share what they have imported.

Arguments: those of `dask worker`.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    sys.path.insert(0, HERE)
    from import_once import prepare_workers

    # As with `python -m`: modules are found in the directory where workers run. Ours are none of theirs.
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, os.getcwd())
    # Else each process of a pool that a task makes would run this file again.
    del sys.modules["__main__"].__file__
    prepare_workers(os.environ.pop("HPC_LAUNCH_IMPORTS", "").split())
    from distributed.cli.dask_worker import main as dask_worker

    dask_worker(prog_name="dask worker")


if __name__ == "__main__":
    main()
