"""The commands around runs, as a user's shell and scripts see them: output, errors and exit codes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.runs import index
from hpc_launch.runs.directory import write_record
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit
from tests.commands import command, environment, hpc_launch
from tests.runs.jobs import (
    FAILS_WITH_7,
    RUNS,
    SUCCEEDS,
    Prepare,
    batch_commands,
    end,
    finished,
    on_slurm,
    record,
    rendered,
    squeue_line,
    start,
    until,
)


def test_status_tells_a_person_and_a_program_the_same(prepared: Prepare, context: Context) -> None:
    directory, run_id = finished(prepared, context, FAILS_WITH_7)
    shown, told = hpc_launch(context, "status"), hpc_launch(context, "status", run_id, "--json")
    assert (shown.returncode, told.returncode, told.stderr) == (0, 0, "")
    assert "failed with exit code 7" in shown.stdout and run_id in shown.stdout
    data = json.loads(told.stdout)
    assert (data["schema"], data["run"], data["state"], data["outcome"], data["exit_code"]) == (
        1, run_id, "failed", "failed", 7,
    )  # fmt: skip
    assert data["directory"] == str(directory) and data["jobs"][0]["name"] == "job"
    assert data["workers"]["wanted"] == 1 and data["times"]["ended"].endswith("+00:00")


def test_connect_before_there_is_a_scheduler_may_be_tried_again(prepared: Prepare, context: Context) -> None:
    queued = on_slurm(prepared, context.directory, submit="echo 36", status=squeue_line("PENDING", "36"))
    _, record = submit(queued, context)
    told = hpc_launch(context, "connect", record.id)
    assert told.returncode == 5 and f"{record.id} has no scheduler yet: queued" in told.stderr
    finished(prepared, context, SUCCEEDS)
    assert hpc_launch(context, "connect", "--json").returncode == 2


@pytest.mark.parametrize(("script", "code"), [(SUCCEEDS, 0), (FAILS_WITH_7, 7)])
def test_wait_ends_with_the_workloads_exit_code(prepared: Prepare, context: Context, script: str, code: int) -> None:
    _, run_id = start(prepared, context, script)
    waited = hpc_launch(context, "wait", run_id)
    assert waited.returncode == code
    assert waited.stdout.startswith("failed with exit code 7" if code else "succeeded")
    assert json.loads(hpc_launch(context, "wait", "--json").stdout)["exit_code"] == code


def test_in_a_pipe_progress_is_plain_lines_on_stderr(prepared: Prepare, context: Context) -> None:
    start(prepared, context, SUCCEEDS.replace("finish", "sleep 1\nfinish"))
    waited = hpc_launch(context, "wait")
    lines = waited.stderr.splitlines()
    assert any("running" in line for line in lines)
    assert (waited.stdout, "succeeded" in waited.stderr) == ("succeeded\n", False), "the end is told once"
    assert "\x1b" not in waited.stderr + waited.stdout
    assert len(lines) == len(set(lines)) <= 5, "a line only when something changed"


def test_on_a_terminal_progress_moves(prepared: Prepare, context: Context) -> None:
    directory, _ = start(
        prepared, context, SUCCEEDS.replace("finish succeeded", "until [ -e go ]; do sleep 0.1; done\nfinish succeeded")
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("wait"),
        env={**environment(context), "TERM": "xterm"},
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                break
            if b"running" in seen:
                (directory / "go").touch()
        assert process.stdout and process.stdout.read() == "succeeded\n"
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" in seen and b"running" in seen


def test_control_c_leaves_the_run_alone_and_says_how_to_come_back(prepared: Prepare, context: Context) -> None:
    directory, run_id = start(prepared, context, RUNS)
    try:
        with subprocess.Popen(
            command("wait", run_id),
            env=environment(context),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr
            seen = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, rest = process.communicate(timeout=20)
        assert process.returncode == 130 and out == ""
        assert f"hpc-launch wait {run_id}" in rest and f"hpc-launch cancel {run_id}" in rest
        assert "Traceback" not in seen + rest
        assert bring_up_to_date(directory).standing.state == "running"
    finally:
        end(directory)


def test_cancel_says_what_happens_and_the_end(prepared: Prepare, context: Context) -> None:
    directory, run_id = start(prepared, context, RUNS)
    until(directory, lambda view: view.standing.state == "running")
    done = hpc_launch(context, "cancel", run_id, "--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0 and data["outcome"] == "cancelled" and "asking the job to end" in done.stderr
    again = hpc_launch(context, "cancel", run_id)
    assert again.returncode == 0 and "over already" in again.stderr
    assert hpc_launch(context, "wait", run_id).returncode == 1
    assert json.loads(hpc_launch(context, "status", run_id, "--json").stdout)["outcome"] == "cancelled"


def test_cancel_wants_to_know_which_run(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, SUCCEEDS)
    assert hpc_launch(context, "cancel").returncode == 2


def test_list_shows_every_run_newest_first_also_one_whose_directory_is_gone(
    prepared: Prepare, context: Context
) -> None:
    import shutil

    _, first = finished(prepared, context, SUCCEEDS)
    time.sleep(0.02)  # the clock of a file system is coarse
    directory, second = finished(prepared, context, FAILS_WITH_7)
    time.sleep(0.02)
    broken, third = finished(prepared, context, SUCCEEDS)
    shutil.rmtree(directory)
    (broken / "run.json").write_text("{")
    shown = hpc_launch(context, "list")
    assert shown.returncode == 0
    rows = shown.stdout.splitlines()[1:]
    assert [row.split()[0] for row in rows] == [third, second, first]
    assert "damaged" in rows[0] and "gone" in rows[1] and "succeeded" in rows[2]
    data = json.loads(hpc_launch(context, "list", "--json").stdout)
    assert [run["state"] for run in data["runs"]] == ["unknown", "unknown", "succeeded"]


def test_list_asks_the_batch_system_once_for_all_runs(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    ids = iter(("36", "37"))
    for number in ids:
        submit(on_slurm(prepared, tmp_path, submit=f"echo {number}"), context)
    batch_commands(tmp_path, status=f'echo "$*" >>"{tmp_path}/asked"; exit 1')
    assert hpc_launch(context, "list").stdout.count("unknown") == 2
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


def test_a_batch_system_that_does_not_answer_is_unknown_and_five(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    submit(on_slurm(prepared, tmp_path, submit="echo 36", status="echo no contact >&2; exit 1"), context)
    told = hpc_launch(context, "status", "--json")
    data = json.loads(told.stdout)
    assert (told.returncode, data["state"], data["outcome"], data["exit_code"]) == (5, "unknown", None, None)


NO_RUN = "there is no run yet\n    Start one: hpc-launch submit profile.yaml\n"
NO_SUCH_RUN = (
    "no run 'none': neither an id or the beginning of one, nor a name, nor a run directory\n"
    "    `hpc-launch list` shows all runs.\n"
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        *((word, NO_RUN) for word in ("status", "wait", "logs")),
        *((f"{word} none", NO_SUCH_RUN) for word in ("status", "cancel")),
    ],
)
def test_without_such_a_run_the_next_step_is_told(context: Context, words: str, said: str) -> None:
    told = hpc_launch(context, *words.split())
    assert (told.returncode, told.stdout, told.stderr) == (2, "", f"hpc-launch: {said}")


def test_an_error_is_json_for_those_who_asked_for_json(context: Context) -> None:
    told = hpc_launch(context, "status", "--json")
    error = json.loads(told.stdout)["error"]
    assert told.returncode == 2 == error["exit_code"]
    assert error["problems"][0]["message"] and set(error["problems"][0]) == {
        "message",
        "file",
        "line",
        "hint",
        "hints",
    }


def test_logs_show_the_workloads_output_and_others_on_demand(prepared: Prepare, context: Context) -> None:
    directory, run_id = finished(prepared, context, SUCCEEDS.replace("echo computed", "printf 'computed \\xff ü\\n'"))
    assert hpc_launch(context, "logs").stdout == "computed \ufffd ü\n"
    (directory / "logs" / "workers-node1.log").write_text("w\n")
    assert hpc_launch(context, "logs", run_id, "--of", "workers").stdout == "==> workers-node1.log <==\nw\n"
    none = hpc_launch(context, "logs", "--of", "scheduler")
    assert none.returncode == 0 and none.stdout == "" and "succeeded" in none.stderr
    assert hpc_launch(context, "logs", "--of", "nonsense").returncode == 2


def test_logs_are_told_to_programs(prepared: Prepare, context: Context) -> None:
    directory, run_id = finished(prepared, context, SUCCEEDS.replace("echo computed", "printf '\\xff ü\\n\\e[1m'"))
    for node in ("b", "a"):
        (directory / "logs" / f"workers-{node}.log").write_text(f"of {node}\n")
    told = hpc_launch(context, "logs", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout) == {
        "schema": 1, "run": run_id, "of": "workload",
        "files": [{"name": "workload.log", "text": "\ufffd ü\n\x1b[1m"}],
    }  # fmt: skip
    several = json.loads(hpc_launch(context, "logs", run_id, "--of", "workers", "--json").stdout)
    assert several["files"] == [{"name": f"workers-{node}.log", "text": f"of {node}\n"} for node in ("a", "b")]
    assert json.loads(hpc_launch(context, "logs", "--of", "scheduler", "--json").stdout)["files"] == []
    refused = hpc_launch(context, "logs", "--json", "--follow")
    assert refused.returncode == 2 and "--follow" in json.loads(refused.stdout)["error"]["problems"][0]["message"]


@pytest.mark.parametrize("words", [["list", "--json"], ["status"], ["logs"]])
def test_a_result_that_cannot_be_written_is_no_end_of_a_run(
    prepared: Prepare, context: Context, words: list[str]
) -> None:
    finished(prepared, context, SUCCEEDS)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*words), env=environment(context), cwd=context.directory, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "No space left" in done.stderr and "Traceback" not in done.stderr and "ignored" not in done.stderr


def test_a_working_directory_that_was_removed_is_said(context: Context, tmp_path: Path) -> None:
    (tmp_path / "removed").mkdir()
    done = subprocess.run(
        ["bash", "-c", 'cd removed && rmdir ../removed && exec "$@"', "bash", *command("list")],
        env=environment(context), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.startswith("hpc-launch: ") and "Traceback" not in done.stderr


def test_the_id_of_a_job_is_told_although_its_record_is_damaged(
    prepared: Prepare, context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hpc_launch.cli.submitted import announce_and_wait

    one = on_slurm(prepared, tmp_path, submit="echo { >run.json; echo 36", status=squeue_line("PENDING"))
    full = replace(prepared("workers: {count: 1, memory: 1 GB}\nworkload: {command: x}\n"), rendered=one)
    announce_and_wait(full, context, Path("run"), wait=False, as_json=True)
    assert json.loads(capsys.readouterr().out)["jobs"][0]["id"] == "36"


def test_logs_follow_until_the_run_is_over(prepared: Prepare, context: Context) -> None:
    start(prepared, context, SUCCEEDS.replace("echo computed", "sleep 1; echo computed"))
    assert hpc_launch(context, "logs", "--follow").stdout == "computed\n"


def test_logs_are_shown_in_a_locale_that_knows_no_such_character(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, SUCCEEDS.replace("computed", "π"))
    env = {**environment(context), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    shown = subprocess.run(command("logs"), env=env, capture_output=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, b"")


def test_a_reader_that_goes_away_is_no_error(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, SUCCEEDS.replace("echo computed", "seq 200000"))
    with subprocess.Popen(
        command("logs"), env=environment(context), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == b"1\n"
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_reader_that_never_came_is_no_error_either(prepared: Prepare, context: Context) -> None:
    finished(prepared, context, FAILS_WITH_7)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command("wait"), env=environment(context), stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writer)
    assert done.returncode == 7 and "Broken pipe" not in done.stderr


def test_a_run_directory_of_any_name_can_be_named(prepared: Prepare, context: Context) -> None:
    name = "a $(touch broken) 'run' ü"
    directory, _ = submit(rendered(prepared, SUCCEEDS), context, Path(name))
    until(directory, lambda view: view.final)
    assert json.loads(hpc_launch(context, "status", f"./{name}", "--json").stdout)["directory"] == str(directory)
    assert not (context.directory / "broken").exists()


def test_watching_as_json_gives_a_line_for_each_change(prepared: Prepare, context: Context) -> None:
    start(prepared, context, SUCCEEDS.replace("finish", "sleep 1\nfinish"))
    told = hpc_launch(context, "status", "--watch", "--json")
    states = [json.loads(line)["state"] for line in told.stdout.splitlines()]
    assert told.returncode == 0 and states[-1] == "succeeded" and len(states) > 1


def test_submit_says_the_id_alone_and_wait_ends_with_the_exit_code(prepared: Prepare, context: Context) -> None:
    profile = "workers: {count: 1, memory: 200 MB}\nworkload: {command: x}\n"
    (context.directory / "p.yaml").write_text(profile)
    # without an interpreter that has dask the run ends before its workload starts
    setup = ("--site", "local", "--set", "environment.python=/no/such/python")
    told = hpc_launch(context, "submit", "p.yaml", *setup, "--wait")
    assert told.returncode == 1, told.stderr
    assert told.stdout == index.entries(context)[0].id + "\n"
    assert told.stderr.count("launch-failed") == 1
    data = json.loads(hpc_launch(context, "submit", "p.yaml", *setup, "--wait", "--json").stdout)
    assert (data["state"], data["outcome"], data["exit_code"]) == ("launch-failed", "launch-failed", 1)
    assert data["submissions"][0]["file"] == "job.sh" and "job.sh" in data["files"]


def loaded(context: Context, names: set[str], *words: str) -> tuple[int, str]:
    """What a command has imported of these modules, as its exit code and words on stderr."""
    code = (
        "import sys; from hpc_launch.cli import main; main(sys.argv[1:])\n"
        f"found = sorted({names} & set(sys.modules))\n"
        "sys.exit(f'loaded {found}' if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment(context),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [["--help"], ["status", "--help"], ["--version"], ["list"]])
def test_start_up_loads_nothing_heavy(context: Context, words: list[str]) -> None:
    code, said = loaded(context, {"dask", "distributed", "rich", "cryptography", "asyncio"}, *words)
    assert (code, said.replace("there is no run yet; start one: hpc-launch submit profile.yaml\n", "")) == (0, "")


def test_looking_at_runs_loads_neither_models_nor_templates(prepared: Prepare, context: Context) -> None:
    _, over = finished(prepared, context, SUCCEEDS)
    directory = context.directory / "waiting"
    directory.mkdir(mode=0o700)
    commands = batch_commands(directory, status=squeue_line("PENDING    "))
    write_record(directory, record(id="waiting-1", commands=commands))
    index.add(context, "waiting-1", directory)
    for words in (["list"], ["list", "--json"], ["status", over], ["status", "waiting-1"], ["wait", over]):
        code, said = loaded(context, {"pydantic", "jinja2", "yaml", "rich"}, *words)
        assert code == 0, (words, said)
