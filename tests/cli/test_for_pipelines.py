"""What a pipeline reads: one document on stdout whatever comes, and an exit code for each kind of end."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.context import Context
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.submit import submit
from tests.commands import command, environment, hpc_launch
from tests.conftest import LEAST, SITES
from tests.runs.jobs import RUNS, Prepare, end, on_slurm, start

WRONG: dict[tuple[str, ...], str] = {
    ("nope",): "No such command 'nope'.",
    ("status", "--nope"): "No such option: --nope",
    ("submit",): "Missing argument 'PROFILE'.",
    ("cancel",): "Missing argument 'RUN'.",
    ("logs", "--of", "nope"): "'nope' is not one of 'workload'",
    ("scale", "x", "--workers", "many"): "'many' is not a valid int",
    ("site", "nope"): "No such command 'nope'.",
    ("schema",): "No such option: --json",
    ("list", "a"): "unexpected extra argument",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_a_document_too(context: Context, words: tuple[str, ...]) -> None:
    told = hpc_launch(context, *words, "--json")
    error = json.loads(told.stdout)["error"]
    (problem,) = error["problems"]
    assert (told.returncode, error["exit_code"]) == (2, 2)
    assert WRONG[words] in problem["message"] and problem["hint"].startswith("Usage: hpc-launch ")
    assert WRONG[words] in told.stderr, "people read it there"


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_without_json_it_is_said_on_stderr_alone(context: Context, words: tuple[str, ...]) -> None:
    told = hpc_launch(context, *words)
    assert words == ("schema",) or (told.returncode, told.stdout) == (2, "")


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def stopped(context: Context, number: signal.Signals, first: str, *words: str) -> tuple[int, Any, str]:
    """The code, the document and the talk of a command that gets a signal after a line that holds `first`."""
    with subprocess.Popen(
        command(*words),
        env=environment(context),
        cwd=context.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        seen = ""
        while first not in (line := process.stderr.readline()):
            assert line, seen
            seen += line
        process.send_signal(number)
        out, rest = process.communicate(timeout=30)
    return process.returncode, json.loads(out), seen + line + rest


@pytest.mark.parametrize("number", SIGNALS)
def test_who_stops_waiting_for_a_submission_hears_where_the_run_stands(
    context: Context, number: signal.Signals
) -> None:
    context.home.mkdir()
    text = "workers: {count: 1, memory: 100 MB}\nworkload: {command: [sleep, '600']}\n"
    (context.directory / "p.yaml").write_text(text)
    words = ("submit", "p.yaml", "--site", "local", "--set", "security=none", "--run-dir", "run", "--wait", "--json")
    code, told, said = stopped(context, number, "starting", *words)
    directory = context.directory / "run"
    try:
        record = read_record(directory)
        assert code == SIGNALS[number]
        assert (told["run"], told["outcome"], told["directory"]) == (record.id, None, str(directory))
        assert told["state"] in ("starting", "running") and "job.sh" in told["files"]
        assert said.startswith(f"{record.id}\n"), "it is told at once"
        assert f"the run goes on. Come back to it: hpc-launch wait {record.id}" in said and "Traceback" not in said
    finally:
        end(directory)


@pytest.mark.parametrize("number", SIGNALS)
def test_so_does_who_stops_waiting_for_runs(prepared: Prepare, context: Context, number: signal.Signals) -> None:
    (first, one), (second, other) = start(prepared, context, RUNS), start(prepared, context, RUNS)
    try:
        code, told, _ = stopped(context, number, "running", "wait", one, "--json")
        assert (code, told["run"], told["state"]) == (SIGNALS[number], one, "running")
        if number == signal.SIGTERM:
            code, told, _ = stopped(context, number, "running", "wait", one, other, "--json")
            assert code == 143 and [(each["run"], each["state"]) for each in told["runs"]] == [
                (one, "running"),
                (other, "running"),
            ]
    finally:
        end(first)
        end(second)


def test_who_is_told_to_end_before_anything_was_submitted_gets_a_document(prepared: Prepare, context: Context) -> None:
    """The submit command itself sends the signal, as somebody would who sees that it takes long."""
    sender = context.directory / "sender"
    sends = f'echo $$ >"{sender}"; sleep 0.3; kill -TERM "$PPID"; exec sleep 600'
    (context.directory / "p.yaml").write_text(LEAST)
    site = context.directory / "s.yaml"
    script = context.directory / "slow-sbatch"
    script.write_text(f"#!/bin/bash\n{sends}\n")
    script.chmod(0o755)
    commands = f"commands: {{submit: [{script}], status: ['true'], cancel: ['true']}}\n"
    site.write_text((SITES / "testcluster.yaml").read_text() + commands)
    words = ("submit", "p.yaml", "--site", "./s.yaml", "--json")
    told = subprocess.run(
        command(*words), env=environment(context), cwd=context.directory, capture_output=True, text=True, timeout=90
    )
    assert not Path(f"/proc/{sender.read_text().strip()}").exists(), "the submit command was told to end, too"
    error = json.loads(told.stdout)["error"]
    assert (told.returncode, error["exit_code"]) == (143, 143), told.stderr
    assert error["problems"][0]["message"] == "told to end (SIGTERM)"


@pytest.mark.parametrize("words", ["status", "list", "cancel tiny"])
def test_so_does_whoever_is_told_to_end_while_the_batch_system_is_asked(
    prepared: Prepare, context: Context, words: str
) -> None:
    slow = on_slurm(
        prepared, context.directory, submit="echo 36", status='sleep 0.3; kill -TERM "$PPID"; exec sleep 60'
    )
    submit(slow, context)
    told = hpc_launch(context, *words.split(), "--json")
    assert told.returncode == 143
    assert json.loads(told.stdout)["error"]["problems"][0]["message"] == "told to end (SIGTERM)"


NOWHERE = {way: ["/nowhere/command"] for way in ("submit", "status", "cancel")}


def test_a_command_that_is_not_here_has_an_exit_code_of_its_own(prepared: Prepare, context: Context) -> None:
    (context.directory / "p.yaml").write_text(LEAST)
    site = context.directory / "s.yaml"
    site.write_text((SITES / "testcluster.yaml").read_text() + f"commands: {json.dumps(NOWHERE)}\n")
    told = hpc_launch(context, "submit", "p.yaml", "--site", "./s.yaml", "--json")
    error = json.loads(told.stdout)["error"]
    assert (told.returncode, error["exit_code"]) == (6, 6)
    assert "Is this a login host of the machine" in error["problems"][0]["hint"]


def test_so_has_a_run_that_cannot_be_asked_about_here(
    prepared: Prepare, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "squeue: fatal: Could not establish a configuration source"
    for status, code in ((f"echo '{words}' >&2; exit 1", 6), ("echo no contact >&2; exit 1", 5)):
        _, record = submit(on_slurm(prepared, tmp_path, submit="echo 36", status=status), context)
        told = hpc_launch(context, "status", record.id, "--json")
        assert (told.returncode, json.loads(told.stdout)["state"]) == (code, "unknown")
    (tmp_path / "batch-status").unlink()
    assert hpc_launch(context, "status", record.id).returncode == 6
    monkeypatch.setattr("hpc_launch.runs.wait.Pace.ask", 0.01)
    waited = hpc_launch(context, "wait", record.id, "--json")
    assert (waited.returncode, json.loads(waited.stdout)["error"]["exit_code"]) == (6, 6)
    assert f"hpc-launch wait {record.id}" in waited.stdout, "the run is left alone"
