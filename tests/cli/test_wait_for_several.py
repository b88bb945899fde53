"""`hpc-launch wait` with the names of several runs."""

from __future__ import annotations

import json
import signal
import subprocess

from hpc_launch.context import Context
from tests.commands import command, environment, hpc_launch
from tests.runs.jobs import FAILS_WITH_7, RUNS, SUCCEEDS, Prepare, end, finished, start

FAILS_WITH_3 = FAILS_WITH_7.replace("failed 7", "failed 3")


def test_the_first_code_that_is_not_0_counts_whichever_run_ends_first(prepared: Prepare, context: Context) -> None:
    _, late = start(prepared, context, FAILS_WITH_7.replace("finish", "sleep 2\nfinish"))
    _, good = finished(prepared, context, SUCCEEDS)
    _, soon = finished(prepared, context, FAILS_WITH_3)
    told = hpc_launch(context, "wait", good, late, soon)
    assert told.returncode == 7
    ends = {good: "succeeded", late: "failed with exit code 7", soon: "failed with exit code 3"}
    assert told.stdout.splitlines() == [f"{run}: {end}" for run, end in ends.items()]
    assert hpc_launch(context, "wait", soon, late).returncode == 3
    assert hpc_launch(context, "wait", good, good).stdout == "succeeded\n", "it is one run"


def test_programs_are_told_of_several_as_a_list(prepared: Prepare, context: Context) -> None:
    runs = [finished(prepared, context, script)[1] for script in (FAILS_WITH_3, SUCCEEDS)]
    told = hpc_launch(context, "wait", *runs, "--json")
    document = json.loads(told.stdout)
    assert (told.returncode, document["schema"]) == (3, 1)
    assert [(run["run"], run["exit_code"]) for run in document["runs"]] == [(runs[0], 3), (runs[1], 0)]


def test_nothing_is_waited_for_as_long_as_one_of_them_is_unknown(prepared: Prepare, context: Context) -> None:
    directory, run = start(prepared, context, RUNS)
    try:
        told = hpc_launch(context, "wait", run, "none")
        assert told.returncode == 2 and "no run 'none'" in told.stderr
    finally:
        end(directory)


def test_control_c_leaves_all_of_them_alone(prepared: Prepare, context: Context) -> None:
    _, over = finished(prepared, context, SUCCEEDS)
    directory, goes_on = start(prepared, context, RUNS)
    words = command("wait", over, goes_on)
    try:
        with subprocess.Popen(words, env=environment(context), stderr=-1, stdout=-1, text=True) as process:
            assert process.stdout and process.stdout.readline() == f"{over}: succeeded\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        assert process.returncode == 130 and f"hpc-launch wait {over} {goes_on}" in said
    finally:
        end(directory)
