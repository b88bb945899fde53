"""Whatever a batch system's commands do: nothing is told that did not happen, and every fault is ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.batch import BUILT_IN, get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.report import JobStatus
from hpc_launch.errors import BatchSystemError
from tests.batch.recording import Program

SYSTEMS = [name for name in BUILT_IN if "status" in get(name).programs]

JOB = {"slurm": "7", "pbs": "7.server", "lsf": "7", "sge": "7"}
_QSTAT = '<?xml version="1.0"?><job_info><queue_info/><job_info>{}</job_info></job_info>'
EMPTY = {"sge": {"qstat": f"echo '{_QSTAT.format('')}'"}}
"""Where a good answer that tells of no job is not empty."""
STRANGE_STATES = {
    "sge": {
        "qstat": _QSTAT.format("<job_list><JB_job_number>7</JB_job_number><state>BEWITCHED</state></job_list>"),
    },
    "pbs": {
        "qstat": '{"pbs_version": "23", "Jobs": {"7.server": {"job_state": "BEWITCHED", "Exit_status": 0}}}',
    },
    "lsf": {"bjobs": "7|0|BEWITCHED|0|-|c1|pi-a1b2c3|-"},
    "slurm": {
        "squeue": f"{'7':24}{'BEWITCHED':16}{'0':12}{'c1':200}None",
        "sacct": "7|BEWITCHED|0:0|c1",
    },
}

FAILING = {
    "fails silently": "exit 1",
    "fails with a message": "echo 'all is lost' >&2; exit 2",
    "fails after something like an id": "echo 7; exit 1",
    "is killed": "kill -KILL $$",
    "hangs": "echo 7; exec sleep 1000",
    "talks without end": "exec yes 'COMPLETED 7'",
    "is a shell without the program": "echo 'command not found' >&2; exit 127",
}
BABBLING = {
    "greets": "echo 'Welcome to the machine, it is 2026'; echo '*** 42 users ***'",
    "is a web page": "echo '<html><body>COMPLETED 7 502 Bad Gateway</body></html>'",
    "is binary": r"head -c 5000 /dev/zero; printf '\xff\xfe\x00\x07'",
    "speaks another format": """echo '{"jobs": [{"job_id": 7, "job_state": ["COMPLETED"]}]}'""",
    "stops half way": "printf 'Submitted batch job '",
    "answers for another job": "echo COMPLETED; echo 'job 8 COMPLETED 0'",
}


@pytest.fixture(autouse=True)
def script(tmp_path: Path) -> None:
    """What is submitted: some submit commands read it."""
    (tmp_path / "job.sh").write_text("#!/bin/bash\n")


def prepared(name: str, programs: dict[str, str], program: Program) -> BatchSystem:
    system = get(name)
    for words in system.programs.values():
        program(words[0], programs.get(words[0], "exit 0"))
    system.timeout = system.submit_timeout = 0.6
    return system


def everywhere(name: str, text: str) -> dict[str, str]:
    return {words[0]: text for words in get(name).programs.values()}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("text", FAILING.values(), ids=FAILING)
def test_commands_that_fail_tell_nothing(name: str, text: str, program: Program, tmp_path: Path) -> None:
    system = prepared(name, everywhere(name, text), program)
    report = system.states([JOB[name]])[JOB[name]]
    assert report.status is JobStatus.UNKNOWN
    assert report.raw  # what it said, for people
    assert report.exit_code is None
    with pytest.raises(NoAnswer):  # there may be a job: it must not be taken for refused
        system.submit(tmp_path, "job.sh", "pi-a1b2c3")
    with pytest.raises(BatchSystemError):
        system.find("pi-a1b2c3", 0.0)
    with pytest.raises(BatchSystemError):
        system.cancel([JOB[name]])
    assert system.cluster_name() is None


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("text", BABBLING.values(), ids=BABBLING)
def test_commands_that_babble_tell_nothing(name: str, text: str, program: Program, tmp_path: Path) -> None:
    system = prepared(name, everywhere(name, text), program)
    report = system.states([JOB[name]])[JOB[name]]
    assert report.status is JobStatus.UNKNOWN
    assert report.exit_code is None
    with pytest.raises(NoAnswer):
        system.submit(tmp_path, "job.sh", "pi-a1b2c3")
    with pytest.raises(NoAnswer):
        system.find("pi-a1b2c3", 0.0)
    assert system.cluster_name() is None


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("text", [FAILING["fails silently"], BABBLING["is a web page"]], ids=["fails", "babbles"])
def test_a_bad_queue_alone_never_makes_a_job_finished(name: str, text: str, program: Program) -> None:
    status = get(name).programs["status"][0]
    system = prepared(name, {status: text}, program)  # the others give an empty answer
    assert system.states([JOB[name]])[JOB[name]].status is JobStatus.UNKNOWN


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_state_that_nobody_knows_is_unknown_and_shown(name: str, program: Program) -> None:
    for command, line in STRANGE_STATES[name].items():
        system = prepared(name, {command: f"echo '{line}'"}, program)
        report = system.states([JOB[name]])[JOB[name]]
        assert report.status is JobStatus.UNKNOWN
        assert "BEWITCHED" in report.raw
        assert report.exit_code is None


@pytest.mark.parametrize("name", SYSTEMS)
def test_empty_answers_mean_gone_and_never_completed(name: str, program: Program, tmp_path: Path) -> None:
    system = prepared(name, EMPTY.get(name, {}), program)
    assert system.states([JOB[name]])[JOB[name]].status is JobStatus.GONE
    with pytest.raises(NoAnswer):
        system.submit(tmp_path, "job.sh", "pi-a1b2c3")


@pytest.mark.parametrize("name", SYSTEMS)
def test_commands_that_are_not_there_tell_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {purpose: [str(tmp_path / words[0])] for purpose, words in get(name).programs.items()}
    system = get(name, missing)
    assert system.states([JOB[name]])[JOB[name]].status is JobStatus.UNKNOWN
    for act in (
        lambda: system.submit(tmp_path, "job.sh", "x"),
        lambda: system.find("x", 0.0),
        lambda: system.cancel([JOB[name]]),
    ):
        with pytest.raises(NoAnswer, match="not found"):
            act()
    assert system.cluster_name() is None
