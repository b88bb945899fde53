"""A run directory, its jobs in `batch_commands.py`, and a scheduler that writes what the real one would."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hpc_launch.keeper.intervals import Intervals
from hpc_launch.keeper.lease import Lease
from hpc_launch.keeper.loop import Keeper

NAME = "study-abc123"
GROUP = {"file": "workers.sh", "count": 0, "per_node": 1, "array_limit": 10}
QUICK = Intervals(look=0.1, quiet=0.1, ask=0.1, submit=0.1, patience=0.2, find=0.5, renew=0.5, stale=5.0)


class World:
    """One run, whose scheduler's job has begun."""

    def __init__(self, place: Path, **groups: Mapping[str, Any]) -> None:
        self.batch, self.directory = place / "batch", place / "run"
        self.state = self.directory / "state" / "1"
        for each in (self.batch / "jobs", self.directory / "pool", self.directory / "control", self.state):
            each.mkdir(parents=True)
        commands = {"submit": "sbatch", "status": "squeue", "cancel": "scancel", "history": "sacct"}
        source = Path(__file__).with_name("batch_commands.py").read_text()
        for program in commands.values():
            (self.batch / program).write_text(f"#!{sys.executable} -IS\n{source}")
            (self.batch / program).chmod(0o755)
        self.write(
            "pool/groups.json",
            run=NAME,
            batch_system="slurm",
            commands={purpose: [str(self.batch / program)] for purpose, program in commands.items()},
            submit_stdin=None,
            groups=groups or {"workers": GROUP},
        )
        (self.directory / "state" / "attempt").write_text("1\n")
        (self.state / "events").write_text(f"{time.time():.0f} started here 1\n")
        self.serial = 0
        self.needs = 0
        """Workers that the tasks need."""
        self.busy: set[int] = set()
        """Elements with tasks."""
        self.tell()

    def write(self, name: str, **content: Any) -> None:
        path = self.directory / name
        path.with_suffix(".new").write_text(json.dumps({"schema": 1, **content}))
        os.replace(path.with_suffix(".new"), path)

    def read(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.directory / name).read_text())
        return document

    def wish(self, **targets: Any) -> None:
        """`wish(workers=3)`, or `wish(workers={"minimum": 0, "maximum": 4})`."""
        self.serial += 1
        groups = {name: each if isinstance(each, dict) else {"target": each} for name, each in targets.items()}
        self.write("control/scale.json", serial=self.serial, groups=groups)

    def keeper(self, every: Intervals = QUICK) -> Keeper:
        """One that has the lease, in this process."""
        lease = Lease(self.directory / "pool" / "lease", every.stale)
        assert lease.take()
        return Keeper(self.directory, lease, every)

    # The batch system

    def said(self, command: str) -> list[str]:
        """The words of each call of a command."""
        file = self.batch / "said"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.removeprefix(f"{command} ") for line in lines if line.startswith(f"{command} ")]

    def jobs(self) -> dict[str, str]:
        """Id → name of every job that was ever taken."""
        return {job.name: (job / "name").read_text() for job in (self.batch / "jobs").iterdir()}

    def alive(self) -> dict[int, Path]:
        """Number → state file of each element that is not over."""
        numbers = {job: name.rpartition("-")[2] for job, name in self.jobs().items()}
        found = {}
        for job, number in numbers.items():
            first = self.read(f"pool/{number if number.isdecimal() else 1}.json")["first"]
            for file in (self.batch / "jobs" / job).iterdir():
                if file.name != "name":
                    found[first + (0 if file.name == "-" else int(file.name))] = file
        return found

    def submissions(self) -> list[dict[str, Any]]:
        files = [file for file in (self.directory / "pool").iterdir() if file.stem.isdecimal()]
        return [self.read(f"pool/{file.name}") for file in sorted(files, key=lambda file: int(file.stem))]

    # Elements and the scheduler

    def start(self, number: int) -> None:
        self.alive()[number].write_text("RUNNING")
        (self.state / "elements").mkdir(exist_ok=True)
        (self.state / "elements" / str(number)).write_text("host 1\n")

    def end(self, number: int) -> None:
        (self.state / "elements-gone").mkdir(exist_ok=True)
        os.rename(self.state / "elements" / str(number), self.state / "elements-gone" / str(number))
        self.alive()[number].unlink()

    def running(self) -> set[int]:
        elements = self.state / "elements"
        return {int(file.name) for file in elements.iterdir()} if elements.exists() else set()

    def tell(self, connected: set[int] | None = None, **others: Any) -> None:
        """What the scheduler says: all that run are connected unless said otherwise."""
        connected = self.running() if connected is None else connected
        group = {"connected": len(connected), "elements_connected": sorted(connected), "demand": self.needs}
        told = {"time": time.time(), "groups": {"workers": group}, "spare": sorted(connected - self.busy), **others}
        self.write(f"state/{self.state.name}/demand.json", **told)

    def go_on(self, start: bool = True) -> None:
        """What waits starts, what runs connects, and what retires ends."""
        for number, file in self.alive().items():
            if start and file.read_text() == "PENDING":
                self.start(number)
        retire = self.directory / "pool" / "retire.json"
        for number in self.read("pool/retire.json")["elements"] if retire.exists() else ():
            if int(number) in self.running():
                self.end(int(number))
        self.tell()

    def until(self, what: Callable[[], bool], step: Callable[[], object], looks: int = 400) -> None:
        for _ in range(looks):
            step()
            if what():
                return
            time.sleep(0.05)
        raise AssertionError(f"not within {looks} looks: {self.submissions()}, {sorted(self.alive())}")


def copy_of_the_package(place: Path) -> Path:
    """A directory for PYTHONPATH that holds what travels with a run, and nothing else of ours."""
    import hpc_launch.batch
    import hpc_launch.keeper

    for package in (hpc_launch.batch, hpc_launch.keeper):
        source = Path(str(package.__file__)).parent
        target = place / "hpc_launch" / source.name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return place
