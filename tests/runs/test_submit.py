"""Submitting: what is on disk when, and what is known when the batch system says no, or nothing."""

from __future__ import annotations

import json
import os
import re
import resource
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError, UsageError
from hpc_launch.prepare import Rendered
from hpc_launch.runs import index
from hpc_launch.runs.directory import read_record, update_record, write_record
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit
from tests.runs.jobs import (
    FAILS_WITH_7,
    SILENT,
    SUCCEEDS,
    Prepare,
    batch_commands,
    on_slurm,
    rendered,
    squeue_line,
    until,
)

HOSTILE = "a run $(touch broken) `touch broken` 'q' \"d\" ü & ;#"


def runs(context: Context) -> list[Path]:
    return [entry.directory for entry in index.entries(context)]


def here(rendered: Rendered, tmp_path: Path) -> Rendered:
    return replace(rendered, runs_directory=str(tmp_path / "runs"))


def test_a_job_runs_in_its_run_directory_and_its_end_is_told(prepared: Prepare, context: Context) -> None:
    directory, record = submit(rendered(prepared, SUCCEEDS), context)
    assert directory.name == record.id and record.id.startswith("tiny-")
    view = until(directory, lambda view: view.standing.over)
    assert (view.standing.outcome, view.standing.exit_code) == ("succeeded", 0)
    assert (directory / "logs" / "workload.log").read_text() == "computed\n"
    assert record.jobs[0].job_name == f"tiny-{record.id[-6:]}"


def test_seven_is_seven(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, FAILS_WITH_7), context)
    assert until(directory, lambda view: view.standing.over).standing.exit_code == 7


def test_run_directory_and_record_are_the_owners_alone(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, SUCCEEDS, security="tls"), context)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "run.json").stat().st_mode & 0o777 == 0o600


def test_files_are_written_as_rendered_to_the_byte(prepared: Prepare, context: Context) -> None:
    one = rendered(prepared, SUCCEEDS)
    one = replace(one, files={**one.files, "odd.txt": "no newline at the end, \r\n and ü"})
    directory, _ = submit(one, context)
    for name, text in one.files.items():
        assert (directory / name).read_bytes() == text.encode()


@pytest.mark.parametrize("made", [False, True])
def test_a_run_directory_of_any_name(prepared: Prepare, context: Context, made: bool) -> None:
    place = context.directory / HOSTILE
    if made:
        place.mkdir()
    directory, record = submit(rendered(prepared, SUCCEEDS), context, Path(HOSTILE))
    assert directory == place
    until(directory, lambda view: view.standing.outcome == "succeeded")
    assert index.find(context, record.id) == place
    assert not list(context.directory.rglob("broken"))
    assert place.stat().st_mode & 0o777 == 0o700


def test_a_directory_with_something_in_it_is_not_taken(prepared: Prepare, context: Context) -> None:
    (context.directory / "mine").mkdir()
    (context.directory / "mine" / "thesis.tex").write_text("years of work")
    (context.directory / "mine").chmod(0o755)
    with pytest.raises(UsageError, match="there already and not empty"):
        submit(rendered(prepared, SUCCEEDS), context, Path("mine"))
    assert (context.directory / "mine" / "thesis.tex").read_text() == "years of work"
    assert (context.directory / "mine").stat().st_mode & 0o777 == 0o755
    assert runs(context) == []


@pytest.mark.parametrize("place", ["with\nnewline", "file/below", "tab\there"])
def test_an_impossible_run_directory_is_refused_before_anything_happens(
    prepared: Prepare, context: Context, place: str
) -> None:
    (context.directory / "file").write_text("")
    with pytest.raises(UsageError):
        submit(rendered(prepared, SUCCEEDS), context, Path(place))
    assert runs(context) == []


