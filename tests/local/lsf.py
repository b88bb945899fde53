"""An LSF of this machine alone: stand-ins for its commands and for launchers, behind which real processes run."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.local.runs import Here

SITE = """\
name: standin
batch_system: lsf
launchers: {node: LAUNCHER}
memory: {directive: omit}
storage: {local: SCRATCH, local_kind: disk}
defaults: {queue: normal, walltime: 01:00:00}
queues:
  normal: {nodes: 3, cores: 4, memory: 16 GB}
"""
BSUB = """\
cat >submitted.sh
LSB_JOBID=7 LS_SUBCWD=$PWD LSB_HOSTS="hosta hostb" setsid bash submitted.sh </dev/null >>logs/job.log 2>&1 &
echo $! >LSF/pid
echo 'Job <7> is submitted to queue <normal>.'
"""
BJOBS = """\
if kill -0 "$(cat LSF/pid)" 2>/dev/null; then
  echo '7|-|RUN|-|-|hosta|test|-'
else
  echo 'Job <7> is not found' >&2
  exit 255
fi
"""
BKILL = """\
kill -TERM "$(cat LSF/pid)"
echo 'Job <7> is being terminated'
"""


@dataclass(frozen=True)
class StandIn(Here):
    """A user of a machine with LSF; the programs that the tests have written come first in the PATH."""

    @property
    def programs(self) -> Path:
        return self.project.parent / "lsf"

    @property
    def scratch(self) -> Path:
        return self.project.parent / "scratch"

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        return {**environment, "PATH": f"{self.programs}:{environment['PATH']}"}

    def program(self, name: str, text: str) -> None:
        """A bash script in place of a command; `LSF` in it is the directory of the stand-ins."""
        file = self.programs / name
        file.write_text("#!/bin/bash\n" + text.replace("LSF/", f"{self.programs}/"))
        file.chmod(0o755)

    def launched_by(self, launcher: str) -> None:
        """Make the machine, with this launcher on its site profile."""
        for directory in (self.programs, self.scratch):
            directory.mkdir()
        site = SITE.replace("LAUNCHER", launcher).replace("SCRATCH", str(self.scratch))
        (self.project / "standin.yaml").write_text(site)
        self.program("bsub", BSUB)
        self.program("bjobs", BJOBS)
        self.program("bkill", BKILL)

    def warn(self) -> None:
        """USR2 to every process of the job, as LSF does at the run limit."""
        leader = int((self.programs / "pid").read_text())
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(entry.name)) == leader:
                    os.kill(int(entry.name), signal.SIGUSR2)
            except ProcessLookupError:
                continue
