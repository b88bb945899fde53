"""A run that grows and shrinks on this machine, by commands alone: what was asked for comes, and no task runs twice."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.commands import command
from tests.local.living import WORKLOAD, Impatient, Living
from tests.local.runs import Here, Run, until

SITE = "schema: 1\nname: three\nextends: local\nlimits: {running: {jobs: 3}}\n"


@pytest.fixture
def user(here: Here) -> Impatient:
    user = Impatient(here.project, here.home, "./three.yaml")
    (user.project / "three.yaml").write_text(SITE)
    return user


@pytest.fixture
def living(user: Impatient) -> Living:
    """A run with one worker."""
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


def test_whoever_waits_for_its_end_keeps_it_where_its_jobs_may_not(user: Impatient) -> None:
    (user.project / "three.yaml").write_text(SITE + "submit_from_compute: false\n")
    waits = "import os, time\nwhile not os.path.exists('stop'): time.sleep(0.1)"
    profile = user.profile(user.script(waits), layout="job-array", workers={"per_node": 1}, name="waited")
    words = command("submit", profile, "--wait", "--run-dir", "run")
    with subprocess.Popen(words, cwd=user.project, env=user.environment(), stderr=PIPE, text=True) as process:
        run = Run(user, str(user.project / "run"))
        until((user.project / "run/state/1/ready").exists, "the workload to start")
        living = Living(run)
        living.scale("--workers", "2")
        living.reaches(lambda now: now["connected"] == 2, "two workers")
        living.stop()
        assert process.wait(60) == 0
    run.ended_as("succeeded", 0)
    assert not (user.project / "run/pool/lease").exists()


def test_a_cancel_in_the_middle_of_growing_leaves_nothing(living: Living) -> None:
    living.run.until_running()
    living.scale("--workers", "6")
    living.reaches(lambda now: now["queued"] >= 1, "worker jobs that wait")
    assert living.run.here.command("cancel", living.run.id).returncode == 0
    living.run.ended_as("cancelled", 1)


@contextmanager
def keeper_of(run: Run) -> Iterator[subprocess.Popen[str]]:
    words = command("keep", run.id, "--json")
    place, environment = run.here.project, run.here.environment()
    with subprocess.Popen(words, cwd=place, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_where_jobs_may_not_speak_to_the_batch_system_it_is_kept_from_here(user: Impatient) -> None:
    """Ended and started again it takes over, a second one is refused, and with the run it ends."""
    (user.project / "three.yaml").write_text(SITE + "submit_from_compute: false\n")
    living = Living(user.submit(user.script(WORKLOAD), layout="job-array", workers={"per_node": 1}))
    run = living.run
    run.until_running()
    with keeper_of(run) as first:
        assert "`hpc-launch keep" in living.scale("--workers", "2")
        living.reaches(lambda now: now["connected"] == 2, "two workers")
        second = user.command("keep", run.id)
        assert second.returncode == 2 and f":{first.pid} looks after this run's worker jobs already" in second.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 128 + signal.SIGINT
        assert first.stderr and "the run goes on" in first.stderr.read()
    living.scale("--workers", "1")
    with keeper_of(run) as again:
        living.reaches(lambda now: now["connected"] == 1, "one worker")
        living.stop()
        assert again.wait(60) == 0
        assert again.stdout and json.loads(again.stdout.read())["outcome"] == "succeeded"
    run.ended_as("succeeded", 0)
    refused = user.command("keep", run.id)
    assert refused.returncode == 2 and "is over: succeeded" in refused.stderr
