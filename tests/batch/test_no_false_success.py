"""Whatever a batch system's commands do: nothing is told that did not happen, and every fault is ours.

One command is spoiled at a time, in every way, while all the others answer well and the accounting even says that the
jobs ended well. Each way is gone through with all that the batch system does by this command.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hpc_launch.batch import BUILT_IN, get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.errors import BatchSystemError
from hpc_launch.models.record import Record
from hpc_launch.runs import settle, status
from hpc_launch.runs.directory import read_record, write_record
from tests.batch.recording import Program
from tests.batch.rigs import FORGETFUL, GONE, LIVING, NAME, RIGS, UNKNOWN_TO_PBS, Rig, forgetful
from tests.runs.jobs import record

FAILING = {
    "fails silently": "exit 1",
    "fails with a message": "echo 'all is lost' >&2; exit 2",
    "fails after something like an id": "echo 7; exit 1",
    "is killed": "kill -KILL $$",
    "hangs": "echo 7; exec sleep 1000",
    "is a shell without the program": "echo 'line 1: command missing' >&2; exit 127",
    "is not there": "",
}
SILENT = "says nothing"
BABBLING = {
    SILENT: "exit 0",
    "greets": "echo 'Welcome to the machine, it is 2026'; echo '*** 42 users ***'",
    "is a web page": "echo '<html><body>COMPLETED 7 502 Bad Gateway</body></html>'",
    "is binary": r"head -c 5000 /dev/zero; printf '\xff\xfe\x00\x07\n\x00'; exit 0",
    "speaks another format": """echo '{"jobs": [{"job_id": 7, "job_state": ["COMPLETED"]}]}'""",
    "stops half way": "printf 'Submitted batch job '",
    "answers for another job": "echo COMPLETED; echo 'job 9 COMPLETED 0'",
    "talks for long": "yes 'COMPLETED 7 0:0 DONE F' | head -c 3000000; exit 0",
}
WAYS = FAILING | BABBLING

EVERY = [(name, purpose) for name in RIGS for purpose in get(name).programs] + [("pbs", "history")]
"""`history` of PBS is its status command with -x, which can go wrong alone."""


def test_all_batch_systems_and_all_their_commands_are_here() -> None:
    assert {*RIGS, "local"} == set(BUILT_IN)  # local: below, it has no command to ask
    assert {purpose for _, purpose in EVERY} == set(CHECKS)
    for name, rig in RIGS.items():
        assert {words[0] for words in get(name).programs.values()} == set(rig.good)


@pytest.fixture(autouse=True)
def script(tmp_path: Path) -> None:
    """What is submitted: some submit commands read it."""
    (tmp_path / "job.sh").write_text("#!/bin/bash\n")


def prepared(name: str, texts: dict[str, str], program: Program) -> BatchSystem:
    for command, text in {**RIGS[name].good, **texts}.items():
        program(command, text)
    return get(name)


def spoiled(name: str, purpose: str, way: str, program: Program) -> BatchSystem:
    """The batch system with the command for one purpose spoiled; and nothing in the queue if it is the accounting."""
    rig, words = RIGS[name], get(name).programs
    texts = dict(rig.not_queued) if purpose == "history" else {}
    if purpose in words:
        texts[words[purpose][0]] = WAYS[way]
    texts = {command: text.replace("BAD", WAYS[way]) for command, text in texts.items()}
    system = prepared(name, texts, program)
    if way == "is not there" and purpose in words:  # under its own name a real one might be found on this machine
        system = get(name, {purpose: ["/nowhere/" + words[purpose][0]]})
    if way == "hangs":
        system.timeout = system.submit_timeout = 0.5
    return system


def states(system: BatchSystem, rig: Rig) -> list[JobReport]:
    told = system.states([rig.job, rig.array, rig.element], {rig.array: 2})
    return [told[rig.job], told[rig.array], told[rig.element]]


# What has to come of it, for each purpose: a silent command that has the right to be silent is no fault.


def check_submit(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    for more in ({}, {"array": 2, "after": rig.job}):
        with pytest.raises(NoAnswer) as caught:  # there may be a job: it must not be taken for refused
            system.submit(place, "job.sh", NAME, **more)  # type: ignore[arg-type]
        assert isinstance(caught.value, NotStarted) is (way == "is not there")


def check_status(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    for report in states(system, rig):
        assert report.status is JobStatus.UNKNOWN
        assert report.raw and report.exit_code is None
    silence = way == SILENT and "status" in rig.silence_is_an_answer
    if "find" in system.programs or silence:  # it is not asked, or the accounting knows the job
        assert system.find(NAME, 0.0) == [rig.job]
    else:
        with pytest.raises(NoAnswer):
            system.find(NAME, 0.0)


def check_history(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    absent = way == "is not there" or (way == SILENT and "history" in rig.silence_is_an_answer)
    for report in states(system, rig):
        if absent and "history" in system.programs:
            assert report.status is JobStatus.GONE
        else:
            assert report.status in (JobStatus.GONE, JobStatus.UNKNOWN)
        assert report.exit_code is None
    if "history" not in system.programs:
        return
    if absent:
        assert system.find(NAME, 0.0) == []
    else:
        with pytest.raises(NoAnswer):
            system.find(NAME, 0.0)


def check_cancel(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    for act in (system.cancel, system.interrupt):
        for ids in ([rig.job], [rig.array], [rig.element, rig.job]):
            if way in FAILING or system.cancel_speaks:
                with pytest.raises(BatchSystemError):
                    act(ids)
            else:  # its good end is all that this command ever says: whether the jobs end the queue tells
                act(ids)
    system.timeout = 30.0
    assert {report.status for report in states(system, rig)} == {JobStatus.RUNNING}


def check_find(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    if way == SILENT and "find" in rig.silence_is_an_answer:
        assert system.find(NAME, 0.0) == []
    else:
        with pytest.raises(NoAnswer):
            system.find(NAME, 0.0)


def check_cluster(system: BatchSystem, rig: Rig, way: str, place: Path) -> None:
    assert system.cluster_name() is None


CHECKS: dict[str, Callable[[BatchSystem, Rig, str, Path], None]] = {
    "submit": check_submit,
    "status": check_status,
    "history": check_history,
    "cancel": check_cancel,
    "find": check_find,
    "cluster": check_cluster,
}


@pytest.mark.parametrize(("name", "purpose"), EVERY)
def test_a_spoiled_command_tells_nothing(name: str, purpose: str, program: Program, tmp_path: Path) -> None:
    for way in WAYS:
        CHECKS[purpose](spoiled(name, purpose, way, program), RIGS[name], way, tmp_path)


@pytest.mark.parametrize("name", RIGS)
def test_unspoiled_all_is_told(name: str, program: Program, tmp_path: Path) -> None:
    system, rig = prepared(name, {}, program), RIGS[name]
    assert system.submit(tmp_path, "job.sh", NAME, 2, rig.job) == rig.job
    assert system.find(NAME, 0.0) == [rig.job]
    told = states(system, rig)
    assert [report.status for report in told] == [JobStatus.RUNNING] * 3
    assert [report.elements for report in told] == [{}, {"running": 2}, {}]
    for ids in ([rig.job], [rig.array], [rig.element]):
        system.interrupt(ids)
        system.cancel(ids)
    assert system.cluster_name() == ("big" if "cluster" in system.programs else None)


@pytest.mark.parametrize("name", RIGS)
def test_a_status_that_never_stops_is_no_answer(name: str, program: Program) -> None:
    command = get(name).programs["status"][0]
    system = prepared(name, {command: "exec yes 'COMPLETED 7'"}, program)
    report = system.states([RIGS[name].job])[RIGS[name].job]
    assert report.status is JobStatus.UNKNOWN
    assert "without end" in report.raw


@pytest.mark.parametrize("name", RIGS)
def test_a_state_that_nobody_knows_is_unknown_and_shown(name: str, program: Program) -> None:
    rig = RIGS[name]
    for command, text in rig.strange.items():
        queue = {} if command in rig.not_queued else rig.not_queued
        for report in states(prepared(name, {**queue, command: text}, program), rig):
            assert report.status is JobStatus.UNKNOWN
            assert "BEWITCHED" in report.raw
            assert report.exit_code is None


@pytest.mark.parametrize("name", RIGS)
def test_a_job_that_nobody_knows_is_gone_and_never_completed(name: str, program: Program) -> None:
    rig = RIGS[name]
    nowhere = {
        "slurm": {**rig.not_queued, "sacct": "exit 0"},
        "pbs": {"qstat": UNKNOWN_TO_PBS},
        "lsf": {
            "bjobs": """for id; do case $id in [0-9]*) echo "Job <$id> is not found" >&2 ;; esac; done; exit 255"""
        },
        "sge": {**rig.not_queued, "qacct": "echo 'error: job id 7 not found' >&2; exit 1"},
    }
    plain, array, element = states(prepared(name, nowhere[name], program), rig)
    assert plain == element == JobReport(JobStatus.GONE)
    assert array == JobReport(JobStatus.GONE, elements={"gone": 2})


@pytest.mark.parametrize("name", RIGS)
def test_the_good_end_of_some_elements_is_not_that_of_the_array(name: str, program: Program) -> None:
    rig = RIGS[name]
    past = {"slurm": "sacct", "pbs": "qstat", "lsf": "bjobs", "sge": "qacct"}[name]
    good = {**rig.good, "bjobs": rig.good.get("bjobs", "").replace("|RUN|", "|DONE|")}[past]
    texts = {**rig.not_queued, past: good}
    if name == "pbs":
        texts = {"qstat": rig.not_queued["qstat"].replace("BAD", good)}
    system = prepared(name, texts, program)
    assert system.states([rig.array], {rig.array: 2})[rig.array].elements == {"completed": 2}
    told = system.states([rig.array], {rig.array: 5})[rig.array]
    rest = "unknown" if name == "lsf" else "gone"  # one command for queue and accounting: it has denied nothing
    assert told.status is JobStatus(rest)
    assert told.elements == {"completed": 2, rest: 3}


def run_of(name: str, number: int, directory: Path) -> tuple[Path, Record]:
    """A run of a scheduler's job and an array of two, with a key, as it was submitted an hour ago."""
    pbs = name in ("pbs", "torque")
    main, workers = (f"{number}.s", f"1{number}[].s") if pbs else (str(number), f"1{number}")
    one = record(name, main)
    two = replace(one.jobs[0], name="workers", role="workers", after="job", job_id=workers, array=2)
    place = directory / f"run-{number}"
    (place / "tls").mkdir(parents=True)
    one = replace(one, id=f"run-{number}", jobs=(*one.jobs, two))
    write_record(place, one)
    return place, one


