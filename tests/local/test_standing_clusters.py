"""Standing clusters on this machine: they stay until they are closed, idle for too long, or out of walltime."""

from __future__ import annotations

import pytest

from tests.local.runs import Here

LAYOUTS = pytest.mark.parametrize("layout", ["single-job", "job-array"])


@LAYOUTS
def test_it_stands_until_it_is_closed(here: Here, layout: str) -> None:
    run = here.stand(layout=layout)
    run.until_running()
    closed = here.command("close", run.id)
    assert closed.returncode == 0, closed.stderr
    assert run.ended_as("succeeded", 0)["reason"] == "it was closed"


@LAYOUTS
def test_it_ends_when_it_was_idle_for_too_long(here: Here, layout: str) -> None:
    run = here.stand(layout=layout, scheduler={"idle_timeout": "2s"})
    assert run.ended_as("succeeded", 0)["reason"] == "it was idle for 2 s"
