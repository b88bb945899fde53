"""A login host of a batch system whose commands are `standin.py`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc_launch.batch.processes import works_in
from tests.commands import Result, forked, inside
from tests.conftest import SITES
from tests.local.runs import until

PROGRAMS = {
    "slurm": ("sbatch", "squeue", "scancel", "sacct", "scontrol"),
    "pbs": ("qsub", "qstat", "qdel", "qsig", "qselect"),
    "sge": ("qsub", "qstat", "qdel", "qacct"),
    "lsf": ("bsub", "bjobs", "bkill", "lsid"),
}
EXTENDED = {"slurm": "testcluster", "pbs": "pbscluster", "sge": "gridcluster", "lsf": "lsfcluster"}
"""Batch system → a site profile to begin with."""
SUBMIT = ("submit", "profile.yaml", "--site", "./own.yaml", "--run-dir", "run")


@dataclass(frozen=True)
class Login:
    """A user's login host whose batch system is `standin.py`."""

    place: Path
    system: str

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.place),
            "XDG_STATE_HOME": "",
            "XDG_CONFIG_HOME": "",
            "PATH": f"{self.place}/bin:{os.environ['PATH']}",
            "HPC_LAUNCH_SITE_PATH": str(SITES),
        }

    def command(self, *words: str) -> Result:
        return inside(words, self.place, self.environment())

    def submit(self, plan: str = "") -> Result:
        """In a process of its own, which can be hurt."""
        (self.place / "bin" / "plan").write_text(plan)
        done = forked(SUBMIT, self.place, self.environment())
        until(lambda: not works_in(str(self.run)), "the batch system's command to end")
        return done

    def submit_unhurt(self, plan: str) -> Result:
        (self.place / "bin" / "plan").write_text(plan)
        return self.command(*SUBMIT)

    def status(self) -> dict[str, Any]:
        done = self.command("status", "run", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def lines(self, name: str) -> list[str]:
        file = self.place / "bin" / name
        return file.read_text().splitlines() if file.exists() else []

    @property
    def run(self) -> Path:
        return self.place / "run"


def login_host(place: Path, system: str) -> Login:
    """A user there, in a directory that holds no `bin` yet; profile.yaml and own.yaml are for the test to write."""
    (place / "bin").mkdir()
    program = place / "bin" / "standin.py"
    shutil.copy(Path(__file__).with_name("standin.py"), program)
    program.write_text(f"#!{sys.executable} -SE\n{program.read_text()}")
    program.chmod(0o755)
    for name in PROGRAMS[system]:
        (place / "bin" / name).symlink_to(program)
    (place / "bin" / "kind").write_text(system + "\n")
    return Login(place, system)