@pytest.mark.parametrize("name", FORGETFUL)
def test_no_run_that_lives_is_ever_concluded_from_answers_that_leave_ids_out(
    name: str, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torque: None
) -> None:
    """Property, seeded: each question for several jobs, and each for one, leaves out one id in two."""
    monkeypatch.setattr(settle, "SETTLES_AFTER", timedelta(0))  # a second look would make anything final
    for purpose, words in get(name).programs.items():
        if purpose in ("cancel", "signal"):
            program(words[0], f"echo $0 $* >>{tmp_path}/called-off")
    runs = [run_of(name, number, tmp_path) for number in (*LIVING, GONE)]
    seen = Counter[str]()
    for seed in range(8):
        for command, text in forgetful(name, seed).items():
            program(command, text)
        looks = status.bring_all_up_to_date([(place, read_record(place)) for place, _ in runs])
        for view in looks[: len(LIVING)]:
            assert not view.standing.over, view.standing
            assert view.reports["workers"].status not in (JobStatus.COMPLETED, JobStatus.GONE)
            assert (view.directory / "tls").exists() and read_record(view.directory).outcome is None
            seen[view.standing.state] += 1
    assert set(seen) == {"starting", "unknown"}  # and nothing is hidden from us for good
    for command, text in forgetful(name, None).items():
        program(command, text)
    for _ in range(2):
        status.bring_all_up_to_date([(place, read_record(place)) for place, _ in runs])
    gone = read_record(runs[-1][0])
    assert gone.outcome is not None and not (runs[-1][0] / "tls").exists()  # what it denies is gone
    called_off = (tmp_path / "called-off").read_text() if (tmp_path / "called-off").exists() else ""
    assert all(job not in called_off.split() for place, one in runs[:-1] for job in one.job_ids)


