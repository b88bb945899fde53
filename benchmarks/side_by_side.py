"""One task on 24 workers by hpc-launch, dask-jobqueue and by hand in turn; what a node's start costs. See README.md.

On the project's test cluster: needs Debian, root and strace. Writes results.md; ends with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.comparison import PACKAGES, Spread, pairwise
from benchmarks.jobs import OURS, WAYS, Times, one_task, test_cluster
from benchmarks.node_start import Start, start_of_dask_worker, start_of_hpc_launch
from tests.cluster.hosts import Cluster

ROUNDS = 5
WARM_UP = 1
RESULTS = Path(__file__).resolve().parent / "results.md"
JUDGED = "dask-jobqueue"
"""What the goals are about; its TLS is off, ours is on."""
WHAT = {"done": "first task done", "gone": "everything gone"}
GOALS = {"with bokeh": {"done": 0.25, "gone": 0.35}, "without bokeh": {"done": 0.38, "gone": 0.5}}
GOAL_OF_PATH_CALLS = 0.15
GOAL_OF_MEMORY = 0.5


class Row(NamedTuple):
    """A ratio, and what it should be at most."""

    what: str
    reached: float
    goal: float

    @property
    def is_met(self) -> bool:
        return self.reached <= self.goal


class Measured(NamedTuple):
    """All that was measured in one environment."""

    environment: str
    packages: str
    times: dict[str, list[Times]]
    """Way → round by round."""
    ours: Start
    dask_worker: Start

    def rows(self) -> list[Row]:
        goals = GOALS[self.environment]
        start = f"a node's start, {self.environment}"
        return [
            *(
                Row(f"command → {WHAT[key]}, {self.environment}", self.ratio(key, JUDGED).median, goals[key])
                for key in WHAT
            ),
            Row(f"path calls of {start}", self.ours.path_calls / self.dask_worker.path_calls, GOAL_OF_PATH_CALLS),
            Row(f"memory of {start}", self.ours.memory / self.dask_worker.memory, GOAL_OF_MEMORY),
        ]

    def seconds(self, key: str, way: str) -> list[float]:
        return [getattr(times, key) for times in self.times[way]]

    def ratio(self, key: str, way: str) -> Spread:
        """Our time divided by that of another way in the same round."""
        return pairwise(self.seconds(key, OURS), self.seconds(key, way))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often in turn (default {ROUNDS})")
    for name in GOALS:
        option = f"--{name.replace(' ', '-')}"
        parser.add_argument(option, type=Path, metavar="DIRECTORY", dest=name, help=f"an environment {name}")
    options = vars(parser.parse_args())
    if os.geteuid() != 0:
        parser.error("the test cluster needs root")
    began = time.monotonic()
    every = [measured(name, options[name], options["rounds"]) for name in GOALS if options[name]]
    minutes = (time.monotonic() - began) / 60
    text = "\n".join(told(every, options["rounds"], minutes)) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(row.is_met for one in every for row in one.rows()) else 1


def measured(name: str, environment: Path, rounds: int) -> Measured:
    """All of one environment."""
    with test_cluster(environment) as cluster:
        times = in_turn(cluster, rounds)
    starts = (start_of_hpc_launch, start_of_dask_worker)
    ours, dask_worker = ([start(environment / "bin") for _ in range(2)][1] for start in starts)  # the first warms up
    return Measured(name, packages(environment), times, ours, dask_worker)


def in_turn(cluster: Cluster, rounds: int) -> dict[str, list[Times]]:
    """The times of each way, round by round.

    Slurm looks once a second for jobs that it can start. Each round begins at another moment of a second: otherwise a
    way would start a moment after the one before it has ended, and wait for the same part of a second each time.
    """
    times: dict[str, list[Times]] = {name: [] for name in WAYS}
    for number in range(-WARM_UP, rounds):
        for name, way in WAYS.items():
            directory = cluster.home / f"{name.replace(' ', '-').replace(',', '')}-{number}"
            one = one_task(cluster, way, directory, moment=number / rounds % 1)
            if number >= 0:
                times[name].append(one)
            said = f"{name:18} first task {one.done:6.2f} s, everything gone {one.gone:6.2f} s after the command"
            print(said if number >= 0 else f"{said} (warm-up, not counted)", file=sys.stderr, flush=True)
    return times


def packages(environment: Path) -> str:
    """The versions that an environment has, in one line."""
    script = (
        "import json, platform\nfrom importlib.metadata import distributions\n"
        "print(json.dumps({'Python': platform.python_version(), **{d.name: d.version for d in distributions()}}))"
    )
    asked = subprocess.run([environment / "bin/python", "-c", script], capture_output=True, text=True, check=True)
    there = json.loads(asked.stdout)
    return ", ".join(f"{name} {there[name]}" for name in ("Python", "dask-jobqueue", *PACKAGES) if name in there)


def told(every: Sequence[Measured], rounds: int, minutes: float) -> Iterable[str]:
    """The lines of results.md."""
    yield f"# Measured on {time.strftime('%Y-%m-%d')}"
    yield ""
    yield f"Written by `make bench`: {os.cpu_count()} cores, {rounds} rounds after a warm-up, {minutes:.0f} minutes."
    yield "What is measured, and what to make of it, is in [README.md](README.md)."
    yield ""
    yield "| ratio | reached | goal | |"
    yield "|---|---|---|---|"
    for row in (row for one in every for row in one.rows()):
        yield f"| {row.what} | **{row.reached:.3f}** | {row.goal} | {'met' if row.is_met else 'MISSED'} |"
    for one in every:
        yield from told_of(one)


def told_of(one: Measured) -> Iterable[str]:
    yield ""
    yield f"## {one.environment.capitalize()}"
    yield ""
    yield f"{one.packages}."
    yield ""
    yield "Seconds from the command, median (least to most); ratio: that of hpc-launch divided by it, round by round."
    yield ""
    yield f"| | {' | '.join(f'{WHAT[key]} | ratio' for key in WHAT)} |"
    yield f"|---|{'---|---|' * len(WHAT)}"
    for way in WAYS:
        cells = (
            f"{Spread.of(one.seconds(key, way))} | {'' if way == OURS else one.ratio(key, way)}".strip() for key in WHAT
        )
        yield f"| {way} | {' | '.join(cells)} |"
    yield ""
    yield "| start of a node with 8 workers | path calls | memory (PSS) |"
    yield "|---|---|---|"
    for name, start in ((OURS, one.ours), ("`dask worker` as it comes", one.dask_worker)):
        yield f"| {name} | {start.path_calls} | {start.memory / 1e6:.0f} MB |"


if __name__ == "__main__":
    sys.exit(main())
