"""A run that grows and shrinks: what its workload does, and how it is asked and watched."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.local.runs import Here, Run, until

INTERVALS = "look=0.3,quiet=0.5,ask=1,submit=0.5"
WORKLOAD = """
import os, time
from dask.distributed import Client

def begin(number):
    with open("began", "a") as file:
        file.write(f"{number}\\n")

def short(number):
    begin(number)
    time.sleep(1)
    return number

def long(number):
    begin(number)
    time.sleep(5)
    return number

client, turn = Client(), 0
while not os.path.exists("stop"):
    if os.path.exists(f"turn-{turn + 1}"):
        turn += 1
        futures = client.map([short, long][turn - 1], range(100 * turn, 100 * turn + 16))
        print("turn", turn, sum(client.gather(futures)), flush=True)
        del futures
    time.sleep(0.2)
"""


@dataclass(frozen=True)
class Impatient(Here):
    """A user whose runs look often at what changes, and where three worker jobs run at once."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}


@dataclass(frozen=True)
class Living:
    """A run of WORKLOAD with one worker in each worker job."""

    run: Run

    def scale(self, *words: str) -> str:
        """Ask for another number of workers; gives what is said."""
        asked = self.run.here.command("scale", self.run.id, *words)
        assert asked.returncode == 0, asked.stderr
        return asked.stderr

    def pool(self) -> dict[str, Any]:
        """What the run's keeper told last; nothing if nobody has asked yet."""
        found: dict[str, Any] = self.run.status()["pools"].get("workers", {})
        return found

    def reaches(self, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Wait until it stands so, and print how long that took: for those who want to know (pytest -s)."""
        begin = time.monotonic()
        until(lambda: (found := self.pool()) and condition(found), what)
        print(f"{what}: after {time.monotonic() - begin:.1f} s")

    def begin_turn(self, number: int) -> None:
        """Have it compute: 16 tasks of a second, or in turn 2 of five."""
        (self.run.here.project / f"turn-{number}").touch()

    def has_begun_tasks(self) -> bool:
        return (self.run.here.project / "began").exists()

    def ends_turn(self, number: int) -> None:
        """The tasks of this turn have the right results, and each of all turns began once."""
        self.run.until_printed(f"turn {number} {sum(range(100 * number, 100 * number + 16))}")
        began = Counter((self.run.here.project / "began").read_text().split())
        assert began == {str(100 * each + task): 1 for each in range(1, number + 1) for task in range(16)}

    def stop(self) -> None:
        (self.run.here.project / "stop").touch()

    def lives_from_one_to_three_and_back(self, in_the_middle: Callable[[], object] = lambda: None) -> None:
        """Grow, shrink while tasks run, adapt to none and to some; `in_the_middle` is called in the middle."""
        self.run.until_running()
        assert self.scale("--workers", "3").startswith("3 workers are wanted, in 3 worker jobs")
        self.reaches(lambda now: now["connected"] == 3, "three workers")
        in_the_middle()
        self.begin_turn(1)
        until(self.has_begun_tasks, "a task to begin")
        self.scale("--jobs", "1")
        self.reaches(lambda now: now["connected"] == 1 and not now["draining"], "one worker")
        self.ends_turn(1)
        self.scale("--minimum", "0", "--maximum", "3")
        self.reaches(lambda now: now["mode"] == "adaptive" and now["connected"] == 0, "no worker without tasks")
        assert self.run.status()["state"] == "running"
        self.begin_turn(2)
        self.reaches(lambda now: now["connected"] >= 2, "workers for the tasks that wait")
        self.ends_turn(2)
        self.reaches(lambda now: now["connected"] == 0, "no worker without tasks, again")
