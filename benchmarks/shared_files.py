"""What a run to which nothing happens costs the shared file system. See README.md.

Needs strace, and to be allowed to attach it to own processes.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.batch.on_pbs import OnPbs, on_pbs
from tests.commands import Result
from tests.local.runs import until

LAYOUTS = {"single-job": {"count": 8, "per_node": 8}, "job-array": {"count": 8, "per_node": 4}}
SETTLED = 70
"""Seconds after the workload's start, or a keeper's, from which on nothing changes."""
TRACED = ("strace", "-f", "-qq", "-y", "-s", "500", "-e", "signal=none", "-e", "trace=%file,clone,clone3,fork,vfork")
CALL = re.compile(r'^\d+ +(\w+)\((?:AT_FDCWD<(?P<here>[^>]*)>, )?"(?P<path>[^"]*)"')
PROCESS = re.compile(r"^\d+ +(clone3?|v?fork)\((?!.*CLONE_THREAD)")


@dataclass(frozen=True)
class Checkout(OnPbs):
    """A user of what stands in a source tree."""

    tree: Path = Path()

    def command(self, *words: str) -> Result:
        return self.command_in_its_own_process(*words)

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": str(self.tree)}


@dataclass
class Counts:
    """What was seen in so many seconds."""

    seconds: float
    processes: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """System call and file → number of calls that name it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_files", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long each run is watched (default 5)")
    parser.add_argument("--tree", type=Path, default=Path.cwd(), help="a checkout of hpc-launch (default: this one)")
    parser.add_argument("--kept", action="store_true", help="job-array: with a keeper at work")
    parser.add_argument("--layout", choices=[*LAYOUTS], action="append", help="this one alone (default: each of them)")
    options = parser.parse_args()
    for layout in options.layout or LAYOUTS:
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            user = on_pbs(place)
            counts = watched(
                Checkout(**vars(user), tree=options.tree.resolve()), layout, options.minutes * 60, options.kept
            )
        tell(layout, counts)
    return 0


def watched(user: Checkout, layout: str, seconds: float, kept: bool) -> Counts:
    """Submit a run whose workload sleeps, and count what it does once it has settled."""
    run = user.submit(f"sleep {seconds + 600:.0f}", layout=layout, workers={"memory": "300 MB", **LAYOUTS[layout]})
    try:
        run.until_running()
        until(lambda: run.status()["workers"]["connected"] == 8, "all workers")
        if kept:
            user.command("scale", run.id, "--workers", "8")
            until((run.directory / "pool" / "status.json").exists, "a keeper")
        time.sleep(SETTLED)
        return counted(trace(processes(user), seconds), run.directory, seconds)
    finally:
        user.command("cancel", run.id)


def processes(user: OnPbs) -> list[int]:
    """All processes of jobs."""
    mark = f"PBS_SPOOL={user.jobs}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended
            continue
    return found


def trace(numbers: Iterable[int], seconds: float) -> list[str]:
    """The lines of strace for these processes, and for those that they start meanwhile."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as lines:
        tracer = subprocess.Popen([*TRACED, "-o", lines.name, *(f"--attach={number}" for number in numbers)])
        time.sleep(seconds)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        return lines.readlines()


def counted(lines: Iterable[str], directory: Path, seconds: float) -> Counts:
    """What of these lines names a file of the run, and how many processes were started."""
    counts = Counts(seconds)
    for line in lines:
        counts.processes += bool(PROCESS.match(line))
        if call := CALL.match(line):
            # Of what has no directory to start from, the job's shell and the scheduler are in that of the run.
            path = os.path.normpath(os.path.join(call["here"] or str(directory), call["path"]))
            if path.startswith(f"{directory}/"):
                counts.calls[f"{call[1]} {os.path.relpath(path, directory)}"] += 1
    return counts


def tell(layout: str, counts: Counts) -> None:
    an_hour = 3600 / counts.seconds
    calls, started = sum(counts.calls.values()), counts.processes
    print(f"{layout}: {calls} calls and {started} processes in {counts.seconds:.0f} s;", end=" ")
    print(f"in an hour {calls * an_hour:.0f} calls and {started * an_hour:.0f} processes")
    for what, number in counts.calls.most_common():
        print(f"  {number * an_hour:7.0f}  {what}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
