"""The dashboard of a run on this machine: its token opens it, is told nowhere, and goes with the run."""

from __future__ import annotations

import os
import signal
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.local.runs import Here, until
from tests.local.secrets_told import files_with, words_of_all_processes


def asked(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


@pytest.mark.parametrize("end", ["cancelled", "killed"])
def test_its_token_opens_it_is_told_nowhere_and_goes_with_the_run(here: Here, end: str) -> None:
    run = here.submit(["sleep", "60"])
    run.until_running()
    dashboard = run.status()["dashboard"]
    file = Path(dashboard["token_file"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text()
    assert (dashboard["lacks"], asked(dashboard["url"])) == (None, 403)
    until(lambda: asked(f"{dashboard['url']}?token={token}") == 200, "the dashboard")
    shown = here.command("status", run.id).stdout
    assert f"dashboard  {dashboard['url']} on {os.uname().nodename} itself\n" in shown and token not in shown
    assert files_with(run, token) == ["state/1/token"]
    assert token not in words_of_all_processes()
    if end == "killed":
        os.kill(run.shell, signal.SIGKILL)
        until(lambda: not files_with(run, token), "the scheduler to end")
        until(lambda: run.status()["outcome"], "the end to be noticed")
    else:
        here.command("cancel", run.id)
    assert files_with(run, token) == []
    assert run.status()["dashboard"] is None
