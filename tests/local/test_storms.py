"""Worker jobs that cannot work: the run's keeper stops asking for them, says why, and harms no run that has others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.living import WORKLOAD, Impatient, Living
from tests.local.runs import Here, until

SITE = """
schema: 1
name: small
extends: local
limits: {running: {jobs: 6}, submitted: {jobs: 5}}
"""
LAMED = """
import os, threading
from pathlib import Path

lame = Path("{project}/lame")
{how}
"""
"""A preload of workers, imported by `dask worker`, and then by each of them; those that are there already go on."""
DIES = """
def dask_setup(worker):
    if lame.exists():
        threading.Timer(1, os._exit, [1]).start()
"""
CANNOT_START = """
if lame.exists():
    raise ImportError("lame")
"""


@pytest.fixture
def user(here: Here) -> Impatient:
    (here.project / "small.yaml").write_text(SITE)
    return Impatient(here.project, here.home, "./small.yaml")


def lamed(user: Impatient, how: str) -> Living:
    """A run with one good worker, whose next ones are lame."""
    (user.project / "lamed.py").write_text(LAMED.format(how=how, project=user.project))
    workers = {"per_node": 1, "options": ["--preload", str(user.project / "lamed.py")]}
    living = Living(user.submit(user.script(WORKLOAD), layout="job-array", workers=workers))
    living.run.until_running()
    (user.project / "lame").touch()
    return living


def recovers(living: Living) -> None:
    """What runs is unharmed, and another wish starts what was stopped."""
    living.begin_turn(1)
    living.ends_turn(1)
    (living.run.here.project / "lame").unlink()
    living.scale("--workers", "2")
    living.reaches(lambda now: now["connected"] == 2 and not now["paused"], "two workers")
    living.stop()
    living.run.ended_as("succeeded", 0)


@pytest.mark.long
def test_workers_that_die_after_a_second_stop_their_group_and_another_wish_starts_it_again(user: Impatient) -> None:
    living = lamed(user, DIES)
    living.scale("--workers", "4")
    living.reaches(lambda now: now["failed"] >= 1, "the first one that is given up")
    living.reaches(lambda now: "came back again and again, and finished no task" in str(now["paused"]), "the brake")
    assert "see logs/workers-*.log; `hpc-launch scale` starts them again" in living.pool()["paused"]
    assert living.pool()["failed"] >= 3
    assert "came back again and again" in living.run.here.command("status", living.run.id).stdout
    elements = living.run.directory / "state" / "1" / "elements"
    until(lambda: [element.name for element in elements.iterdir()] == ["0"], "the last lame one to be given up")
    recovers(living)


def test_worker_jobs_that_end_at_once_stop_their_group_and_another_wish_starts_it_again(user: Impatient) -> None:
    living = lamed(user, CANNOT_START)
    living.scale("--workers", "2")
    living.reaches(
        lambda now: "3 worker jobs in a row ended before a worker connected" in str(now["paused"]), "the brake"
    )
    assert len(list(Path(living.run.directory, "pool").glob("[0-9]*.json"))) == 4, "one that works, three that did not"
    recovers(living)


def test_a_wish_above_the_limit_of_submitted_jobs_is_met_as_far_as_it_goes(user: Impatient) -> None:
    living = Living(user.submit(user.script(WORKLOAD), layout="job-array", workers={"per_node": 1}))
    living.run.until_running()
    living.scale("--workers", "9")
    living.reaches(lambda now: now["connected"] == 4, "as many as the limit leaves beside the scheduler's job")
    sentence = "no more than 4 of its worker jobs may be submitted at one time"
    assert living.pool()["paused"] == sentence and living.pool()["target"] == 9
    until(lambda: sentence in living.run.here.command("status", living.run.id).stdout, "status to say why")
    living.stop()
    living.run.ended_as("succeeded", 0)
