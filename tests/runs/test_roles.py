"""Jobs are told by their roles, wherever they stand in a record, and also in records that do not say them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.context import Context
from hpc_launch.runs import describe
from hpc_launch.runs.cancel import Patience, cancel
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit
from tests.runs.jobs import OVER, SUCCEEDS, Prepare, arrays, cancelled, rendered, squeue_line

RUNNING = squeue_line("RUNNING", "36")
WAITING = squeue_line("PENDING", "37")


def rewrite(directory: Path, **changes: Any) -> None:
    """The record with other keys, as an older or a later version might write it."""
    file = directory / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def without_roles(directory: Path) -> list[dict[str, Any]]:
    """The jobs as they stood in a record of the first versions."""
    jobs: list[dict[str, Any]] = json.loads((directory / "run.json").read_text())["jobs"]
    return [{key: value for key, value in job.items() if key not in ("role", "group")} for job in jobs]


def test_roles_of_older_records_follow_from_what_a_job_waits_for(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    single, record = submit(rendered(prepared, SUCCEEDS), context, Path("single"))
    rewrite(single, jobs=without_roles(single))
    assert read_record(single).jobs == record.jobs
    several, record = submit(arrays(prepared, tmp_path), context, Path("several"))
    rewrite(several, jobs=without_roles(several))
    assert read_record(several).jobs == record.jobs
    assert [(job.role, job.group) for job in record.jobs] == [("scheduler", None), ("workers", "workers")]


def test_a_role_that_is_said_is_not_derived(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, SUCCEEDS), context, Path("run"))
    (job,) = without_roles(directory)
    rewrite(directory, jobs=[{**job, "role": "scheduler"}])
    assert [(job.role, job.group) for job in read_record(directory).jobs] == [("scheduler", None)]


@pytest.mark.parametrize("old", [False, True])
def test_the_order_of_jobs_in_a_record_decides_nothing(
    prepared: Prepare, context: Context, tmp_path: Path, old: bool
) -> None:
    both = f'case "$*" in *name*) ;; *) {RUNNING}; {WAITING} ;; esac'
    directory, _ = submit(arrays(prepared, tmp_path, status=both), context, Path("run"))
    jobs = without_roles(directory) if old else json.loads((directory / "run.json").read_text())["jobs"]
    rewrite(directory, jobs=jobs[::-1])
    view = bring_up_to_date(directory)
    assert (view.standing.state, view.record.main.job_id) == ("starting", "36")
    assert [job.job_id for job in view.record.worker_jobs] == ["37"]
    assert describe.times(view)["submitted"]
    cancel(directory, lambda said: None, Patience(orderly=0.0, gone=0.0))
    asked, ended = cancelled(tmp_path)
    assert asked.endswith(" 36") and "TERM" in asked and "37" not in asked
    assert {"36", "37"} <= set(ended.split())


def test_what_is_left_at_the_end_is_called_off_by_its_role(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    directory, _ = submit(arrays(prepared, tmp_path), context, Path("run"))
    rewrite(directory, jobs=json.loads((directory / "run.json").read_text())["jobs"][::-1])
    subprocess.run(["bash", "-c", f"{OVER}; echo 1 >state/attempt"], cwd=directory, check=True)
    assert bring_up_to_date(directory).standing.outcome == "succeeded"
    assert all("37" in words and "36" not in words.split() for words in cancelled(tmp_path)) and cancelled(tmp_path)
