"""A user of a PBS of this host, whose jobs really run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.batch.pbs_stand_in import install
from tests.local.runs import Here

SITE = {
    "schema": 1,
    "name": "pbs-here",
    "batch_system": "pbs",
    "network": {"interface": "lo"},
    "storage": {"local": "$TMPDIR"},
    "account": "none",
    "submit_from_compute": True,
    "queues": {"workq": {"nodes": 4, "cores": 8, "memory": "8 GB", "walltime": "01:00:00"}},
    "defaults": {"walltime": "00:30:00"},
    "launchers": {"node": "pbsdsh", "mpi": "mpiexec"},
    "layouts": ["single-job", "job-array", "mpi"],
}


@dataclass(frozen=True)
class OnPbs(Here):
    """A user of a PBS of this host."""

    jobs: Path = Path()

    @property
    def programs(self) -> Path:
        """The directory that leads PATH, here and in jobs."""
        return self.jobs.parent / "bin"

    def environment(self) -> dict[str, str]:
        given = super().environment()
        return {**given, "PATH": f"{self.programs}:{given['PATH']}"}


def on_pbs(directory: Path) -> OnPbs:
    """A user with a home and a project, and the batch system itself, in an empty directory."""
    (directory / "project").mkdir()
    (directory / "home").mkdir()
    (directory / "project/pbs.yaml").write_text(yaml.safe_dump(SITE))
    return OnPbs(directory / "project", directory / "home", "./pbs.yaml", jobs=install(directory))
