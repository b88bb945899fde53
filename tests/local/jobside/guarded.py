"""A scheduler of its own behind the guard, with the file as it travels."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpc_launch.render import _jobside
from tests.local.runs import until

TOKEN = "0123456789abcdef" * 4
COMMAND = "jobside with_settings distributed.cli.dask_scheduler --preload hpc_launch_jobside.guard"


def new_run(directory: Path) -> Path:
    """A run directory with the guard as it travels."""
    (directory / "state" / "1").mkdir(parents=True)
    (directory / "jobside").mkdir()
    (directory / "state" / "1" / "token").write_text(TOKEN)
    for name, text in _jobside({"job.sh": COMMAND}).items():
        (directory / name).write_text(text)
    return directory


@contextmanager
def scheduler(run: Path, where: str = "loopback", *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Its process; it has written its scheduler file and loaded the guard, or has ended."""
    ours = {"HPC_LAUNCH_RUN_DIR": str(run), "HPC_LAUNCH_ATTEMPT": "1", "HPC_LAUNCH_DASHBOARD": where}
    command = f"{COMMAND} --scheduler-file {run}/scheduler.json --host 127.0.0.1 --port 0"
    command += " --dashboard-address 127.0.0.1:0 --no-dashboard"
    with (run / "log").open("w") as log:
        words = [sys.executable, *command.split(), *options]
        process = subprocess.Popen(words, cwd=run, env={**os.environ, **ours}, stdout=log, stderr=log)
    try:
        set_up = re.compile(r"Run preload setup: hpc_launch_jobside.guard.*Registering Worker plugin", re.S)
        until(lambda: process.poll() is not None or set_up.search((run / "log").read_text()), "the scheduler")
        yield process
    finally:
        process.kill()
        process.wait()


def port_of(run: Path) -> int:
    """Where the pages are, or were, as Dask's own file tells it."""
    port: int = json.loads((run / "scheduler.json").read_text())["services"]["dashboard"]
    return port
