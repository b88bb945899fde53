"""Runs a Python program of this directory: ``python jobside workers …``.

To Python the directory is a package whose name nobody else uses, and is not on the search path: no module of ours hides
one of the user's, whatever both are called.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

PACKAGE = "hpc_launch_jobside"


def main() -> None:
    spec = ModuleSpec(PACKAGE, None, is_package=True)
    spec.submodule_search_locations = [os.path.abspath(sys.path[0])]
    sys.modules[PACKAGE] = module_from_spec(spec)
    here = os.getcwd()  # is looked through first, as with `python -m`, but not twice: that would cost hundreds of calls
    sys.path[:1] = [] if here in sys.path[1:2] else [here]
    importlib.import_module(f"{PACKAGE}.{sys.argv.pop(1)}").main()


if __name__ == "__main__":
    main()
