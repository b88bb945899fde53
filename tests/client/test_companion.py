"""What is started beside a process ends with it, also where that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from hpc_launch.client.companion import Companion
from tests.conftest import ROOT
from tests.local.runs import PATIENCE, until

START = """
import sys, time
from hpc_launch.client.companion import Companion
companion = Companion(["sh", "-c", "echo $$ >pid; exec sleep 1000"], own_session=True)
print("started", flush=True)
time.sleep(1000)
"""


def test_it_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", START]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout and maker.stdout.readline() == "started\n"
        file = tmp_path / "pid"
        pid = int(until(lambda: file.exists() and file.read_text().strip(), "it to tell its number"))
        maker.kill()
        assert maker.wait(PATIENCE) < 0
    until(lambda: not Path(f"/proc/{pid}").exists(), "it to end")


def test_its_last_words_are_kept_and_closing_it_twice_is_no_fault() -> None:
    companion = Companion(["sh", "-c", "echo first >&2; echo last >&2; exit 3"], own_session=True)
    assert companion.wait() == "last" and companion.has_ended
    companion.close()
    silent = Companion(["sleep", "1000"], own_session=True)
    assert not silent.has_ended
    silent.close()
    silent.close()
    assert silent.has_ended


def session_of(process: Path) -> int | None:
    with suppress(OSError):  # it has ended just now
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    return None


def test_what_ended_long_ago_leaves_nobody_who_would_end_another_process_of_its_number() -> None:
    companion = Companion(["true"], own_session=True)
    assert companion.wait() == "exit code 0"
    session = companion.shell.pid
    until(lambda: session not in map(session_of, Path("/proc").glob("[0-9]*")), "all of it to be gone")
    companion.close()
