"""What a start of hpc-launch costs, against importing what it is made of. See README.md.

Ends with 1 if `hpc-launch render` takes more than GOAL times what the imports take.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.comparison import Spread, described, machine, pairwise, wait_for_quiet

GOAL = 1.5
ROUNDS = 21
WARM_UP = 2
"""Rounds that are not counted: files come into the page cache, and what was not compiled yet is."""

# The examples' directory holds no module of the names that are imported.
DIRECTORY = Path(__file__).resolve().parent.parent / "examples"
RENDER = ("render", "monte-carlo-pi/profile.yaml")
IMPORTS = "import typer, jinja2, yaml, pydantic"
MODEL = "from pydantic import BaseModel\nclass Model(BaseModel):\n    number: int = 1\nModel(number=2)\n"
# As the console script does it, collecting no garbage meanwhile (hpc_launch/__main__.py).
RENDER_WITH_MODEL = f"import gc, sys\ngc.disable()\n{MODEL}from hpc_launch.__main__ import main\nsys.exit(main())"

HPC_LAUNCH = str(Path(sys.executable).with_name("hpc-launch"))
COMMANDS: dict[str, Sequence[str]] = {
    "imports": (sys.executable, "-c", IMPORTS),
    "render": (HPC_LAUNCH, *RENDER),
    "help": (HPC_LAUNCH, "--help"),
    "imports and BaseModel": (sys.executable, "-c", f"{IMPORTS}\n{MODEL}"),
    "render and BaseModel": (sys.executable, "-c", RENDER_WITH_MODEL, *RENDER),
    "python": (sys.executable, "-c", ""),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often in turn (default {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not Path(HPC_LAUNCH).exists():
        parser.error(f"there is no {HPC_LAUNCH}: `{sys.executable} -m pip install .` first")
    wait_for_quiet()
    seconds = measured(options.rounds)
    ratios = {name: pairwise(values, seconds["imports"]) for name, values in seconds.items() if name != "imports"}
    met = ratios["render"].median <= GOAL
    # What the model adds, as a part of a whole render.
    added = [
        with_it - without for with_it, without in zip(seconds["render and BaseModel"], seconds["render"], strict=True)
    ]
    model = pairwise(added, seconds["render"])
    if options.json:
        document = {
            "schema": 1,
            "machine": machine(),
            "rounds": options.rounds,
            "seconds": {name: asdict(Spread.of(values)) for name, values in seconds.items()},
            "ratios_to_imports": {name: asdict(ratio) for name, ratio in ratios.items()},
            "model_added_to_render": asdict(model),
            "goal": GOAL,
            "met": met,
        }
        print(json.dumps(document, indent=2))
    else:
        print(f"{described(machine())}; {options.rounds} rounds, median (least to most)\n")
        for name, values in seconds.items():
            print(f"{name:22} {Spread.of(values)} s")
        print("\nratios to the imports of the same round:")
        for name, ratio in ratios.items():
            print(f"{name:22} {ratio}")
        print(f"\nBaseModel and one model, in renders: {model}")
        print(f"render: goal {GOAL}, {'met' if met else 'MISSED'}")
    return 0 if met else 1


def measured(rounds: int) -> dict[str, list[float]]:
    """Seconds of wall time of each command, round by round; every second round goes backwards."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(-WARM_UP, rounds):
        for name in sorted(COMMANDS, key=list(COMMANDS).index, reverse=number % 2 == 1):
            taken = run(COMMANDS[name])
            if number >= 0:
                seconds[name].append(taken)
    return seconds


def run(command: Sequence[str]) -> float:
    """Seconds of wall time of one command; raises CalledProcessError where it fails."""
    # PYTHONDONTWRITEBYTECODE and its like would have modules compiled anew on every start, which no user has.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    begin = time.perf_counter()
    subprocess.run(command, cwd=DIRECTORY, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
