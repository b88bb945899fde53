"""Launchers that are called once for each host: one that fails is seen at once, with its own last words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.lsf import BSUB, StandIn
from tests.local.runs import Run, until

HERE = """\
while :; do
  case $1 in -o) shift 2 ;; -*) shift ;; *) break ;; esac
done
host=$1
shift
[ "$host" != hostb ] || { FATE
}
eval "exec ${*#exec }"
"""
"""A launcher on this machine; like ssh it passes its words to a shell."""
SLEEP = ["sleep", "300"]
TWO_HOSTS = {"count": 2, "per_node": 1, "memory": "300 MB"}


@pytest.fixture
def lsf(tmp_path: Path) -> Iterator[StandIn]:
    for name in ("project", "home"):
        (tmp_path / name).mkdir()
    user = StandIn(tmp_path / "project", tmp_path / "home", "./standin.yaml")
    yield user
    user.end_all()


@pytest.mark.parametrize("launcher", ["blaunch", "ssh"])
def test_a_launcher_that_fails_on_the_second_host_ends_the_launch_with_its_words(lsf: StandIn, launcher: str) -> None:
    lsf.launched_by(launcher)
    lsf.program(launcher, HERE.replace("FATE", "printf 'connect to hostb: Connection refused\\r\\n' >&2; exit 255"))
    run = lsf.submit(SLEEP, workers=TWO_HOSTS)
    status = run.ended_as("launch-failed", 1)
    assert status["reason"] == f"hostb: {launcher} ended with exit code 255: connect to hostb: Connection refused"
    assert "Connection refused" in run.log("job")


def test_a_launcher_that_is_not_there_is_named(lsf: StandIn) -> None:
    lsf.launched_by("blaunch")
    status = lsf.submit(SLEEP, workers=TWO_HOSTS).ended_as("launch-failed", 1)
    assert status["reason"].startswith("hosta: blaunch ended with exit code 127: ")
    assert status["reason"].endswith("blaunch: command not found")


def test_a_host_that_does_not_see_the_run_directory_is_told(lsf: StandIn) -> None:
    lsf.launched_by("blaunch")
    lsf.program("blaunch", HERE.replace("FATE", 'echo "$1: ${2//\\\\/}: No such file or directory" >&2; exit 127'))
    reason = lsf.submit(SLEEP, workers=TWO_HOSTS).ended_as("launch-failed", 1)["reason"]
    assert reason == "hostb: it cannot see the run directory: is storage.runs shared by all nodes?"


@pytest.mark.parametrize("passes_on", ['eval "exec $*"', 'exec "$@"'])
def test_quotes_that_a_launcher_does_not_take_away_are_not_given_to_it(lsf: StandIn, passes_on: str) -> None:
    lsf.launched_by("blaunch")
    lsf.program("blaunch", f"shift\n{passes_on}\n")
    profile = lsf.profile(["true"], workers=TWO_HOSTS)
    done = lsf.command("submit", profile, "--run-dir", str(lsf.project / "a run"))
    assert done.returncode == 0, done.stderr
    Run(lsf, str(lsf.project / "a run")).ended_as("succeeded", 0)


def test_with_a_smaller_minimum_one_that_fails_leaves_the_others_alone(lsf: StandIn) -> None:
    lsf.launched_by("blaunch")
    lsf.program("blaunch", HERE.replace("FATE", "echo 'host is closed' >&2; exit 255"))
    gate = lsf.project / "gate"
    run = lsf.submit(f"until [ -e {gate} ]; do sleep 0.2; done", workers={**TWO_HOSTS, "minimum": 1})
    run.until_running()
    unfit = until(lambda: run.status()["unfit"], "the host that failed to be told")
    assert unfit == {"hostb": "blaunch ended with exit code 255: host is closed"}
    gate.touch()
    run.ended_as("succeeded", 0)


def test_workers_that_end_on_one_host_alone_end_the_launch(lsf: StandIn) -> None:
    lsf.launched_by("ssh")
    lsf.program("ssh", HERE.replace("FATE", "exit 3"))
    status = lsf.submit(SLEEP, workers=TWO_HOSTS).ended_as("launch-failed", 1)
    assert status["reason"].startswith("hostb: ssh ended with exit code 3")


@pytest.mark.parametrize("launcher", ["blaunch", pytest.param("ssh", marks=pytest.mark.long), "here"])
def test_the_warning_at_lsfs_run_limit_ends_the_run_in_order(lsf: StandIn, launcher: str) -> None:
    lsf.launched_by(launcher)
    hosts = 1 if launcher == "here" else 2
    lsf.program("bsub", BSUB.replace("hosta hostb", " ".join(["hosta", "hostb"][:hosts])))
    lsf.program(launcher, HERE.replace("FATE", ":"))
    run = lsf.submit(SLEEP, workers={**TWO_HOSTS, "count": hosts})
    run.until_running()
    lsf.warn()
    assert run.ended_as("timeout", 1)["reason"] == "the walltime was used up"
    assert list(lsf.scratch.rglob("worker-*")) == []
