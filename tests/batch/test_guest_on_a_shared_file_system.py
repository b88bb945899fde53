"""While nothing happens to a run, it leaves the file system of its directory alone, and starts no program."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.batch.looks import Looks
from tests.batch.on_pbs import OnPbs
from tests.local.runs import until

STRETCH = 15
"""Seconds in which a quiet run is watched."""
ALLOWED = 2
"""Operations in that time: one for each who comes, the shell and what writes in the scheduler."""
PROGRAMS = ("cat", "date", "find", "grep", "ls", "ps", "sed", "sleep", "stat", "tail", "tr", "uname", "wc")


def count_programs(pbs: OnPbs) -> Path:
    """Put programs before the real ones that tell each time they are started; gives the file in which they do."""
    told = pbs.jobs.parent / "started"
    for name in PROGRAMS:
        program = pbs.programs / name
        program.write_text(f"#!/bin/bash\necho {name} >>'{told}'\nexec '{shutil.which(name)}' \"$@\"\n")
        program.chmod(0o755)
    return told


@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_a_quiet_run_is_a_guest_on_the_shared_file_system(pbs: OnPbs, layout: str) -> None:
    started = count_programs(pbs)
    run = pbs.submit("sleep 300", layout=layout, workers={"count": 2, "per_node": 1 if layout == "job-array" else 2})
    run.until_running()
    with Looks(run.directory) as looks:

        def quiet() -> bool:
            looks.since_then()
            time.sleep(5)
            return not looks.since_then()

        until(quiet, "the run to be quiet for a few seconds")
        before = started.read_text()
        time.sleep(STRETCH)
        assert len(seen := looks.since_then()) <= ALLOWED, seen
        programs = started.read_text().removeprefix(before).split()
        assert programs == []
