"""What is rendered in several tests, and what is done with it: written to a directory, looked at by shellcheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hpc_launch.prepare import Prepared
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
SHELLCHECK = Path(sys.executable).parent / "shellcheck"
SCRIPTS = ("job.sh", "environment.sh", "node.sh", "workload.sh")
EXAMPLE = (ROOT / "examples" / "monte-carlo-pi" / "profile.yaml").read_text(encoding="utf-8")

FULL = """
name: full
account: a1
queue: ceres
qos: long
constraint: AVX512&INTEL
reservation: course
mail: {to: user@example.org, on: [begin, fail]}
walltime: 36:00:00
directives: [--licenses=matlab:1]
workers:
  count: 5
  threads: 4
  memory: 10 GB
  per_node: 2
  minimum: 3
  timeout: 20m
  resources: {subprocess_slots: 1, fast: 0.5}
  local_directory: $TMPDIR/dask space
  interface: ib1
  spill: true
  lifetime: 35h
  options: [--preload, "my file.py"]
scheduler: {cores: 1, memory: 4 GiB, interface: ib2, dashboard: false}
environment:
  modules: [miniconda, gcc/12]
  conda: py_geo
  variables: {OMP_NUM_THREADS: 1, TITLE: "$HOME is expanded, $$HOME 'not'"}
  setup: |
    ulimit -n 65535
workload:
  command: python main.py --out "$HPC_LAUNCH_RUN_DIR/out" | tee log
  directory: $HOME/project
  cores: 2
  memory: 8 GiB
security: none
"""


def write(prepared: Prepared, directory: Path) -> Path:
    for name, text in prepared.rendered.files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def shellcheck(directory: Path, *scripts: str) -> str:
    command = [str(SHELLCHECK), "-x", "--severity=style", *(scripts or SCRIPTS)]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr
