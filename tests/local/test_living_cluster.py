"""A run that grows and shrinks on this machine, by commands alone: what was asked for comes, and no task runs twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.living import INTERVALS, WORKLOAD, Living
from tests.local.runs import Here

SITE = "schema: 1\nname: three\nextends: local\nlimits: {running: {jobs: 3}}\n"


@dataclass(frozen=True)
class Impatient(Here):
    """A user whose runs look often at what changes, and where three worker jobs run at once."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": INTERVALS}


@pytest.fixture
def living(here: Here) -> Living:
    """A run with one worker."""
    user = Impatient(here.project, here.home, "./three.yaml")
    (user.project / "three.yaml").write_text(SITE)
    return Living(user.submit(user.script(WORKLOAD), layout="job-array", workers={"per_node": 1}))


def test_it_grows_shrinks_adapts_to_its_tasks_and_ends(living: Living) -> None:
    living.lives_from_one_to_three_and_back()
    run = living.run
    jobs = run.status()["jobs"]
    submitted = sorted(Path(run.directory, "pool").glob("[0-9]*.json"))
    assert len(jobs) == 1 + len(submitted) and all(job["id"] for job in jobs)
    assert [re.sub(r"-\d+$", "", job["name"]) for job in jobs] == ["scheduler", *["workers"] * len(submitted)]
    living.stop()
    run.ended_as("succeeded", 0)
    assert "Traceback" not in (run.directory / "logs/keeper.log").read_text()


def test_a_cancel_in_the_middle_of_growing_leaves_nothing(living: Living) -> None:
    living.run.until_running()
    living.scale("--workers", "6")
    living.reaches(lambda now: now["queued"] >= 1, "worker jobs that wait")
    assert living.run.here.command("cancel", living.run.id).returncode == 0
    living.run.ended_as("cancelled", 1)
