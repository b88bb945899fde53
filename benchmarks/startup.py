"""What a start of hpc-launch costs, against importing what it is made of. See README.md.

Ends with 1 if `hpc-launch render`, or `hpc-launch list` of RUNS runs, takes more than its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.comparison import Spread, described, machine, pairwise, wait_for_quiet

ROUNDS = 21
WARM_UP = 2
"""Rounds that are not counted: files come into the page cache, and what was not compiled yet is."""
RUNS = 1_000

# The examples' directory holds no module of the names that are imported.
DIRECTORY = Path(__file__).resolve().parent.parent / "examples"
RENDER = ("render", "monte-carlo-pi/profile.yaml")
IMPORTS = "import typer, jinja2, yaml; from pydantic import BaseModel"
HPC_LAUNCH = str(Path(sys.executable).with_name("hpc-launch"))
COMMANDS: dict[str, Sequence[str]] = {
    "imports": (sys.executable, "-c", IMPORTS),
    "render": (HPC_LAUNCH, *RENDER),
    "typer": (sys.executable, "-c", "import typer"),
    "list": (HPC_LAUNCH, "list"),
    "help": (HPC_LAUNCH, "--help"),
}
AGAINST = {"render": "imports", "list": "typer", "help": "typer"}
GOALS = {"render": 1.2, "list": 2.0}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often in turn (default {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not Path(HPC_LAUNCH).exists():
        parser.error(f"there is no {HPC_LAUNCH}: `{sys.executable} -m pip install .` first")
    with TemporaryDirectory() as home:
        make_runs(Path(home))
        wait_for_quiet()
        seconds = measured(options.rounds, Path(home))
    ratios = {name: pairwise(seconds[name], seconds[other]) for name, other in AGAINST.items()}
    met = {name: ratios[name].median <= goal for name, goal in GOALS.items()}
    if options.json:
        document = {
            "schema": 2,
            "machine": machine(),
            "rounds": options.rounds,
            "cpu_seconds": {name: asdict(Spread.of(values)) for name, values in seconds.items()},
            "ratios": {name: {"to": AGAINST[name], **asdict(ratio)} for name, ratio in ratios.items()},
            "goals": GOALS,
            "met": met,
        }
        print(json.dumps(document, indent=2))
    else:
        print(f"{described(machine())}; {options.rounds} rounds, median (least to most)\n")
        for name, values in seconds.items():
            print(f"{name:8} {Spread.of(values)} s of CPU time")
        print("\nratios to another of the same round:")
        for name, ratio in ratios.items():
            goal = f", goal {GOALS[name]}: {'met' if met[name] else 'MISSED'}" if name in GOALS else ""
            print(f"{name:8} {ratio} of {AGAINST[name]}{goal}")
    return 0 if all(met.values()) else 1


def make_runs(home: Path) -> None:
    """RUNS finished runs of a user with this home directory: a real one, and copies of it."""
    from hpc_launch.context import current
    from hpc_launch.runs import index

    profile = home / "profile.yaml"
    profile.write_text("site: local\nworkers: none\nworkload: {command: ['true'], cores: 1, memory: 100 MB}\n")
    run((HPC_LAUNCH, "submit", str(profile), "--wait", "--run-dir", str(home / "first")), home)
    os.environ.update(environment_of(home))
    for number in range(RUNS):
        run_id, directory = f"profile-20261128-12{number // 60:02}{number % 60:02}-{number:06x}", home / str(number)
        shutil.copytree(home / "first", directory)
        record = json.loads((directory / "run.json").read_text())
        (directory / "run.json").write_text(json.dumps({**record, "id": run_id}))
        index.add(current(), run_id, directory)


def measured(rounds: int, home: Path) -> dict[str, list[float]]:
    """Seconds of CPU time of each command, round by round; every second round goes backwards."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(-WARM_UP, rounds):
        for name in sorted(COMMANDS, key=list(COMMANDS).index, reverse=number % 2 == 1):
            taken = run(COMMANDS[name], home)
            if number >= 0:
                seconds[name].append(taken)
    return seconds


def run(command: Sequence[str], home: Path) -> float:
    """Seconds of CPU time of one command; raises CalledProcessError where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=DIRECTORY, env=environment_of(home), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environment_of(home: Path) -> Mapping[str, str]:
    """That of a user who has nothing but these runs."""
    # PYTHONDONTWRITEBYTECODE and its like would have modules compiled anew on every start, which no user has.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HPC_LAUNCH", "XDG_"))}
    return {**kept, "HOME": str(home)}


if __name__ == "__main__":
    sys.exit(main())
