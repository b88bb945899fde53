"""`hpc-launch scale`: what is asked for is written down once, and what cannot be is refused with the next step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from hpc_launch.batch import get, processes
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.cli import main
from hpc_launch.context import Context
from hpc_launch.prepare import Prepared
from hpc_launch.runs.describe import as_json, facts
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.evidence import Evidence, Progress
from hpc_launch.runs.job_ids import find_by_name
from hpc_launch.runs.look import look
from hpc_launch.runs.outcome import Standing, decide
from hpc_launch.runs.pool_status import Pool, read_pools
from hpc_launch.runs.settle import settle
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submissions import read_document, take_in_submissions
from hpc_launch.runs.submit import submit

Prepare = Callable[..., Prepared]
RUN = """
layout: job-array
workers: {count: 6, per_node: 2, memory: 1 GiB}
workload: {command: [python, work.py]}
"""


def answering(tmp_path: Path) -> Path:
    """A site whose batch system answers with ids, and says nothing else."""
    answer = tmp_path / "answer"
    answer.write_text("#!/bin/bash\ncase $* in *scheduler.sh) echo 35 ;; *) echo 36 ;; esac\n")
    answer.chmod(0o755)
    site = tmp_path / "site.yaml"
    commands = f"{{submit: [{answer}], status: ['false'], cancel: ['true']}}"
    site.write_text(f"schema: 1\nname: own\nextends: testcluster\ncommands: {commands}\n")
    return site


@pytest.fixture
def run(prepared: Prepare, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of three worker jobs of two workers each; the batch system answers with ids, and says nothing else."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place, _ = submit(prepared(RUN, site=str(answering(tmp_path))).rendered, context, tmp_path / "run")
    return place


def wish(place: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((place / "control/scale.json").read_text())
    return found


def test_a_wish_is_written_with_a_number_of_its_own(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", str(run), "--workers", "9"]) == 0
    assert "9 workers are wanted, in 5 worker jobs (it shrinks by whole jobs of 2)" in capfd.readouterr().err
    assert wish(run)["serial"] == 1
    assert wish(run)["groups"] == {"workers": {"target": 9, "grace_seconds": None}}
    assert main(["scale", str(run), "--jobs", "1", "--grace", "5m"]) == 0
    assert (wish(run)["serial"], wish(run)["groups"]) == (2, {"workers": {"target": 2, "grace_seconds": 300}})
    assert main(["scale", str(run), "--minimum", "0", "--maximum", "4", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["wish"] == {"serial": 3, "group": "workers", "minimum": 0, "maximum": 4} and told["pools"] == {}
    assert (run / "control/scale.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--workers", "9"], 9),
        (["--jobs", "5"], 10),
        (["--minimum", "0", "--maximum", "7"], 7),
        (["--jobs", "3"], None),
    ],
)
def test_more_than_the_site_ever_lets_be_there_is_noted(
    prepared: Prepare, context: Context, tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str], asked: int
) -> None:
    site = answering(tmp_path)
    site.write_text(site.read_text() + "limits: {running: {jobs: 4}}\n")
    made = prepared(RUN, "workers.count=2", site=str(site)).rendered
    place, _ = submit(made, context, tmp_path / "run")
    rule = "a user of own may run 4 jobs at once; at most 6 are, the others wait"
    note = f"{asked} workers are never there at one time: {rule}"
    assert main(["scale", str(place), *words]) == 0
    assert capfd.readouterr().err.count("note: ") == (1 if asked else 0)
    assert main(["scale", str(place), *words, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["notes"] == ([note] if asked else [])


@pytest.mark.parametrize(("walltime", "begins"), [("10m", True), ("1h", False)])
def test_a_run_begins_with_a_wish_where_its_worker_jobs_end_before_it(
    prepared: Prepare, context: Context, tmp_path: Path, walltime: str, begins: bool
) -> None:
    """The wish starts the keeper, which replaces them; it asks for nothing else than the profile does."""
    made = prepared(RUN, "walltime=1h", f"workers.walltime={walltime}", site=str(answering(tmp_path)))
    place, _ = submit(made.rendered, context, tmp_path / "run")
    assert (place / "jobside/keeper/__main__.py").exists()
    assert (place / "control/scale.json").exists() == begins
    if begins:
        assert (wish(place)["serial"], wish(place)["groups"]) == (1, {})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "how many workers are wanted?"),
        (["--workers", "3", "--jobs", "1"], "these options exclude each other"),
        (["--minimum", "3"], "--minimum and --maximum go together"),
        (["--minimum", "3", "--maximum", "2"], "--minimum 3 is more than --maximum 2"),
        (["--workers", "3", "--group", "worker"], "has no group worker\n"),
        (["--workers", "3", "--grace", "5"], "--grace: 5 has no unit"),
        (["--workers", "-1"], "Invalid value for '--workers'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    run: Path, capfd: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["scale", str(run), *words]) == 2
    assert sentence in capfd.readouterr().err
    assert not (run / "control/scale.json").exists()


def test_a_run_that_is_over_or_cannot_grow_is_refused(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    groups = run / "pool/groups.json"
    groups.rename(run / "pool/away")
    assert main(["scale", str(run), "--workers", "3"]) == 2
    assert "it was submitted by an earlier version of hpc-launch" in capfd.readouterr().err
    (run / "pool/away").rename(groups)
    (run / "state/1").mkdir()
    (run / "state/attempt").write_text("1\n")
    (run / "state/1/outcome").write_text("succeeded 0 \n")
    (run / "state/1/events").write_text("1 ended\n")
    assert main(["scale", str(run), "--workers", "3"]) == 2
    assert "is over: succeeded" in capfd.readouterr().err


def test_what_the_keeper_submitted_is_taken_into_the_record(run: Path) -> None:
    first = json.loads((run / "pool/1.json").read_text())
    mine = {**first, "first": 3, "size": 1, "array": None, "workers": 2, "by": "keeper", "job_id": None}
    for number, more in {2: {"job_id": "40"}, 3: {}, 4: {"refused": "no"}}.items():
        named = {"number": number, "job_name": f"{first['job_name']}-{number}"}
        (run / f"pool/{number}.json").write_text(json.dumps({**mine, **named, **more}))
    record = bring_up_to_date(run).record
    assert record == read_record(run)
    assert [(job.name, job.job_id) for job in record.jobs] == [
        ("scheduler", "35"),
        ("workers", "36"),
        ("workers-2", "40"),
    ]
    assert record.jobs[2].job_name == f"{first['job_name']}-2" and record.jobs[2].first_element == 3
    assert (run / "control/worker-jobs").read_text() == "36\n40\n"
    assert bring_up_to_date(run).record == record


def test_what_the_record_knows_is_not_read_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads((run / "pool/1.json").read_text())
    mine = {**first, "first": 3, "size": 1, "array": None, "workers": 2, "by": "keeper"}
    for number, job_id in {2: "40", 3: "41", 4: None}.items():
        more = {"number": number, "job_name": f"{first['job_name']}-{number}", "job_id": job_id}
        (run / f"pool/{number}.json").write_text(json.dumps({**mine, **more}))
    take_in_submissions(run, read_record(run), over=False)
    read: list[str] = []

    def counted(file: Path) -> dict[str, object] | None:
        read.append(file.name)
        return read_document(file)

    monkeypatch.setattr("hpc_launch.runs.submissions.read_document", counted)
    take_in_submissions(run, read_record(run), over=False)
    assert read == ["4.json"]


def test_what_a_keeper_never_submitted_does_not_end_the_run(run: Path) -> None:
    first = json.loads((run / "pool/1.json").read_text())
    mine = {"number": 2, "job_name": f"{first['job_name']}-2", "by": "keeper", "job_id": None}
    (run / "pool/2.json").write_text(json.dumps({**first, **mine}))
    record = take_in_submissions(run, read_record(run), over=True)
    assert [job.name for job in record.missing] == ["workers-2"]
    reports = {"scheduler": JobReport(JobStatus.RUNNING), "workers-2": JobReport(JobStatus.GONE)}
    assert decide(Evidence(attempt=2), reports, record, datetime.now(timezone.utc), False).state == "starting"


def test_a_local_job_of_another_host_is_unknown_not_gone(run: Path) -> None:
    record = read_record(run)
    record = replace(record, batch_system="local", submitter="elsewhere:1:1")
    report = find_by_name(get("local"), record, "none-abc123")
    assert isinstance(report, JobReport) and report.status is JobStatus.UNKNOWN
    assert "it was submitted on elsewhere" in report.raw
    here = replace(record, submitter=processes.this_one())
    assert find_by_name(get("local"), here, "none-abc123") == JobReport(JobStatus.GONE)


def test_a_wish_that_cannot_be_read_is_not_replaced(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", str(run), "--workers", "9"]) == 0
    file = run / "control/scale.json"
    file.write_text(file.read_text()[:20])
    damaged = file.read_text()
    assert main(["scale", str(run), "--workers", "1"]) == 2
    assert "the wish cannot be written" in capfd.readouterr().err and file.read_text() == damaged


def rows(run: Path, evidence: Evidence, **reports: JobReport) -> dict[str, str]:
    """What `status` prints of this; no name comes twice."""
    seen = replace(look(run, read_record(run)), evidence=evidence, reports=reports)
    found = facts(settle(seen))
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def test_each_row_of_status_has_a_name_of_its_own_and_says_something(run: Path) -> None:
    running = JobReport(JobStatus.RUNNING, raw="RUNNING")
    there = Evidence(attempt=1, progress=Progress(workers=2), pools={"workers": Pool(0, connected=2, draining=1)})
    found = rows(run, there, scheduler=running, workers=JobReport(JobStatus.GONE))
    assert found["job scheduler"] == "35, RUNNING" and found["job workers"] == "36, no longer in the queue"
    assert found["workers"] == "2 connected, none wanted"
    assert found["pool workers"] == "2 connected, none wanted, 1 draining"


def test_worker_jobs_that_have_told_their_end_have_ended(run: Path) -> None:
    there = Evidence(attempt=1, elements_gone=frozenset({0, 1, 2}), pools={"workers": Pool(2, connected=0)})
    found = rows(run, there)
    assert found["job workers"] == "36, ended" and found["workers"] == "0 of 2 connected"


def test_of_many_worker_jobs_those_that_failed_come_first_and_the_others_are_counted(run: Path) -> None:
    record = read_record(run)
    main, worker = record.jobs
    many = [
        replace(worker, name=f"w{n}", job_id=str(100 + n), command=(), first_element=n, array=None) for n in range(30)
    ]
    failed = JobReport(JobStatus.FAILED, raw="FAILED")
    there = Evidence(attempt=1, elements_gone=frozenset({*range(28)} - {20}))
    seen = replace(look(run, replace(record, jobs=(main, *many))), evidence=there, reports={"w20": failed})
    going_on = [name for name, _ in facts(settle(seen))]
    assert [name for name in going_on if "job" in name] == ["job scheduler", "job w20", "job w28", "job w29"]
    over = Standing("succeeded", "succeeded", 0)
    found = dict(facts(replace(settle(seen), standing=over)))
    listed = [name for name in found if name.startswith("job w")]
    assert listed == ["job w20", "job w28", "job w29", *(f"job w{n}" for n in range(7))]
    assert found["further jobs"] == f"20 worker jobs; all of them: hpc-launch status {record.id} --json"
    assert len(as_json(replace(settle(seen), standing=over))["jobs"]) == 31


def test_of_an_adaptive_group_bounds_are_told_beside_what_is_wanted_now() -> None:
    pool = Pool(3, "adaptive", 0, 9, connected=2, queued=1)
    assert pool.sentence() == "2 of 3 connected, 0 to 9 as the tasks need, 1 queued"


def test_what_is_wanted_is_told_before_the_keeper_has_taken_it_up(run: Path) -> None:
    assert read_pools(run) == {}
    assert main(["scale", str(run), "--workers", "9"]) == 0
    assert read_pools(run, {"workers": 2})["workers"].sentence() == "2 of 9 connected, not taken up yet"
    told = {"schema": 1, "serial": 1, "groups": {"workers": {"target": 9, "connected": 2}}}
    (run / "pool/status.json").write_text(json.dumps(told))
    assert not read_pools(run)["workers"].pending
    assert main(["scale", str(run), "--minimum", "0", "--maximum", "4"]) == 0
    pool = read_pools(run)["workers"]
    assert (pool.target, pool.maximum, pool.mode, pool.pending) == (4, 4, "adaptive", True)