def test_a_local_job_that_cannot_be_looked_at_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text("exec sleep 600")
    local = get("local")
    job = local.submit(tmp_path, "job.sh", NAME)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))  # no file can be opened, not even one of /proc
        report = local.states([job])[job]
        with pytest.raises(NoAnswer):
            local.find(NAME, 0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        running = local.states([job])[job].status
        local.cancel([job])
    assert (report.status, running) == (JobStatus.UNKNOWN, JobStatus.RUNNING)
    assert "Too many open files" in report.raw


LOCALLY = [way for way in WAYS if way != "is not there"]


@pytest.mark.parametrize("way", LOCALLY)
def test_a_local_job_never_completes_by_what_its_shell_says(way: str, program: Program, tmp_path: Path) -> None:
    shell = program("their-shell", WAYS[way])
    local = get("local", {"submit": [str(shell)]})
    job = local.submit(tmp_path, "job.sh", NAME)
    assert local.states([job])[job].status in (JobStatus.RUNNING, JobStatus.GONE)
    local.interrupt([job])
    local.cancel([job])
    assert local.states([job])[job].status is JobStatus.GONE
    assert local.find(NAME, 0.0) == []


def test_a_local_shell_that_is_not_there_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="not found"):
        get("local", {"submit": [str(tmp_path / "no-shell")]}).submit(tmp_path, "job.sh", NAME)
