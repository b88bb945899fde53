"""A node is looked at by the Python that becomes its workers, and by no other; where it does not run, that is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.listening import free_range, in_use
from tests.local.networks import of_site
from tests.local.runs import Here

LAYOUTS: dict[str, dict[str, Any]] = {
    "single-job": {},
    "job-array": {"workers": {"count": 2, "per_node": 1, "minimum": 2}},
    "mpi": {"workers": {"count": 2}},
}
OF_A_NODE = {"single-job": "workers", "job-array": "workers", "mpi": "rank"}
"""What a node's Python is started for."""


def python_first_on_path(here: Here, lines: str) -> Path:
    """A Python that does these lines of the shell's before it runs."""
    python = here.project / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\n{lines}\nexec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_python_that_runs_on_the_schedulers_host_alone_is_told(here: Here, layout: str) -> None:
    fails = f'case "$*" in *"jobside {OF_A_NODE[layout]} "*) echo "no shared library" >&2; exit 127 ;; esac'
    python = python_first_on_path(here, fails)
    setup = f"export PATH='{python.parent}':$PATH"
    run = of_site(here).submit("echo never", environment={"setup": setup}, **LAYOUTS[layout], layout=layout)
    status = run.ended_as("launch-failed", 1)
    ((host, sentence),) = status["unfit"].items()
    which = f"{python} (put first on PATH by environment.setup; hpc-launch itself runs in {sys.executable})"
    assert sentence == f"{which} does not run, see logs/workers-{host}.log"
    assert sentence in status["reason"]
    assert "no shared library" in (run.directory / "logs" / f"workers-{host}.log").read_text()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_is_started_for_the_workers_and_none_to_look(here: Here, layout: str) -> None:
    python = python_first_on_path(here, f"echo \"$*\" >>'{here.project}/starts'")
    setup = f"export PATH='{python.parent}':$PATH"
    first, last = free_range(30)
    user = of_site(here, ports=f"{first}-{last}")
    run = user.submit("echo began", layout=layout, environment={"setup": setup}, **LAYOUTS[layout])
    run.ended_as("succeeded", 0)
    started = [line.partition("jobside")[2].split()[0] for line in (here.project / "starts").read_text().splitlines()]
    assert (
        sorted(started)
        == {
            "single-job": ["with_settings", "workers"],
            "job-array": ["with_settings", "workers", "workers"],  # one on each of two nodes
            "mpi": ["rank", "rank"],
        }[layout]
    )
    (told,) = (run.directory / "state/1/fit").iterdir()
    assert told.read_text().startswith("/tmp is ")
    assert not list((run.directory / "state/1").glob("starting-*"))


def test_where_workers_have_gpus_of_their_own_none_is_left_on_a_node_that_is_not_fit(here: Here) -> None:
    """The first of them looks for the ports of all."""
    first, last = free_range(6)  # as many as the run wants
    user = of_site(here, ports=f"{first}-{last}", resources={"gpus": "-gpus {n}"})
    given = {"setup": "export CUDA_VISIBLE_DEVICES=0,1"}
    with in_use(range(first, first + 1)):
        run = user.submit("echo never", environment=given, workers={"count": 2, "gpus": 1, "memory": "200 MB"})
        assert "too few of the ports" in run.ended_as("launch-failed", 1)["reason"]
    (log,) = (run.directory / "logs").glob("workers-*.log")
    assert log.read_text().count("too few of the ports") == 1
