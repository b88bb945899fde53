"""Tasks that ask for what no worker has wait for ever: Dask says nothing, and whoever waits for the run is told."""

from __future__ import annotations

import json
import subprocess

import pytest

from hpc_launch.client.shown import Shown
from hpc_launch.runs.demand import Unsatisfiable, read_unsatisfiable
from tests.commands import command
from tests.local.runs import Here, Run, until

WORKLOAD = """
import os, time
from dask.distributed import Client

with Client() as client:
    futures = [client.submit(len, "a", key="one", resources={"gold": 2}), client.submit(len, "a", key="two")]
    futures.append(client.submit(len, "a", key="three", resources={"silver": 1}))
    while not os.path.exists("stop"):
        if os.path.exists("more") and len(futures) == 3:
            futures.append(client.submit(len, "a", key="four", resources={"gold": 2}))
        time.sleep(0.2)
"""


def unsatisfiable(run: Run) -> list[object]:
    found: list[object] = run.status()["unsatisfiable"]
    return found


def test_whoever_waits_for_a_run_is_told_once(here: Here) -> None:
    """In one job, whose workers are all alike."""
    profile = here.profile(here.script(WORKLOAD), workers={"resources": {"silver": 1}})
    words = command("submit", profile, "--wait")
    waiting = subprocess.Popen(
        words, cwd=here.project, env=here.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        until(lambda: json.loads(here.command("list", "--json").stdout)["runs"], "the run to be submitted")
        run = Run(here, json.loads(here.command("list", "--json").stdout)["runs"][0]["run"])
        until(lambda: unsatisfiable(run) == [{"resources": {"gold": 2}, "tasks": 1}], "it to be told")
        (here.project / "more").touch()
        until(lambda: unsatisfiable(run) == [{"resources": {"gold": 2}, "tasks": 2}], "it to be told anew")
        assert "never run  2 tasks ask for gold=2, which no worker has" in here.command("status", run.id).stdout
        (here.project / "stop").touch()
        _, said = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
        waiting.wait()
    assert waiting.returncode == 0
    assert said.count("never run: ") == 1 and "never run: 1 task asks for gold=2, which no worker has" in said
    run.ended_as("succeeded", 0)
    assert unsatisfiable(run) == []


def test_a_widget_tells_it_too() -> None:
    shown = Shown()
    shown._pools, shown._why, shown._unsatisfiable = {}, "", (Unsatisfiable({"gold": 2.0}, 3),)
    assert shown._waiting() == ["3 tasks ask for gold=2, which no worker has"]


@pytest.mark.parametrize("told", [None, 7, [None], [{"resources": {"gold": "much"}, "tasks": 1}], [{"tasks": 1}]])
def test_what_nobody_can_read_is_not_told(told: object) -> None:
    assert read_unsatisfiable({"unsatisfiable": told}) == ()
