"""Runs on the test cluster, by its ordinary user on its login host."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.hosts import Cluster
from tests.local.living import INTERVALS
from tests.local.runs import Here, Run

LISTINGS = {
    "testcluster": ["squeue", "--noheader", "--user=hpcuser"],
    "gridcluster": ["qstat", "-u", "hpcuser"],
}
"""Site → what prints the user's jobs, and nothing else."""


@dataclass(frozen=True)
class There(Here):
    """The ordinary user of the test cluster, in a project directory of their own."""

    cluster: Cluster = None  # type: ignore[assignment]  # always given, by `at`

    @classmethod
    def at(cls, cluster: Cluster) -> There:
        project = cluster.home / f"project-{secrets.token_hex(3)}"
        project.mkdir()
        shutil.chown(project, "hpcuser", "hpcuser")
        python = str(cluster.venv / "bin" / "python")
        return cls(project, cluster.home, "testcluster", python, cluster)

    def command(
        self, *words: str, timeout: float = 180, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = ("hpc-launch", *words)
        return self.cluster.run(words, cwd=self.project, timeout=timeout, env=env, check=False)

    def typed(self, command: str) -> tuple[int, str]:
        line = ["bash", "-o", "pipefail", "-c", f"exec 2>&1; {command}"]
        done = self.cluster.run(line, cwd=self.project, timeout=120, check=False)
        return done.returncode, done.stdout

    def write(self, name: str, text: str) -> None:
        """A file of the user's in the project."""
        (self.project / name).write_text(text)
        shutil.chown(self.project / name, "hpcuser", "hpcuser")

    def profile(self, command: list[str] | str | None, **keys: Any) -> str:
        return super().profile(command, **{"walltime": "00:05:00", **keys})


@dataclass(frozen=True)
class Impatient(There):
    """A user whose runs look often at what changes."""

    def command(
        self, *words: str, timeout: float = 180, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return super().command(*words, timeout=timeout, env={**(env or {}), "HPC_LAUNCH_INTERVALS": INTERVALS})


def slots_example(there: There) -> Run:
    """The example `subprocess-slots` in one job of three nodes, run to its end."""
    profile = str(there.home / "examples/subprocess-slots/profile.yaml")
    changes = ("layout=single-job", "workers.count=3", "workers.minimum=3")
    words = [word for change in changes for word in ("--set", change)]
    done = there.command("submit", profile, "--site", there.site, *words, "--wait")
    assert done.returncode == 0, done.stderr
    return Run(there, done.stdout.strip())


def slurm(cluster: Cluster, *words: str, check: bool = True) -> str:
    """What a command of Slurm prints to the ordinary user."""
    return cluster.run(words, check=check).stdout


def job_of(run: Run) -> str:
    """The run's job id."""
    job: str = run.status()["jobs"][0]["id"]
    return job


def log_lines(run: Run, part: str) -> list[str]:
    """All lines that a part of the run has written."""
    files = sorted((run.directory / "logs").glob(f"{part}*.log"))
    return [line for file in files for line in file.read_text(errors="replace").splitlines()]


def processes_of(directory: Path) -> list[str]:
    """Every process on any host that belongs to a run; the machine under the hosts sees them all."""
    mark = f"HPC_LAUNCH_RUN_DIR={directory}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(f"{entry.name} {os.fsdecode((entry / 'cmdline').read_bytes())}")
        except OSError:
            continue
    return found
