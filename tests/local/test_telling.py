"""Runs that went wrong in a usual way say what to do about it: in the record, `status` and `wait`."""

from __future__ import annotations

import json

import pytest

from tests.local.runs import Here, Run
from tests.local.telling import EATING, OWN_CLUSTER, OWN_WORKERS, WITH_A_TASK, WITHOUT_A_TASK


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (OWN_CLUSTER, 0, "the workload never connected to them"),
        (WITHOUT_A_TASK, 0, "no task ran on its workers, though a client was connected"),
        (WITH_A_TASK, 0, None),
        (OWN_WORKERS, 1, "the run has workers already"),
        (EATING, 1, "raise workers.memory"),
    ],
)
def test_the_end_of_a_run_tells_what_to_do(here: Here, lines: str, code: int, words: str | None) -> None:
    done = here.command("submit", here.profile(here.script(lines)), "--wait")
    run = Run(here, done.stdout.strip())
    assert done.returncode == code, done.stderr
    status, record = run.status(), json.loads((run.directory / "run.json").read_text())
    assert record["outcome"]["hint"] == (status["hint"] or "")
    if words is None:
        assert status["hint"] is None and "hint" not in done.stderr
    else:
        assert words in status["hint"] and f"hint: {status['hint']}" in done.stderr.splitlines()


def test_a_program_of_several_lines_is_run_as_it_is_written(here: Here) -> None:
    program = 'import sys\nfor word in sys.argv[1:]:\n\tprint(f"[{word}]")\n'
    run = here.submit([here.python, "-c", program, "a\tb", "$HOME 'x'", "two\nlines\n"])
    run.ended_as("succeeded", 0)
    assert run.log() == "[a\tb]\n[$HOME 'x']\n[two\nlines\n]\n"
