"""What the start of a node's workers costs: calls that name a file, and memory; hpc-launch against `dask worker`.

Eight workers of one thread on this machine, from the first process of the node until all are connected. Needs strace.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.local.runs import until

WORKERS = 8
PATIENCE = 120
"""Seconds after which a start is given up."""
QUIET = 1.0
"""Seconds without a call that counts, after which a start is over."""
TRACED = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", "trace=%file", "-o")
"""With -D what is traced keeps its process and its parent."""
CALL = re.compile(r'^\d+ +\w+\([^"]*"([^"]+)"')
OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")
POLLED = "scheduler.json"

FOLLOWS_THE_NODE = """#!/bin/bash
# The bash that the job finds first: it follows the start of the node.
case $1 in */node.sh) echo $$ >{pid} && exec {strace} /bin/bash "$@" ;; esac
exec /bin/bash "$@"
"""
PROFILE = {
    "name": "node-start",
    "workers": {"count": WORKERS, "per_node": WORKERS, "memory": "600 MB", "timeout": "2m"},
    "scheduler": {"memory": "200 MB"},
    "workload": {"command": ["sleep", "600"], "memory": "100 MB"},
}
SITE = {
    "schema": 1,
    "name": "node",
    "extends": "local",
    "queues": {"node": {"nodes": 1, "cores": WORKERS, "memory": "8 GB"}},
    "defaults": {"walltime": "10m"},
}


@dataclass(frozen=True)
class Start:
    """What the start of one node cost."""

    path_calls: int
    """Calls that name a file: each is a request to a file system, or is answered by what the node remembers of it."""
    memory: int
    """Bytes of all processes, of those that they share their part (PSS)."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.node_start", description=__doc__)
    parser.parse_args()
    ours, theirs = (start(Path(sys.prefix) / "bin") for start in (start_of_hpc_launch, start_of_dask_worker))
    for name, one in (("hpc-launch", ours), ("dask worker", theirs)):
        print(f"{name:12} {one.path_calls:7} path calls {one.memory / 1e6:7.0f} MB")
    calls, memory = ours.path_calls / theirs.path_calls, ours.memory / theirs.memory
    print(f"{'ratio':12} {calls:7.3f}            {memory:7.3f}")
    return 0


def start_of_hpc_launch(programs: Path) -> Start:
    """Of the node of a run of the layout single-job on this machine; `programs`: the environment's bin directory.

    What is not compiled yet in the environment is compiled by the first start, which then counts for more.
    """
    with a_directory() as directory, a_run(directory, programs) as run:
        return finished_start(directory, run / "logs" / "scheduler.log")


def start_of_dask_worker(programs: Path) -> Start:
    """The same of `dask worker` as it comes."""
    with a_directory() as directory, a_scheduler(directory, programs) as log:
        words = ("worker", "--scheduler-file", POLLED, "--nworkers", str(WORKERS), "--nthreads", "1")
        command = [*TRACED, str(directory / "lines"), str(programs / "dask"), *words]
        with running(command, directory, directory / "workers.log") as worker:
            (directory / "pid").write_text(f"{worker.pid}\n")
            return finished_start(directory, log)


@contextmanager
def a_directory() -> Iterator[Path]:
    """A directory for a while. Where a start fails in it, its logs are printed."""
    with tempfile.TemporaryDirectory(prefix="start-") as name:
        try:
            yield Path(name)
        except (AssertionError, TimeoutError):
            for log in sorted(Path(name).rglob("*.log")):
                print(f"--- {log}\n{log.read_text(errors='replace')}", file=sys.stderr)
            raise


@contextmanager
def a_run(directory: Path, programs: Path) -> Iterator[Path]:
    """A run whose node is followed; gives its directory."""
    shell = directory / "shell" / "bash"
    shell.parent.mkdir()
    strace = " ".join([*TRACED, str(directory / "lines")])
    shell.write_text(FOLLOWS_THE_NODE.format(pid=directory / "pid", strace=strace))
    shell.chmod(0o755)
    site = {**SITE, "commands": {"submit": [str(shell)]}, "storage": {"local": str(directory)}}
    (directory / "site.yaml").write_text(json.dumps(site))
    (directory / "profile.yaml").write_text(json.dumps({**PROFILE, "site": "./site.yaml"}))
    hpc_launch(programs, directory, "submit", "profile.yaml", "--run-dir", "run")
    try:
        yield directory / "run"
    finally:
        hpc_launch(programs, directory, "cancel", "run")


def hpc_launch(programs: Path, directory: Path, *words: str) -> None:
    command = [str(programs / "hpc-launch"), *words]
    done = subprocess.run(command, cwd=directory, env=environment(directory), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@contextmanager
def a_scheduler(directory: Path, programs: Path) -> Iterator[Path]:
    """A scheduler as it comes, for workers that are in the same directory; gives its log."""
    words = ("scheduler", "--scheduler-file", POLLED, "--host", "127.0.0.1", "--port", "0")
    log = directory / "scheduler.log"
    command = [str(programs / "dask"), *words, "--dashboard-address", "127.0.0.1:0"]
    with running(command, directory, log):
        yield log


@contextmanager
def running(command: Sequence[str], directory: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment(directory), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def environment(directory: Path) -> dict[str, str]:
    """Nothing of whoever counts: no settings of Dask, no PYTHONDONTWRITEBYTECODE."""
    return {"HOME": str(directory), "TMPDIR": str(directory), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def finished_start(directory: Path, scheduler_log: Path) -> Start:
    """Wait until all workers are connected, and nothing that counts is called any more."""
    until(lambda: connected(scheduler_log) >= WORKERS, f"{WORKERS} workers in {scheduler_log}")
    counts = [-1]

    def is_over() -> bool:
        time.sleep(QUIET)
        counts.append(path_calls(directory / "lines"))
        return counts[-1] == counts[-2]

    until(is_over, "the start to be over")
    return Start(counts[-1], memory(int((directory / "pid").read_text())))


def connected(scheduler_log: Path) -> int:
    """How many workers have come, by the scheduler's log."""
    return scheduler_log.read_text().count(" - Register worker ") if scheduler_log.exists() else 0


def path_calls(lines: Path) -> int:
    """Of what strace wrote: calls that name a file, but those of the kernel's own.

    How often workers look for the file of a scheduler that is not there yet is a matter of time, and not counted.
    """
    with lines.open(errors="replace") as file:
        named = [call[1] for line in file if (call := CALL.match(line))]
    return sum(not name.startswith(OF_THE_KERNEL) and not name.endswith(POLLED) for name in named)


def memory(process: int) -> int:
    """Bytes of a process and all that come from it (proc(5): smaps_rollup)."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    (own,) = re.findall(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(own) * 1024 + sum(memory(child) for child in children(process))


def children(process: int) -> list[int]:
    return [int(word) for file in Path(f"/proc/{process}/task").glob("*/children") for word in file.read_text().split()]


if __name__ == "__main__":
    sys.exit(main())
