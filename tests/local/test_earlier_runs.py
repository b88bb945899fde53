"""Runs on this machine that an earlier version started go on, and are ended, with this one."""

from __future__ import annotations

import json

import pytest

from tests.earlier.runs import Earlier
from tests.local.runs import Here, Run, until


@pytest.fixture
def earlier(here: Here) -> Earlier:
    return Earlier.of(here)


def test_a_run_is_shown_and_waited_for(here: Here, earlier: Earlier) -> None:
    work = "import os, sys, time\nwhile not os.path.exists('go'): time.sleep(0.1)\nprint('went'); sys.exit(7)"
    run = Run(here, earlier.submit(here.script(work)).id)
    version = json.loads((run.directory / "run.json").read_text())["version"]
    run.until_running()
    assert [one["state"] for one in json.loads(here.command("list", "--json").stdout)["runs"]] == ["running"]
    (here.project / "go").touch()
    run.ended_as("failed", 7)
    assert run.log() == "went\n" and not (run.directory / "tls").exists()
    record = json.loads((run.directory / "run.json").read_text())
    assert record["version"] == version and record["outcome"]["exit_code"] == 7


def test_a_run_is_cancelled(here: Here, earlier: Earlier) -> None:
    run = Run(here, earlier.submit(["sleep", "300"]).id)
    until(lambda: run.status()["state"] in ("starting", "running"), "the job to start")
    done = here.command("cancel", run.id)
    assert done.returncode == 0, done.stderr
    run.ended_as("cancelled", 1)
