"""Real runs on this machine: a profile, the command line, and what is left afterwards."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.commands import Result, command, inside

PATIENCE = 60
"""Seconds after which a test gives up; nothing is measured with it."""


def until(condition: Callable[[], Any], what: str, *, pause: float = 0.1, patience: float = PATIENCE) -> Any:
    """Wait for something to become true; looks every `pause` seconds, gives up after `patience`."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        if value := condition():
            return value
        time.sleep(pause)
    raise TimeoutError(f"waited {patience:g} s in vain: {what}")


@dataclass(frozen=True)
class Here:
    """A user of this machine with a home and a project directory of their own."""

    project: Path
    home: Path
    site: str = "local"
    python: str = sys.executable

    def command(self, *words: str) -> Result:
        """`hpc-launch WORDS` in the project directory."""
        return inside(words, self.project, self.environment())

    def command_in_its_own_process(self, *words: str) -> Result:
        """The same, as a shell starts it."""
        return subprocess.run(
            command(*words), cwd=self.project, env=self.environment(), capture_output=True, text=True, timeout=120
        )

    def typed(self, command: str) -> tuple[int, str]:
        """Exit code of a line that a shell in the project directory reads, and all that it prints."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.project,
            env={**self.environment(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home), "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}

    def profile(self, command: list[str] | str | None, **keys: Any) -> str:
        """Write a profile of one small worker; gives its name. Without a command it is one of a standing cluster."""
        least: dict[str, Any] = {
            "site": self.site,
            "name": "test",
            "workers": {"count": 1, "memory": "300 MB", **keys.pop("workers", {})},
            "scheduler": {"memory": "100 MB"},
            "workload": {"command": command, "memory": "100 MB"} if command else "none",
        }
        # A name of its own for each: several runs may be under way at once.
        name = f"profile-{secrets.token_hex(4)}.yaml"
        (self.project / name).write_text(yaml.safe_dump({**least, **keys}, allow_unicode=True))
        return name

    def script(self, lines: str) -> list[str]:
        """The command that runs these lines of Python."""
        name = f"work-{secrets.token_hex(4)}.py"
        (self.project / name).write_text(lines + "\n")
        return [self.python, name]

    def end_all(self) -> None:
        """End what a failed test has left running."""
        for run in json.loads(self.command("list", "--json").stdout)["runs"]:
            if run["outcome"] is None:
                self.command("cancel", run["run"])

    def stand(self, **keys: Any) -> Run:
        """Submit a standing cluster, without waiting."""
        return self.submit(None, **keys)

    def submit(self, command: list[str] | str | None, **keys: Any) -> Run:
        """Submit it, without waiting."""
        done = self.command("submit", self.profile(command, **keys))
        assert done.returncode == 0, done.stderr
        return Run(self, done.stdout.strip())


@dataclass(frozen=True)
class Run:
    """A run, looked at from outside."""

    here: Here
    id: str

    @cached_property
    def directory(self) -> Path:
        return Path(self.status()["directory"])

    def status(self) -> dict[str, Any]:
        done = self.here.command("status", self.id, "--json")
        assert done.returncode == 0, done.stderr
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def wait(self) -> int:
        return self.here.command("wait", self.id).returncode

    @property
    def shell(self) -> int:
        """The process of the first job's shell."""
        return int(self.status()["jobs"][0]["id"].split(":")[1])

    def event(self, word: str) -> bool:
        """Whether the first attempt has told this."""
        events = self.directory / "state" / "1" / "events"
        return events.exists() and word in [line.split()[1] for line in events.read_text().splitlines()]

    def until_running(self) -> None:
        until(lambda: self.event("workload"), "the workload to start")
        assert self.status()["state"] == "running"

    def until_printed(self, words: str) -> None:
        """Until the workload has, as a line of its own."""
        log = self.directory / "logs" / "workload.log"
        until(lambda: log.exists() and words in log.read_text().splitlines(), f"the workload to print {words!r}")

    def log(self, of: str = "workload") -> str:
        return self.here.command("logs", self.id, "--of", of).stdout

    def processes(self) -> list[int]:
        """Every process of this run: they all carry its directory in their environment."""
        mark = f"HPC_LAUNCH_RUN_DIR={self.directory}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    mark in (entry / "environ").read_bytes().split(b"\0")
                    and b"\nState:\tZ" not in (entry / "status").read_bytes()
                ):
                    found.append(int(entry.name))
            except OSError:  # it ended, or is not ours
                continue
        return found

    def ended_as(self, outcome: str, exit_code: int) -> dict[str, Any]:
        """Assert that `wait`, `status --json` and the exit codes agree, and that nothing is left."""
        assert self.wait() == exit_code
        status = self.status()
        assert (status["state"], status["outcome"], status["exit_code"]) == (outcome, outcome, exit_code), status
        until(lambda: not self.processes(), "every process of the run to end")
        return status
