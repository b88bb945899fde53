"""What the batch system is asked, and what its answers say of single elements."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.batch import get
from hpc_launch.batch.lsf.answers import from_fields
from hpc_launch.batch.pbs.answers import report as pbs
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.batch.sge.states import status_of as sge
from hpc_launch.batch.slurm.answers import from_squeue
from hpc_launch.keeper.elements import Element, Phase
from hpc_launch.keeper.ids import ask, ids_of_all
from hpc_launch.keeper.question import told_of_array, told_of_job
from hpc_launch.keeper.values import Submission
from tests.batch.recording import Program

ARRAY = Submission(1, "workers", 5, 4, 4, "run-workers", array=4, job_id="20")


def there(*phases: Phase, submission: Submission = ARRAY) -> dict[int, Element]:
    numbers = zip(submission.numbers, phases, strict=True)
    return {number: Element(number, "workers", 1, phase, submission) for number, phase in numbers}


def report(status: JobStatus, **elements: int) -> JobReport:
    return JobReport(status, elements={name.replace("_", "-"): count for name, count in elements.items()})


def test_an_array_of_which_all_wait_or_all_are_over_says_so_of_each() -> None:
    waiting = there(*[Phase.WAITING] * 4)
    told = told_of_array(ARRAY, report(JobStatus.QUEUED, queued=3, held=1), waiting, 7.0)
    assert told and {each.status for each in told.values()} == {JobStatus.QUEUED} and sorted(told) == [5, 6, 7, 8]
    told = told_of_array(ARRAY, report(JobStatus.FAILED, failed=1, gone=3), waiting, 7.0)
    assert told and all(each.status.over for each in told.values()) and len(told) == 4


def test_as_many_over_as_have_said_so_are_these() -> None:
    elements = there(Phase.LEAVING, Phase.CONNECTED, Phase.WAITING, Phase.ENDED)
    told = told_of_array(ARRAY, report(JobStatus.RUNNING, running=1, queued=1, completed=1, gone=1), elements, 7.0)
    assert told is not None and sorted(told) == [5, 8] and all(each.status.over for each in told.values())


@pytest.mark.parametrize("counts", [{"running": 1, "queued": 2, "failed": 1}, {"running": 1, "queued": 3}])
def test_otherwise_numbers_do_not_say_which(counts: dict[str, int]) -> None:
    """One more is over than has said so, or one that has said so is in the queue again."""
    last = Phase.WAITING if "failed" in counts else Phase.LEAVING
    elements = there(Phase.CONNECTED, Phase.WAITING, Phase.WAITING, last)
    assert told_of_array(ARRAY, report(JobStatus.RUNNING, **counts), elements, 7.0) is None


@pytest.mark.parametrize("running", [1, 2, 3])
def test_one_of_which_nothing_is_heard_is_over_if_all_that_live_are_accounted_for(
    program: Program, running: int
) -> None:
    """Grid Engine lists what lives, and denies no element of an array of which others do."""
    rows = "".join(
        f"<job_list><JB_job_number>20</JB_job_number><state>r</state><tasks>{index}</tasks></job_list>"
        for index in range(2, 2 + running)
    )
    xml = f"<?xml version='1.0'?><job_info><queue_info>{rows}</queue_info></job_info>"
    program("qstat", f'case "$*" in *-xml*) echo "{xml}" ;; *) echo "job_number:     20" ;; esac')
    array = replace(ARRAY, first=5, size=3, array=3)
    elements = there(Phase.CONNECTED, Phase.STARTING, Phase.CONNECTED, submission=array)
    elements[5] = replace(elements[5], phase=Phase.WAITING)
    told = ask(get("sge"), [elements[5], elements[6]], elements)
    assert [number for number, each in told.items() if each.status.over] == ([5] if running == 2 else [])


def test_an_unknown_array_says_nothing_of_its_elements() -> None:
    assert told_of_array(ARRAY, report(JobStatus.UNKNOWN), there(*[Phase.WAITING] * 4), 7.0) == {}
    doubtful = report(JobStatus.RUNNING, running=2, unknown=2)
    assert told_of_array(ARRAY, doubtful, there(*[Phase.STARTING] * 4), 7.0) is None


def test_what_is_suspended_says_so_on_every_batch_system() -> None:
    lsf = [from_fields(f"7|0|{state}|-|-|c1|name|-") for state in ("USUSP", "SSUSP")]
    reports = [*(row[2] for row in lsf if row), *(pbs({"job_state": state}) for state in "SU")]
    reports += [JobReport(status, why=why) for status, why in map(sge, ("s", "S", "T", "tS"))]
    reports += [row[1] for row in [from_squeue(f"{'7':24}{'SUSPENDED':16}{'0':12}{'c1':200}None")] if row]
    assert len(reports) == 9 and all(told_of_job(each, 7.0).suspended for each in reports)


def test_a_job_that_runs_or_waits_is_not_suspended() -> None:
    assert not told_of_job(JobReport(JobStatus.RUNNING), 7.0).suspended
    assert not told_of_job(JobReport(JobStatus.QUEUED, why="other jobs come first"), 7.0).suspended


@pytest.mark.parametrize(
    ("name", "one", "all_"),
    [("slurm", "20_1", "20"), ("pbs", "20[1].s", "20[].s"), ("lsf", "20[2]", "20"), ("sge", "20.2", "20")],
)
def test_elements_are_called_off_by_their_own_ids_and_whole_arrays_by_theirs(name: str, one: str, all_: str) -> None:
    array = Submission(1, "workers", 5, 2, 2, "run-workers", array=2, job_id=all_)
    plain = Submission(2, "workers", 7, 1, 1, "run-workers-2", job_id="21")
    elements = there(Phase.WAITING, Phase.WAITING, submission=array) | there(Phase.WAITING, submission=plain)
    system = get(name)
    assert ids_of_all(system, [6], elements) == [one]
    assert ids_of_all(system, [5, 6, 7], elements) == [all_, "21"]


def test_pbs_is_asked_with_one_command_for_what_waits_and_with_another_for_single_elements(
    program: Program, tmp_path: Path
) -> None:
    counted = {"job_state": "B", "array_state_count": "Queued:1 Running:2 Expired:1"}
    single = {f"20[{number}].s": {"job_state": state} for number, state in enumerate("RRXQ")}
    for name, jobs in {"whole": {"20[].s": counted}, "single": single}.items():
        (tmp_path / name).write_text(json.dumps({"pbs_version": "23", "Jobs": jobs}))
    answer = f'case "$*" in *-t*) cat {tmp_path}/single ;; *) cat {tmp_path}/whole ;; esac'
    program("qstat", f'echo "$@" >>{tmp_path}/asked\n{answer}')
    submission = Submission(1, "workers", 5, 4, 4, "run-workers", array=4, job_id="20[].s")
    elements = there(Phase.CONNECTED, Phase.CONNECTED, Phase.WAITING, Phase.WAITING, submission=submission)
    told = ask(get("pbs"), [elements[7], elements[8]], elements)
    assert (told[7].status.over, told[8].status) == (True, JobStatus.QUEUED)
    assert (tmp_path / "asked").read_text().splitlines()[:2] == ["-f -F json 20[].s", "-t -f -F json 20[2].s 20[3].s"]


def test_lsf_is_asked_for_arrays_and_plain_jobs_together(program: Program, tmp_path: Path) -> None:
    jobs = [*(f"20|{index}|PEND|-|-|-|run-workers|-" for index in (1, 2, 3, 4)), "21|0|RUN|-|-|c1|run-workers-2|-"]
    rows = "\n".join(jobs)
    program("bjobs", f"echo \"$@\" >>{tmp_path}/asked\ncat <<'END'\n{rows}\nEND")
    plain = Submission(2, "workers", 9, 1, 1, "run-workers-2", job_id="21")
    elements = there(*[Phase.WAITING] * 4) | there(Phase.WAITING, submission=plain)
    told = ask(get("lsf"), list(elements.values()), elements)
    assert [told[number].status.value for number in (5, 8, 9)] == ["queued", "queued", "running"]
    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert asked.endswith("20 21")
