"""Records of other versions: those of an earlier one are used, and what a later one has added is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.context import Context
from hpc_launch.runs import index
from hpc_launch.runs.directory import read_record, update_record, write_record
from hpc_launch.runs.job_ids import record_job_id
from tests.commands import hpc_launch
from tests.earlier.runs import FINISHED, finished, unpacked
from tests.runs.jobs import batch_commands, record, squeue_line

LATER = {"of_a_later_version": {"job_id": "99", "list": [1, 2.5, None, "ü"]}, "another": True}
EXIT_CODES = {"succeeded": 0, "failed": 7, "cancelled": 1}


def test_finished_runs_of_an_earlier_version_are_shown_and_waited_for(context: Context) -> None:
    directories = {name: finished(name, context.directory) for name in FINISHED}
    records = {name: read_record(directory) for name, directory in directories.items()}
    for name, directory in directories.items():
        index.add(context, records[name].id, directory)
    before = {directory: (directory / "run.json").read_bytes() for directory in directories.values()}
    told = {run["run"]: run for run in json.loads(hpc_launch(context, "list", "--json").stdout)["runs"]}
    for name, written in records.items():
        run, outcome = told[written.id], name.rpartition("-")[2]
        assert (run["state"], run["outcome"], run["exit_code"]) == (outcome, outcome, EXIT_CODES[outcome])
        assert name == f"{run['site']}-{run['layout']}-{outcome}" and all(job["id"] for job in run["jobs"])
        assert (run["workers"]["wanted"], run["times"]["created"][:10]) == (written.plan.workers_wanted, "2026-11-28")
    for name in ("gridcluster-job-array-failed", "testcluster-single-job-succeeded"):
        outcome = name.rpartition("-")[2]
        waited = hpc_launch(context, "wait", records[name].id)
        assert waited.returncode == EXIT_CODES[outcome] and waited.stdout.startswith(outcome)
    assert {directory: (directory / "run.json").read_bytes() for directory in directories.values()} == before


def mappings(content: Any) -> Iterator[dict[str, Any]]:
    """Every mapping that has names of ours for keys: the record, its plan, its jobs, its outcome."""
    yield from (content, content["plan"], *content["jobs"], *filter(None, [content["outcome"]]))


@pytest.fixture
def later(context: Context) -> Path:
    """A run on Slurm that waits; a later version has written its record."""
    directory = context.directory / "run"
    directory.mkdir(mode=0o700)
    cancel = f'touch "{context.directory}/cancelled"'
    answer = f'[ -e "{context.directory}/cancelled" ] && state=CANCELLED || state=PENDING\n'
    answer += squeue_line("$state     ")
    write_record(directory, record(id="pi-1", commands=batch_commands(directory, status=answer, cancel=cancel)))
    content = json.loads((directory / "run.json").read_text())
    content["jobs"].append({**content["jobs"][0], "name": "keeper", "role": "keeper", "job_id": None})
    for mapping in mappings(content):
        mapping.update(LATER)
    content["commands"]["release"] = ["scontrol", "release"]
    (directory / "run.json").write_text(json.dumps(content))
    index.add(context, "pi-1", directory)
    return directory


def test_keys_of_a_later_version_are_ignored_and_kept(context: Context, later: Path) -> None:
    shown = hpc_launch(context, "status", "pi-1")
    assert shown.returncode == 0 and "queued" in shown.stdout, shown.stderr
    assert hpc_launch(context, "cancel", "pi-1").returncode == 0
    content = json.loads((later / "run.json").read_text())
    assert content["cancel_requested"] and content["outcome"]["outcome"] == "cancelled"
    assert content["commands"]["release"] == ["scontrol", "release"]
    kept = [{key: mapping.get(key) for key in LATER} for mapping in mappings({**content, "outcome": None})]
    assert kept == [LATER] * 4


def test_an_outcome_of_a_later_version_is_shown_and_nothing_is_done_about_it(context: Context, later: Path) -> None:
    (later / "tls").mkdir()
    state = later / "state" / "1"
    state.mkdir(parents=True)
    (state / "events").write_text("1 started c1 36 more\n2 paused\n9 ended\n")
    (state / "outcome").write_text("moved-on 3 to another cluster\n")
    (state / "progress.json").write_text(json.dumps({"schema": 1, "workers": 2, **LATER}))
    before = (later / "run.json").read_bytes()
    assert "moved-on: to another cluster" in hpc_launch(context, "status", "pi-1").stdout
    waited = hpc_launch(context, "wait", "pi-1")
    assert waited.returncode == 1 and "moved-on" in waited.stdout
    assert (later / "tls").exists() and (later / "run.json").read_bytes() == before


def test_a_recorded_outcome_of_a_later_version_is_shown_and_kept(context: Context, later: Path) -> None:
    (later / "tls").mkdir()
    content = json.loads((later / "run.json").read_text())
    end = {"outcome": "moved-on", "exit_code": 3, "reason": "to c2", "source": "job", "decided": content["created"]}
    content["outcome"] = {**end, "attempt": None, **LATER}
    (later / "run.json").write_text(json.dumps(content))
    before = (later / "run.json").read_bytes()
    assert "moved-on: to c2" in hpc_launch(context, "status", "pi-1").stdout
    assert hpc_launch(context, "wait", "pi-1").returncode == 3
    assert (later / "tls").exists() and (later / "run.json").read_bytes() == before


ARRAYS = [name for name in FINISHED if "job-array" in name]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("more", [{}, {"of_a_later_version": {"list": [1]}}])
def test_a_job_of_an_earlier_version_finds_the_ids_in_a_record_that_this_one_has_written(
    tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    """Its array.sh reads run.json line by line: `"job_id": "…"` each on its own, that of the first job first."""
    directory, jobside = finished(name, tmp_path), unpacked(tmp_path / "earlier") / "hpc_launch" / "jobside"
    content = json.loads((directory / "run.json").read_text())
    ids = [job["job_id"] for job in content["jobs"]]
    for job in content["jobs"]:
        job.update(job_id=None, **more)
    (directory / "run.json").write_text(json.dumps(content))

    def found() -> list[str]:
        lines = f'. "{jobside}/array.sh"; worker_jobs'
        return subprocess.run(["bash", "-c", lines], cwd=directory, capture_output=True, text=True).stdout.split()

    assert len(ids) > 1
    update_record(directory, lambda old: replace(old, refused="changed"))
    assert found() == []
    for number, job in enumerate(content["jobs"]):
        record_job_id(directory, read_record(directory), job["name"], ids[number])
        assert found() == ids[1 : number + 1]
