"""MintPy, in the environment that `make test-examples` and `make test-clusters` give it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/mintpy"
MINTPY = Path(os.environ.get("MINTPY_VENV", "/var/tmp/hpc-launch-mintpy-venv"))
INVERSION = (str(MINTPY / "bin/python"), "-m", "mintpy.cli.ifgram_inversion")
STACK = "inputs/ifgramStack.h5"