def test_the_intent_is_on_disk_before_the_batch_system_is_asked(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    look = f'cd "{tmp_path}"\ncp run/run.json seen.json\nls run/tls >tls\nprintf "%s\\n" "$@" >words\necho 36'
    directory, record = submit(on_slurm(prepared, tmp_path, submit=look), context, Path("run"))
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["id"] == record.id and seen["jobs"][0]["job_id"] is None
    assert (tmp_path / "tls").read_text().split() == ["ca.pem", "key.pem"]
    assert seen["jobs"][0]["command"][1:] == (tmp_path / "words").read_text().splitlines()
    assert read_record(directory).jobs[0].job_id == "36"


def test_a_refusal_ends_the_run_and_is_told_in_the_batch_systems_words(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    words = "sbatch: error: Batch job submission failed: Invalid account or account/partition combination"
    refused = on_slurm(prepared, tmp_path, submit=f'echo "sbatch: error: no" >&2; echo "{words}" >&2; exit 1')
    with pytest.raises(BatchSystemError, match="Invalid account") as told:
        submit(refused, context, Path("run"))
    directory = tmp_path / "run"
    assert told.value.exit_code == 5 and str(directory) in str(told.value)
    record = read_record(directory)
    said = f"slurm refused `{tmp_path}/batch-submit --parsable --job-name={record.main.job_name} job.sh`."
    assert record.refused == f"{said} It said: sbatch: error: no; {words}"
    view = bring_up_to_date(directory)
    assert view.standing.reason == record.refused
    assert view.standing.hint.startswith("`sacctmgr show associations ")
    assert (view.standing.outcome, view.standing.exit_code, view.reports) == ("launch-failed", 1, {})
    assert not (directory / "tls").exists()
    assert runs(context) == [directory], "the run can be looked at afterwards"


def test_a_batch_system_that_is_not_there_takes_nothing(prepared: Prepare, context: Context) -> None:
    commands = {"submit": ["/no/such/sbatch"]}
    with pytest.raises(BatchSystemError, match="not found"):
        submit(replace(rendered(prepared, SUCCEEDS, site="testcluster"), commands=commands), context, Path("run"))
    assert bring_up_to_date(context.directory / "run").standing.outcome == "launch-failed"


def test_a_job_whose_answer_was_lost_is_found_by_its_name(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    lost = on_slurm(prepared, tmp_path, submit="echo Socket timed out >&2; exit 1", status=squeue_line("PENDING", "77"))
    directory, record = submit(lost, context)
    assert record.jobs[0].job_id == "77"
    assert bring_up_to_date(directory).standing.state == "queued"


def test_whether_a_job_is_queued_cannot_be_told_and_a_later_look_finds_it(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    babble = on_slurm(prepared, tmp_path, submit="echo Good morning", status="echo no contact >&2; exit 1")
    with pytest.raises(BatchSystemError, match="cannot be told") as told:
        submit(babble, context, Path("run"))
    directory = tmp_path / "run"
    assert told.value.exit_code == 5 and f"hpc-launch status {read_record(directory).id}" in str(told.value)
    assert bring_up_to_date(directory).standing.state == "unknown"
    assert (directory / "tls" / "key.pem").exists(), "the job may be queued, and needs it"
    batch_commands(tmp_path, status=squeue_line("PENDING", "78", "Priority"))
    view = bring_up_to_date(directory)
    assert (view.standing.state, read_record(directory).jobs[0].job_id) == ("queued", "78")


def test_a_submit_that_was_given_up_is_cancelled_when_its_answer_comes(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    wish = 'sed -i \'s/"cancel_requested": null/"cancel_requested": "2026-11-22T12:00:00Z"/\' run.json'
    one = on_slurm(prepared, tmp_path, submit=f"{wish}; echo 36", cancel=f'echo "$@" >>"{tmp_path}/cancelled"')
    submit(one, context, Path("run"))
    assert (tmp_path / "cancelled").read_text().split()[-1] == "36"


def test_the_id_of_a_job_is_told_although_the_record_is_damaged_meanwhile(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    one = on_slurm(prepared, tmp_path, submit="echo { >run.json; echo 36")
    _, record = submit(one, context, Path("run"))
    assert record.jobs[0].job_id == "36"


def test_when_a_later_job_is_refused_the_earlier_ones_are_called_off(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    second = 'case "$*" in *workers*) echo "sbatch: error: too many jobs" >&2; exit 1 ;; *) echo 36 ;; esac'
    one = on_slurm(prepared, tmp_path, submit=second, cancel=f'echo "$@" >>"{tmp_path}/cancelled"')
    job = one.plan.jobs[0]
    plan = replace(one.plan, jobs=(job, replace(job, name="workers", file="workers.sh")))
    with pytest.raises(BatchSystemError, match="too many jobs"):
        submit(replace(one, plan=plan), context, Path("run"))
    assert (tmp_path / "cancelled").read_text().split()[-1] == "36"
    assert bring_up_to_date(tmp_path / "run").standing.outcome == "launch-failed"


def test_a_job_that_leaves_no_trace_never_began_and_that_is_kept_only_when_it_stays_so(
    prepared: Prepare, context: Context
) -> None:
    directory, _ = submit(rendered(prepared, SILENT, security="tls"), context)
    view = until(directory, lambda view: view.standing.state == "launch-failed")
    assert not view.final and view.record.outcome is None and (directory / "tls").exists()
    long_ago = datetime(2026, 1, 1, tzinfo=timezone.utc)
    update_record(directory, lambda record: replace(record, missing_since=long_ago))
    view = bring_up_to_date(directory)
    assert view.final and view.record.outcome and view.record.outcome.outcome == "launch-failed"
    assert not (directory / "tls").exists()


def test_state_files_that_arrive_late_still_count(prepared: Prepare, context: Context) -> None:
    directory, _ = submit(rendered(prepared, SILENT), context)
    until(directory, lambda view: view.standing.state == "launch-failed")
    (directory / "state" / "1").mkdir()
    (directory / "state" / "1" / "outcome").write_text("failed 7 \n")
    view = bring_up_to_date(directory)
    assert (view.standing.outcome, view.standing.exit_code) == ("failed", 7)
    assert view.record.missing_since is None


def test_an_outcome_is_kept_and_the_credentials_are_removed(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    one = on_slurm(prepared, tmp_path, submit="echo 36", status=squeue_line("TIMEOUT"))
    directory, _ = submit(one, context)
    assert bring_up_to_date(directory).standing.outcome == "timeout"
    assert not (directory / "tls").exists()
    batch_commands(tmp_path, status="echo slurm is gone >&2; exit 1")
    assert bring_up_to_date(directory).standing.outcome == "timeout"


def test_a_run_whose_record_cannot_be_written_can_be_looked_at(prepared: Prepare, context: Context) -> None:
    directory, record = submit(rendered(prepared, SUCCEEDS), context)
    until(directory, lambda view: view.evidence.ended is not None)
    write_record(directory, record)
    before = sorted(os.listdir(directory))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # as on a full disk, files cannot grow
    try:
        view = bring_up_to_date(directory)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert view.standing.outcome == "succeeded" and view.record.outcome is None
    assert read_record(directory) == record and sorted(os.listdir(directory)) == before


@pytest.mark.parametrize(("content", "sentence"), [
    ('{"schema": 2, "version": "3.1"}', "schema 2.*hpc-launch 3.1"), ("", "damaged"), ("{", "damaged"),
    ("[]", "not a record"), ('{"schema": 1, "version": "0.9", "shoe": 44}', "not a record.*0.9"),
])  # fmt: skip
def test_a_record_that_is_not_understood_is_told_in_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError) as told:
        read_record(tmp_path)
    assert re.search(sentence, str(told.value), re.DOTALL)


def test_a_record_is_read_back_as_it_was_written(prepared: Prepare, context: Context) -> None:
    directory, record = submit(rendered(prepared, SUCCEEDS), context)
    until(directory, lambda view: view.final)
    kept = read_record(directory)
    assert replace(kept, outcome=None) == record
    write_record(directory, kept)
    assert read_record(directory) == kept
