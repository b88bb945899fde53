"""How long 24 workers on three nodes take to connect: hpc-launch against a script by hand. See README.md.

On the project's test cluster: needs Debian and root. Ends with 1 if hpc-launch takes more than GOAL times as long.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.comparison import Spread, described, machine, pairwise
from benchmarks.jobs import WAYS, Times, one_job
from benchmarks.one_task import WORKERS
from tests.cluster.conftest import DIRECTORY, LOCK
from tests.cluster.hosts import Cluster

GOAL = 0.35
JUDGED = "done"
"""The ratio that the goal is about: a task done means that the workers are of use."""
ROUNDS = 5
WARM_UP = 1
WHAT = {
    "connected": f"job's start to {WORKERS} workers connected",
    "done": "job's start to one task done",
    "gone": "from then to no process left",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connect", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often in turn (default {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("the test cluster needs root")
    environment = Path(sys.prefix)
    if not (environment / "bin/hpc-launch").exists():
        parser.error(f"there is no hpc-launch in {environment}; README.md names the environment to use")
    with test_cluster(environment) as cluster:
        times = measured(cluster, options.rounds)
    return told(times, options.json)


def told(times: dict[str, list[Times]], as_json: bool) -> int:
    """Print what was measured; gives the exit code."""
    taken = {key: {name: [getattr(one, key) for one in times[name]] for name in WAYS} for key in Times._fields}
    ratios = {key: pairwise(of["hpc-launch"], of["by hand"]) for key, of in taken.items()}
    medians = {key: median(of["hpc-launch"]) / median(of["by hand"]) for key, of in taken.items()}
    met = ratios[JUDGED].median <= GOAL
    if as_json:
        document = {
            "schema": 1,
            "machine": machine(),
            "seconds": taken,
            "ratios": {key: asdict(ratio) for key, ratio in ratios.items()},
            "ratios_of_medians": medians,
            "judged": JUDGED,
            "goal": GOAL,
            "met": met,
        }
        print(json.dumps(document, indent=2))
        return 0 if met else 1
    print(f"{described(machine())}; {len(times['by hand'])} rounds, median (least to most)")
    for key, what in WHAT.items():
        print(f"\n{what}")
        for name in WAYS:
            print(f"  {name:10} {Spread.of(taken[key][name])} s")
        print(f"  ratio      {ratios[key]}, of the medians {medians[key]:.3f}")
    print(f"\n{WHAT[JUDGED]}: goal {GOAL}, {'met' if met else 'MISSED'}")
    return 0 if met else 1


@contextmanager
def test_cluster(environment: Path) -> Iterator[Cluster]:
    """The test cluster with the commands of an environment, for us alone: the tests take the same lock."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for {LOCK}: others use the test cluster", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the cluster would stay
        cluster = Cluster(DIRECTORY, environment)
        try:
            cluster.up()
            yield cluster
        finally:
            cluster.down()


def measured(cluster: Cluster, rounds: int) -> dict[str, list[Times]]:
    """The times of each way, round by round, in turn."""
    times: dict[str, list[Times]] = {name: [] for name in WAYS}
    for number in range(-WARM_UP, rounds):
        for name, way in WAYS.items():
            one = one_job(cluster, way, cluster.home / f"{name.replace(' ', '-')}-{number}")
            if number >= 0:
                times[name].append(one)
            said = f"{name:10} connected {one.connected:6.2f} s, done {one.done:6.2f} s, gone {one.gone:5.2f} s later"
            print(said if number >= 0 else f"{said} (warm-up, not counted)", file=sys.stderr)
    return times


if __name__ == "__main__":
    sys.exit(main())
