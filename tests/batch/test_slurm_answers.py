"""Slurm's own answers, recorded from a real one (`answers/README.md`), and what sites and bad days add."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.batch.slurm.answers import expanded, from_sacct, from_squeue
from hpc_launch.batch.slurm.commands import Slurm
from hpc_launch.batch.slurm.states import sentence
from tests.batch.recording import ANSWERS, Answers, Program, recorded

IDS = dict(line.split() for line in (ANSWERS / "ids.txt").read_text().splitlines())
"""What each of the recorded jobs was made for → its id."""

NAME = "pi-a1b2c3"
NAME_BY_ID = {job: what for what, job in IDS.items()}


@pytest.fixture
def slurm() -> BatchSystem:
    return get("slurm")


def states(slurm: BatchSystem) -> dict[str, JobReport]:
    return {NAME_BY_ID[job]: report for job, report in slurm.states(list(IDS.values())).items()}


# Submitting


def test_the_command_of_a_submission(slurm: BatchSystem) -> None:
    assert slurm.submit_command("job.sh", "{run}") == ["sbatch", "--parsable", "--job-name={run}", "job.sh"]


def test_submit_gives_the_id(slurm: BatchSystem, answers: Answers, tmp_path: Path) -> None:
    answers("sbatch-accepted")
    assert slurm.submit(tmp_path, "job.sh", NAME) == "1"


def test_submit_runs_in_the_directory_with_nothing_but_the_configuration(
    slurm: BatchSystem, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "it's a run $(touch pwned)\nö"
    directory.mkdir()
    for name in ("SBATCH_PARTITION", "SLURM_JOB_ID", "SLURM_CLUSTERS", "SRUN_CPUS_PER_TASK", "SLURM_CONF"):
        monkeypatch.setenv(name, "given")
    program("sbatch", "pwd >where; env -0 >environment; echo 5")
    assert slurm.submit(directory, "job.sh", NAME) == "5"
    assert (directory / "where").read_text() == f"{directory}\n"
    variables = dict(line.split("=", 1) for line in (directory / "environment").read_text().split("\0") if line)
    assert variables["PWD"] == str(directory)
    assert {name for name in variables if name.startswith(("S", "P"))} - {"SHLVL"} == {
        "PATH",
        "PWD",
        "SLURM_CONF",
    }


REFUSED = {
    "partition": "Invalid partition name specified",
    "memory": "Memory specification can not be satisfied",
    "constraint": "Invalid feature specification",
    "reservation": "Requested reservation is invalid",
    "array": "Invalid job array specification",
    "option": "unrecognized option",
    "mutually-exclusive": "mutually exclusive",
    "job": "does not look like a batch script",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_told_in_slurms_words(slurm: BatchSystem, answers: Answers, tmp_path: Path, what: str) -> None:
    answers(f"sbatch-refused-{what}")
    with pytest.raises(Refused, match=REFUSED[what]) as caught:
        slurm.submit(tmp_path, "job.sh", "x")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    "words",
    [
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
        "Zero Bytes were transmitted or received",
        "Slurm temporarily unable to accept job, sleeping and retrying",
        "Resource temporarily unavailable",
        "Protocol authentication error",
        "Unexpected message received",
        "Slurm backup controller in standby mode",
    ],
)
def test_a_controller_that_was_not_reached_did_not_refuse(
    slurm: BatchSystem, program: Program, tmp_path: Path, words: str
) -> None:
    program("sbatch", f"echo 'sbatch: error: Batch job submission failed: {words}' >&2; exit 1")
    with pytest.raises(NoAnswer, match=words.split("(")[0]):
        slurm.submit(tmp_path, "job.sh", NAME)


def test_a_controller_that_is_down_did_not_refuse(slurm: BatchSystem, answers: Answers, tmp_path: Path) -> None:
    answers("sbatch-down", "scancel-down", "scontrol-down")
    with pytest.raises(NoAnswer, match="Unable to contact"):
        slurm.submit(tmp_path, "job.sh", NAME)
    with pytest.raises(NoAnswer, match="Unable to contact"):
        slurm.cancel([IDS["run"]])
    assert slurm.cluster_name() is None


@pytest.mark.parametrize(
    ("printed", "job"),
    [
        ("36", "36"),
        ("36;cluster", "36"),
        ("36;cluster-2.example", "36"),
        ("Submitted batch job 36", "36"),
        ("Submitted batch job 36 on cluster big", "36"),
        ("sbatch: Submitted batch job 36", "36"),
        ("sbatch: submitted batch job 36", "36"),
        ("\t 36 \t", "36"),
        ("36\r", "36"),
        ("Welcome!\n2026-11-22: 4 nodes are down\n\n36\n", "36"),
        ("36\nThank you for using 12 cores\n*** 2026 ***", "36"),
        ("----\n7;not an id\nSubmitted batch job 36\n7\n", "36"),
        ("", None),
        ("Welcome, 42 jobs wait", None),
        ("Submitted batch job", None),
        ("Submitted batch job 12x", None),
        ("0", None),
        ("-5", None),
        ("3.6", None),
        ("Granted job allocation 36", None),
    ],
)
def test_the_id_is_found_among_whatever_stands_around_it(slurm: BatchSystem, printed: str, job: str | None) -> None:
    assert slurm.job_id(printed) == job


banner = st.lists(st.text(max_size=40).filter(lambda line: Slurm().job_id(line) is None), max_size=4)


@given(banner, st.integers(1, 2**32), st.sampled_from(["{}", "{};big", "Submitted batch job {}"]), banner)
def test_banners_do_no_harm(before: list[str], number: int, form: str, after: list[str]) -> None:
    printed = "\n".join([*before, form.format(number), *after])
    assert Slurm().job_id(printed) == str(number)


def test_an_id_that_comes_with_a_failure_is_not_trusted(slurm: BatchSystem, program: Program, tmp_path: Path) -> None:
    program("sbatch", "echo 36; echo 'sbatch: error: the wrapper broke' >&2; exit 1")
    with pytest.raises(NoAnswer):  # not refused: there may well be a job 36
        slurm.submit(tmp_path, "job.sh", NAME)


# States


def test_the_states_of_jobs_that_wait_run_and_have_just_ended(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-early")
    told = states(slurm)
    assert {what: str(report.status) for what, report in told.items()} == {
        "ok": "completed",
        "seven": "failed",
        "signal": "failed",
        "memory": "out-of-memory",
        "timeout": "running",
        "crash": "running",
        "requeue": "running",
        "run": "running",
        "interrupted": "running",
        "cancelled": "running",
        "held": "held",
        "begin": "queued",
        "dependency": "queued",
        "never": "queued",
        "unqueued": "held",
        "walltime": "queued",
        "nodes": "queued",
        "resources": "queued",
        "priority": "queued",
        "array": "queued",
    }
    assert told["crash"].nodes == "c[2-3]"
    assert {what: report.exit_code for what, report in told.items() if report.exit_code is not None} == {
        "ok": 0,
        "seven": 7,
        "signal": 137,
    }


def test_why_jobs_wait_is_told_in_sentences(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-early")
    why = {what: report.why for what, report in states(slurm).items()}
    for what, words in {
        "held": "you hold it back",
        "begin": "earliest start",
        "dependency": "waits for another job",
        "never": "will never start",
        "walltime": "walltime is more than the queue",
        "nodes": "more nodes than the queue",
        "resources": "waits for nodes to become free",
        "priority": "other jobs come first",
    }.items():
        assert words in why[what]
    assert why["run"] == why["ok"] == why["seven"] == why["memory"] == ""


LATE = {
    "ok": ("completed", 0),
    "seven": ("failed", 7),
    "signal": ("failed", 137),
    "memory": ("out-of-memory", None),
    "timeout": ("timeout", None),
    "crash": ("node-failure", None),
    "interrupted": ("failed", 3),
    "cancelled": ("cancelled", None),
    "unqueued": ("cancelled", None),
}


def test_the_states_of_jobs_that_ended_a_while_ago(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-late")
    told = states(slurm)
    assert {what: (str(told[what].status), told[what].exit_code) for what in LATE} == LATE
    assert told["requeue"].status is JobStatus.QUEUED  # its node crashed, and it waits again
    assert told["array"].status is JobStatus.RUNNING  # two elements of it; the others wait
    assert told["resources"].why == "nodes that it needs are down, drained or reserved for others"


def test_the_accounting_tells_the_same_of_jobs_that_squeue_has_forgotten(
    slurm: BatchSystem, answers: Answers, program: Program
) -> None:
    answers("sacct-late")
    forgotten(program)
    told = states(slurm)
    assert {what: (str(told[what].status), told[what].exit_code) for what in LATE} == LATE
    for what in IDS.keys() - LATE.keys():  # it believes that they wait or run: squeue knows better
        assert told[what].status is JobStatus.UNKNOWN
        assert "not in the queue" in told[what].raw


def test_a_completing_job_has_not_ended_yet(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-completing")
    assert slurm.states([IDS["cancelled"]])[IDS["cancelled"]].status is JobStatus.ENDING


def test_an_array_and_its_elements(slurm: BatchSystem, answers: Answers) -> None:
    array = IDS["array"]
    answers("squeue-array")
    assert slurm.states([array])[array].status is JobStatus.QUEUED
    answers("squeue-element")
    assert slurm.states([f"{array}_1"])[f"{array}_1"].status is JobStatus.QUEUED


def forgotten(program: Program) -> None:
    """A squeue that knows no job: of several ids, or of a name, it passes over them, alone each is an error."""
    alone, several = (recorded(f"squeue-{name}").script_for_anything() for name in ("denied", "unknown"))
    program("squeue", f'if [[ "$*" =~ --jobs=[^,\\ ]+(\\ |$) ]]; then\n{alone}\nfi\n{several}')


def test_a_job_that_nobody_knows_is_gone(slurm: BatchSystem, answers: Answers, program: Program) -> None:
    answers("sacct-unknown")
    forgotten(program)
    assert slurm.states(["999999"]) == {"999999": JobReport(JobStatus.GONE)}


def test_a_silence_of_squeue_alone_says_nothing(slurm: BatchSystem, answers: Answers, program: Program) -> None:
    answers("sacct-unknown")
    program("squeue", "exit 0")
    report = slurm.states(["999999"])["999999"]
    assert report.status is JobStatus.UNKNOWN and "left out 999999" in report.raw


def test_without_accounting_a_forgotten_job_is_gone(slurm: BatchSystem, answers: Answers, program: Program) -> None:
    answers("sacct-disabled")
    forgotten(program)
    assert slurm.states(["999999"]) == {"999999": JobReport(JobStatus.GONE)}


def test_without_sacct_a_forgotten_job_is_gone(program: Program, tmp_path: Path) -> None:
    forgotten(program)
    slurm = get("slurm", {"history": [str(tmp_path / "no-sacct")]})
    assert slurm.states(["999999"]) == {"999999": JobReport(JobStatus.GONE)}


def test_an_accounting_that_fails_leaves_a_forgotten_job_unknown(slurm: BatchSystem, program: Program) -> None:
    forgotten(program)
    program("sacct", "echo 'sacct: error: Problem talking to the database: Connection refused' >&2; exit 1")
    report = slurm.states(["999999"])["999999"]
    assert report.status is JobStatus.UNKNOWN
    assert "Problem talking to the database" in report.raw


def test_while_the_queue_cannot_be_read_the_accounting_is_not_believed(
    slurm: BatchSystem, answers: Answers, program: Program
) -> None:
    answers("squeue-down")
    program("sacct", f"echo '{IDS['run']}|NODE_FAIL|0:0|c3'; echo '{IDS['seven']}|COMPLETED|0:0|c1'")
    told = slurm.states([IDS["run"], IDS["seven"]])
    assert {report.status for report in told.values()} == {JobStatus.UNKNOWN}
    assert "Unable to contact slurm controller" in told[IDS["run"]].raw


def test_a_cluster_heading_is_no_reason_for_doubt(program: Program) -> None:
    line = recorded("squeue-one").stdout
    denied = recorded("squeue-denied").script_for_anything()
    program("squeue", f"echo 'CLUSTER: big'\ncase $* in *--jobs=999999\\ *) {denied} ;; esac\nprintf %s '{line}'")
    program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    slurm = get("slurm", {"status": ["squeue", "--clusters=big"]})
    told = slurm.states([IDS["run"], "999999"])
    assert [report.status for report in told.values()] == [JobStatus.RUNNING, JobStatus.GONE]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("CANCELLED by 1234", "cancelled"),
        ("CANCELLED+", "cancelled"),
        ("CA", "cancelled"),
        ("COMPLETING", "ending"),
        ("CG", "ending"),
        ("CONFIGURING", "queued"),
        ("REQUEUED", "queued"),
        ("RH", "held"),
        ("SPECIAL_EXIT", "held"),
        ("SUSPENDED", "suspended"),
        ("STOPPED", "suspended"),
        ("PREEMPTED", "preempted"),
        ("DEADLINE", "timeout"),
        ("TO", "timeout"),
        ("BOOT_FAIL", "node-failure"),
        ("NF", "node-failure"),
        ("OOM", "out-of-memory"),
        ("REVOKED", "unknown"),
        ("completed", "completed"),
        ("BEWITCHED", "unknown"),
        ("COMPLETED?", "unknown"),
    ],
)
def test_every_state_has_a_place(state: str, status: str) -> None:
    row = from_sacct(f"7|{state}|0:0|c1")
    assert row is not None
    assert str(row[1].status) == status
    assert row[1].raw == state


@pytest.mark.parametrize(
    ("state", "code", "nodes", "expected"),
    [
        ("COMPLETED", "0:0", "c1", ("completed", 0)),
        ("FAILED", "7:0", "c1", ("failed", 7)),
        ("FAILED", "0:9", "c1", ("failed", 137)),
        ("FAILED", "0:15", "c1", ("failed", 143)),
        ("FAILED", "1:0", "None assigned", ("failed", None)),  # it never ran
        ("COMPLETED", "7:0", "c1", ("failed", 7)),  # it contradicts itself: no success
        ("COMPLETED", "", "c1", ("completed", None)),
        ("TIMEOUT", "0:0", "c1", ("timeout", None)),
        ("CANCELLED by 5", "0:15", "c1", ("cancelled", None)),
        ("OUT_OF_MEMORY", "0:125", "c1", ("out-of-memory", None)),
    ],
)
def test_exit_codes(state: str, code: str, nodes: str, expected: tuple[str, int | None]) -> None:
    row = from_sacct(f"7|{state}|{code}|{nodes}")
    assert row is not None
    assert (str(row[1].status), row[1].exit_code) == expected


@given(st.text(), st.integers(0, 1))
def test_no_text_breaks_the_reading_or_finishes_a_job(text: str, returncode: int) -> None:
    for read in (from_squeue, from_sacct):
        told = Slurm().told(Answer(("x",), returncode, text, ""), read)
        assert told.doubt or told.reports or not (text.strip() or returncode)
        assert all(report.status is not JobStatus.COMPLETED for report in told.reports.values())


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("None", ""),
        ("Reservation", "reservation has not begun"),
        ("ReqNodeNotAvail, UnavailableNodes:c[2-3]", "UnavailableNodes:c[2-3]"),
        ("QOSMaxCpuPerUserLimit", "you have all that its QOS lets you have"),
        ("QOSMaxWallDurationPerJobLimit", "more than its QOS allows for one job"),
        ("QOSGrpNodeLimit", "its QOS has all that it may have"),
        ("AssocGrpCpuLimit", "its account has all that it may have"),
        ("AssocGrpBillingMinutes", "its account has used up the time that it was given"),
        ("AssocGrpCPURunMinutesLimit", "its account has all that it may have at once: it waits for its turn"),
        ("QOSGrpWallLimit", "its QOS has used up the time"),
        ("AssocMaxJobsLimit", "you have all that its account lets you have at once: it waits for its turn"),
        ("AssocMaxSubmitJobLimit", "it waits for its turn"),
        ("QOSMaxJobsPerUserLimit", "it waits for its turn"),
        ("QOSMaxGRESPerUser", "it waits for its turn"),
        ("MaxCpuPerAccount", "it waits for its turn"),
        ("AssocMaxNodePerJobLimit", "more than its account allows for one job, and so will never start: cancel it"),
        ("AssocMaxCpuPerNode", "more than its account allows for one job"),
        ("QOSMaxMemPerJob", "more than its QOS allows for one job"),
        ("QOSMinCpuNotSatisfied", "less than its QOS wants of a job, and so will never start"),
        ("InvalidAccount", "sacctmgr show associations"),
        ("InvalidQOS", "sacctmgr show associations"),
        ("A_reason_of_tomorrow", "A_reason_of_tomorrow"),
    ],
)
def test_reasons_are_told_in_sentences_and_unknown_ones_as_they_are(reason: str, words: str) -> None:
    assert words in sentence(reason)
    assert bool(sentence(reason)) is bool(words)


# Finding and ending


def test_a_job_is_found_by_its_name(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-find")
    assert slurm.find(NAME, time.time() - 200) == [IDS["ok"]]


def test_a_job_that_squeue_has_forgotten_is_found_in_the_accounting(
    slurm: BatchSystem, answers: Answers, program: Program
) -> None:
    answers("sacct-find-accounting")
    program("squeue", "exit 0")
    assert slurm.find(NAME, time.time() - 200) == [IDS["ok"]]


def test_a_job_that_never_was_is_not_found(slurm: BatchSystem, answers: Answers, program: Program) -> None:
    none = recorded("squeue-find-none").script_for_anything()
    program("squeue", f"""case "$*" in *--name=*) {none} ;; *) echo '20 else' ;; esac""")
    answers("sacct-find-none")
    assert slurm.find("pi-ffffff", time.time() - 200) == []
    answers("sacct-find-none-disabled")
    assert slurm.find("pi-ffffff", time.time() - 200) == []
    assert slurm.find("else", time.time() - 200) == ["20"]  # what the question for its name left out


def test_elements_of_an_array_are_found_as_the_array(slurm: BatchSystem, program: Program) -> None:
    program("squeue", f"printf '%s\\n' '20_[4-7%2] {NAME}' '20_1 {NAME}' '21 {NAME}-else'")
    assert slurm.find(NAME, 0.0) == ["20"]


def test_cancel_and_interrupt_leave_jobs_alone_that_are_over(slurm: BatchSystem, answers: Answers) -> None:
    answers("scancel-cancel")
    slurm.cancel([IDS["cancelled"], IDS["unqueued"]])
    answers("scancel-cancel-over")
    slurm.cancel([IDS["seven"]])
    answers("scancel-cancel-unknown")
    slurm.cancel(["999999"])
    answers("scancel-interrupt-queued")
    slurm.interrupt([IDS["held"], IDS["interrupted"]])
    answers("scancel-interrupt-over")
    slurm.interrupt([IDS["seven"]])
    answers("scancel-interrupt-unknown")
    slurm.interrupt(["999999"])


def test_the_job_of_another_user_is_not_ours_to_cancel(slurm: BatchSystem, program: Program) -> None:
    program(
        "scancel",
        "echo 'scancel: error: Kill job error on job id 1: Invalid job id specified' >&2\n"
        "echo 'scancel: error: Kill job error on job id 2: Access/permission denied' >&2; exit 1",
    )
    with pytest.raises(Refused, match="Access/permission denied"):
        slurm.cancel(["1", "2"])


def test_the_name_of_the_cluster(slurm: BatchSystem, answers: Answers) -> None:
    answers("scontrol-config")
    assert slurm.cluster_name() == "testbed"


# Arrays


def test_an_array_says_its_range_itself_and_waits_for_the_start_of_another_job(slurm: BatchSystem) -> None:
    command = slurm.submit_command("workers.sh", "{run}-workers", 300, "{job:scheduler}", "logs/workers-job")
    assert command == [
        *("sbatch", "--parsable", "--job-name={run}-workers", "--array=0-299", "--output=logs/workers-job-%a.log"),
        *("--dependency=after:{job:scheduler}", "workers.sh"),
    ]
    command = slurm.submit_command("workers.sh", "x-workers-7", log="logs/workers-7-job")
    assert command == [
        *("sbatch", "--parsable", "--job-name=x-workers-7", "--output=logs/workers-7-job.log", "workers.sh")
    ]


def test_a_waiting_array_tells_how_many_elements_wait(slurm: BatchSystem, answers: Answers) -> None:
    array = IDS["array"]
    answers("squeue-array")
    report = slurm.states([array], {array: 8})[array]
    assert (report.status, report.elements) == (JobStatus.QUEUED, {"queued": 8})
    assert report.why.startswith("other jobs come first")
    answers("squeue-element")
    assert slurm.states([f"{array}_1"])[f"{array}_1"].elements == {}


def test_an_array_of_which_a_part_runs_is_told_by_the_recorded_queue(slurm: BatchSystem, answers: Answers) -> None:
    answers("squeue-late")
    lines = [line.split() for line in recorded("squeue-late").stdout.splitlines()]
    running = sum(line[0].startswith("25_") and line[1] == "RUNNING" for line in lines)
    assert running == 2
    told = states(slurm)["array"]
    assert told.elements == {"running": 2, "queued": 6}


def test_five_arrays_of_a_thousand_are_one_question(slurm: BatchSystem, program: Program, tmp_path: Path) -> None:
    line = f"{'%s_%s':24}{'%s':16}{'0':12}{'':200}{'Priority':120}"
    (tmp_path / "rows").write_text(
        "".join(
            line % (array, element, "RUNNING" if element < 10 else "PENDING") + "\n"
            for array in range(101, 106)
            for element in range(1000)
        )
    )
    program("squeue", f"echo called >>{tmp_path}/calls; cat {tmp_path}/rows")
    program("sacct", f"echo called >>{tmp_path}/calls")
    arrays = {str(array): 1000 for array in range(101, 106)}
    told = slurm.states(list(arrays), arrays)
    assert (tmp_path / "calls").read_text() == "called\n"
    assert [report.elements for report in told.values()] == [{"running": 10, "queued": 990}] * 5


@pytest.mark.parametrize(
    ("job", "elements"),
    [
        ("20_[0-2,7%2]", ["20_0", "20_1", "20_2", "20_7"]),
        ("20_[4]", ["20_4"]),
        ("20_[0-8:4]", ["20_0", "20_4", "20_8"]),
        ("20_[1,3,...]", ["20_1", "20_3"]),  # it cuts long lists
        ("20_5", ["20_5"]),
        ("20", ["20"]),
        ("20_[0-4294967295]", ["20_[0-4294967295]"]),  # no such array: not taken apart
        ("20_[9-3]", ["20_[9-3]"]),
        ("20_[,,]", ["20_[,,]"]),
        ("20_[rm -rf]", ["20_[rm -rf]"]),
    ],
)
def test_elements_that_never_started_are_taken_apart(job: str, elements: list[str]) -> None:
    report = JobReport(JobStatus.CANCELLED)
    assert expanded({job: report}) == dict.fromkeys(elements, report)


def test_an_array_that_was_cancelled_before_it_started_is_told_by_the_accounting(
    slurm: BatchSystem, program: Program
) -> None:
    forgotten(program)
    program("sacct", "echo '20_[3-9%2]|CANCELLED by 1000|0:0|None assigned'; echo '20_2|COMPLETED|0:0|c1'")
    told = slurm.states(["20", "20_7", "20_1"], {"20": 10})
    assert told["20"].elements == {"cancelled": 7, "completed": 1, "gone": 2}
    assert [str(told[job].status) for job in told] == ["cancelled", "cancelled", "gone"]


def test_of_an_array_whose_last_elements_ended_well_the_accounting_is_asked_for_the_first(
    slurm: BatchSystem, program: Program
) -> None:
    # squeue forgets an element some minutes after its end (slurm.conf(5), MinJobAge)
    program("squeue", f"echo '{'20_9':24}{'COMPLETED':16}{'0':12}{'c1':200}None'")
    program("sacct", "echo '20_0|FAILED|7:0|c1'; echo '20_9|COMPLETED|0:0|c1'")
    assert slurm.states(["20"])["20"].status is JobStatus.FAILED
    program("sacct", "echo 'sacct: error: Connection refused' >&2; exit 1")
    assert slurm.states(["20"])["20"].status is JobStatus.UNKNOWN
    program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    told = slurm.states(["20"], {"20": 10})["20"]  # no denial, as long as squeue knows one
    assert (told.status, told.elements) == (JobStatus.UNKNOWN, {"completed": 1, "unknown": 9})
    assert slurm.states(["20"], {"20": 1})["20"].status is JobStatus.COMPLETED


def test_an_array_and_its_elements_are_ended_by_their_own_ids(
    slurm: BatchSystem, program: Program, tmp_path: Path
) -> None:
    program("scancel", f'printf "%s\\n" "$*" >>{tmp_path}/asked')
    slurm.cancel(["20", "21_4"])
    slurm.interrupt(["20", "21_4"])
    assert (tmp_path / "asked").read_text().splitlines() == [
        "20 21_4",
        "--batch --signal=TERM --state=RUNNING 20 21_4",
    ]


def test_a_rehearsal_tells_when_it_would_start_and_a_refusal_is_one(tmp_path: Path) -> None:
    """Words of a real 22.05."""
    accepted = "echo 'sbatch: Job 78 to start at 2026-11-22T07:17:31 using 1 processors on nodes c1' >&2"
    refused = "echo 'allocation failure: Requested node configuration is not available' >&2; exit 1"
    for script, expected in ((accepted, "2026-11-22 07:17:31"), (refused, None)):
        program = tmp_path / "sbatch"
        program.write_text(f"#!/bin/bash\n[ \"$*\" = '--test-only job.sh' ] || exit 9\n{script}\n")
        program.chmod(0o755)
        system = get("slurm", {"submit": [str(program)]})
        if expected:
            assert expected in system.rehearse(tmp_path, "job.sh")
        else:
            with pytest.raises(Refused, match="configuration is not available"):
                system.rehearse(tmp_path, "job.sh")
