"""Runs on a batch system that answers less than it was asked, as a user's shell sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.runs import settle, status
from hpc_launch.runs.cancel import Patience, cancel
from hpc_launch.runs.submit import submit
from tests.batch.recording import Program
from tests.conftest import ROOT
from tests.runs.jobs import SUCCEEDS, Prepare, batch_commands, rendered

PROFILE = "layout: job-array\nworkers: {count: 2, per_node: 1, memory: 100 MB}\nworkload: {command: x}\n"
OF_2026 = """
jobs=''
for id; do
  case $id in [0-9]*) ;; *) continue ;; esac
  if grep -qF " $id" called-off; then echo "qstat: Unknown Job Id $id" >&2; code=153; continue; fi
  jobs=${jobs:-", \\"Jobs\\": {\\"$id\\": {\\"job_state\\": \\"R\\"}}"}
  text="$text"'Job Id: '$id$'\\n''    job_state = R'$'\\n'
done
case "$*" in *json*) echo "{\\"pbs_version\\": \\"23.06.06\\"$jobs}" ;; *) printf %s "$text" ;; esac
exit ${code-0}
"""
"""As JSON it answers for the first job alone, with 0 and without a word of the others."""


@pytest.fixture
def hpc_launch(context: Context, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A command in a process of its own."""
    (tmp_path / "called-off").touch()
    environment = {**context.environment, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hpc_launch", *words]
        path = {"PATH": os.environ["PATH"]}  # with the programs of the test
        return subprocess.run(
            command, env={**environment, **path}, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_runs_are_not_lost_by_a_qstat_that_answers_for_the_first_alone(
    hpc_launch: Callable[..., subprocess.CompletedProcess[str]], program: Program, tmp_path: Path
) -> None:
    here = f"cd {tmp_path}\n"
    program(
        "qsub", f'{here}echo x >>count; n=$(wc -l <count)\ncase "$*" in *workers*) n="$n[]" ;; esac; echo $n.server'
    )
    program("qstat", here + OF_2026)
    for name in ("qdel", "qsig"):
        program(name, f'{here}echo "{name} $*" >>called-off')
    (tmp_path / "profile.yaml").write_text(PROFILE)
    for _ in range(3):
        done = hpc_launch("submit", "profile.yaml", "--site", "pbscluster")
        assert done.returncode == 0, done.stderr
    for _ in range(2):
        runs = json.loads(hpc_launch("list", "--json").stdout)["runs"]
        assert [run["state"] for run in runs] == ["starting"] * 3
    assert all((Path(run["directory"]) / "tls").exists() for run in runs)
    assert (tmp_path / "called-off").read_text() == ""
    done = hpc_launch("cancel", runs[0]["run"])
    assert "over already" not in done.stderr
    assert " 5.server" in (tmp_path / "called-off").read_text()


TOLD_TO_END = SUCCEEDS.replace("finish succeeded 0", "finish cancelled 1")


def test_a_run_that_was_told_to_end_is_not_over_while_the_batch_system_does_not_say_so(
    prepared: Prepare, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been queued again, and need its key: a preempted job sees no more than a TERM."""
    monkeypatch.setattr(settle, "SETTLES_AFTER", timedelta(0))
    plan = rendered(prepared, TOLD_TO_END, security="tls", site="testcluster")
    scripts = {"submit": "bash job.sh >&2; echo 36", "status": "exit 0", "cancel": f"echo $* >>{tmp_path}/called-off"}
    directory, _ = submit(replace(plan, commands=batch_commands(tmp_path, **scripts)), context, Path("run"))
    for _ in range(3):
        assert not status.bring_up_to_date(directory).final and (directory / "tls").exists()
    said: list[str] = []
    view = cancel(directory, said.append, Patience(orderly=0.1, gone=0.1, ask=0.05, look=0.05))
    assert view.standing.outcome == "cancelled" and not any("over already" in words for words in said)
    assert (tmp_path / "called-off").read_text() == "36\n"  # also if it waits in the queue again
    assert not (directory / "tls").exists()
