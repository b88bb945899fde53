"""Grid Engine's own answers, recorded from a real one (`answers/sge/README.md`)."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.batch.sge.answers import from_qacct, jobs_of
from hpc_launch.batch.sge.commands import GridEngine
from hpc_launch.batch.sge.states import LETTERS, causes, status_of
from tests.batch.recording import ANSWERS, Answers, Program, Replay, recorded

IDS = dict(line.split() for line in (ANSWERS / "sge/ids.txt").read_text().splitlines())
"""What each of the recorded jobs was made for → its id."""
NAME = "pi-a1b2c3"
NONE = "<?xml version='1.0'?>\n<job_info>\n  <queue_info>\n  </queue_info>\n  <job_info>\n  </job_info>\n</job_info>"


@pytest.fixture
def sge() -> BatchSystem:
    return get("sge")


@pytest.fixture
def qstat(program: Program) -> Program:
    """A qstat that gives one recorded answer to -xml and another to -j."""

    def make(listing: str, why: str) -> Path:
        one, other = (recorded(f"sge/{name}").script_for_anything() for name in (listing, why))
        return program("qstat", f'if [ "$1" = -j ]; then\n{other}\nfi\n{one}')

    return make


def states(sge: BatchSystem) -> dict[str, JobReport]:
    told = sge.states(list(IDS.values()))
    return {what: told[job] for what, job in IDS.items()}


DENIED = """if [ "$1" = -j ]; then echo 'Following jobs do not exist: ' >&2; echo "${2//,/, }" >&2; exit 1; fi\n"""
"""A qstat -j that is asked for nothing but jobs that are gone: the words of `sge/qstat-denied.txt`."""


# Submitting


def test_the_command_of_a_submission(sge: BatchSystem) -> None:
    assert sge.submit_command("job.sh", "{run}") == ["qsub", "-terse", "-N", "{run}", "job.sh"]


@pytest.mark.parametrize(
    ("answer", "what"), [("accepted", "ok"), ("accepted-array", "array"), ("accepted-aloud", "aloud")]
)
def test_submit_gives_the_id(sge: BatchSystem, replay: Replay, tmp_path: Path, answer: str, what: str) -> None:
    replay(f"sge/qsub-{answer}")
    assert sge.submit(tmp_path, "job.sh", NAME) == {**IDS, "aloud": "3"}[what]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("queue", 'unknown queue "nosuch"'),
        ("project", 'project "nosuch" does not exist'),
        ("environment", 'parallel environment "nosuch" does not exist'),
        ("resource", 'unknown resource "nosuch"'),
        ("reservation", "advance reservation id 99 is invalid"),
        ("option", "invalid option argument"),
        ("job", "error opening nosuch.sh"),
    ],
)
def test_a_refusal_is_told_in_grid_engines_words(
    sge: BatchSystem, replay: Replay, tmp_path: Path, what: str, words: str
) -> None:
    replay(f"sge/qsub-refused-{what}")
    with pytest.raises(Refused, match=words):
        sge.submit(tmp_path, "job.sh", NAME)


@pytest.mark.parametrize(
    ("what", "command"),
    [("queue", "qconf -sql"), ("project", "qconf -sprjl"), ("environment", "qconf -spl"), ("resource", "qconf -sc")],
)
def test_a_refusal_names_the_command_that_lists_what_there_is(
    sge: BatchSystem, replay: Replay, tmp_path: Path, what: str, command: str
) -> None:
    replay(f"sge/qsub-refused-{what}")
    with pytest.raises(Refused, match=f"`{command}` lists what there is"):
        sge.submit(tmp_path, "job.sh", NAME)


def test_a_qmaster_that_is_down_did_not_refuse(sge: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    for command in ("qsub", "qstat", "qdel"):
        replay(f"sge/{command}-down")
    with pytest.raises(NoAnswer, match="Connection refused"):
        sge.submit(tmp_path, "job.sh", NAME)
    with pytest.raises(NoAnswer):
        sge.find(NAME, 0.0)
    for act in (sge.cancel, sge.interrupt):
        with pytest.raises(NoAnswer):
            act(["1"])
    assert sge.states(["1"])["1"].status is JobStatus.UNKNOWN


@pytest.mark.parametrize(
    ("printed", "job"),
    [
        ("36", "36"),
        ("36.1-10:1", "36"),
        ('Your job 36 ("pi-a1b2c3") has been submitted', "36"),
        ('Your job-array 36.1-10:1 ("pi 7") has been submitted', "36"),
        ('Welcome to 2026!\n\nYour job 36 ("7") has been submitted\n12\n', "36"),
        ("Welcome!\n36\nThank you, 42 users\n", "36"),
        ("", None),
        ("0", None),
        ("36.", None),
        ("Your job 36", None),
    ],
)
def test_the_id_is_found_among_whatever_stands_around_it(sge: BatchSystem, printed: str, job: str | None) -> None:
    assert sge.job_id(printed) == job


# States


def test_the_states_of_jobs_that_wait_run_and_have_ended(sge: BatchSystem, program: Program, replay: Replay) -> None:
    why, listing = (recorded(f"sge/qstat-{name}").script_for_anything() for name in ("why", "early"))
    gone = ",".join(IDS[what] for what in ("ok", "seven", "signal", "walltime", "mpi", "codes"))
    program("qstat", f'if [ "$2" = {gone} ]; then {DENIED}fi\nif [ "$1" = -j ]; then {why}\nfi\n{listing}')
    replay("sge/qacct-unknown")
    program("qalter", "echo 'verification: no suitable queues'")
    told = states(sge)
    assert {what: str(report.status) for what, report in told.items()} == {
        **dict.fromkeys(("ok", "seven", "signal", "walltime", "mpi", "codes"), "gone"),
        **dict.fromkeys(("array", "running", "deleted", "sig"), "running"),
        **dict.fromkeys(("held", "dependency", "unqueued", "error"), "held"),
        "toolarge": "queued",
    }
    assert told["running"].nodes == "c2"
    assert told["toolarge"].why == (
        'the machine can never give what it asks for: cancel it (cannot run in PE "smp" because it only offers 0 slots)'
    )
    assert told["dependency"].why == "it waits until job 7 has ended"
    assert told["error"].why.endswith(
        "can't chdir to /nowhere: No such file or directory: is storage.runs shared by all nodes?"
    )
    assert told["error"].raw == "Eqw" and "qmod -cj" in told["error"].why
    assert "held back" in told["held"].why


def test_a_job_that_fits_some_day_waits_for_slots(sge: BatchSystem, qstat: Program, program: Program) -> None:
    qstat("qstat-early", "qstat-why")
    # without load there are no load values: a job that asks for one is offered no slot
    listing, why = (recorded(f"sge/qstat-{name}").script_for_anything() for name in ("early", "why"))
    why = why.replace("h_rt=600", "h_rt=600,mem_free=1G")
    program("qstat", f'if [ "$1" = -j ]; then\n{why}\nfi\n{listing}')
    for offered, never in ((0, False), (24, True)):
        said = f'Job 10 cannot run in PE "smp" because it only offers {offered} slots'
        program("qalter", f"echo '{said}'; echo 'verification: no suitable queues'; exit 1")
        assert states(sge)["toolarge"].why.startswith("the machine can never give") is never
    qstat("qstat-early", "qstat-why")
    for answer in ("verification: found suitable queue(s)", "denied: job does not exist", ""):
        program("qalter", f"echo {answer!r}")
        assert states(sge)["toolarge"].why.startswith("it waits for slots to become free (cannot run in PE")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("All queues dropped because of overload or full", "it waits for slots to become free (All queues dropped"),
        ('cannot run because it exceeds limit "hpcuser/////" in rule "max/1"', "it waits for its turn"),
        ("job dropped because of user limitations", "it waits for its turn"),
        ('queue instance "all.q@c1" dropped because it is disabled', "its queue starts no jobs just now"),
        ("A message of tomorrow", "A message of tomorrow"),
    ],
)
def test_what_the_scheduler_says_is_told_in_sentences(said: str, words: str) -> None:
    assert words in causes(f"job_number: 7\nscheduling info:   {said}\n")["7"]


def test_elements_of_an_array_are_told_one_by_one(sge: BatchSystem, qstat: Program) -> None:
    qstat("qstat-deleting", "qstat-why")
    told = sge.states(["2.1", "2.2", "2.3", IDS["sig"]])
    assert [str(report.status) for report in told.values()] == ["running", "ending", "running", "ending"]


ENDS = {
    "ok": (JobStatus.COMPLETED, 0),
    "seven": (JobStatus.FAILED, 7),
    "signal": (JobStatus.FAILED, 137),
    "walltime": (JobStatus.TIMEOUT, None),
    "deleted": (JobStatus.FAILED, 137),
    "unqueued": (JobStatus.GONE, None),
    "mpi": (JobStatus.FAILED, 3),  # of four records the last is the job's own, the others are qrsh's
}


@pytest.mark.parametrize("what", ENDS)
def test_the_accounting_tells_how_a_job_ended(sge: BatchSystem, program: Program, answers: Answers, what: str) -> None:
    program("qstat", f"{DENIED}printf %s {shlex.quote(NONE)}")
    answers(f"sge/qacct-{what}")
    report = sge.states([IDS[what]])[IDS[what]]
    assert (report.status, report.exit_code) == ENDS[what]


def test_the_accounting_tells_of_one_element(sge: BatchSystem, program: Program, answers: Answers) -> None:
    program("qstat", f"{DENIED}printf %s {shlex.quote(NONE)}")
    answers("sge/qacct-codes-element")
    assert sge.states([f"{IDS['codes']}.2"])[f"{IDS['codes']}.2"].exit_code == 2


@pytest.mark.parametrize(
    "text", ["exit 127", "echo garbage", "echo 'accounting: No such file or directory' >&2; exit 1"]
)
def test_without_accounting_a_job_that_is_not_queued_is_gone(sge: BatchSystem, program: Program, text: str) -> None:
    program("qstat", f"{DENIED}printf %s {shlex.quote(NONE)}")
    program("qacct", text)
    assert sge.states(["7"])["7"].status is JobStatus.GONE


def test_beside_a_job_that_is_there_none_is_denied_and_they_are_asked_for_again_without_it(
    sge: BatchSystem, program: Program
) -> None:
    beside, alone = (recorded(f"sge/qstat-denied{name}").script_for_anything() for name in ("-beside-one", ""))
    listing = f"printf %s {shlex.quote(NONE)}"  # it has left out 1
    program("qstat", f"case $2 in 1,99991,99992)\n{beside} ;;\n99991,99992)\n{alone} ;; esac\n{listing}")
    program("qacct", "exit 127")
    told = sge.states(["1", "99991", "99992"])
    assert [str(told[job].status) for job in told] == ["unknown", "gone", "gone"]


@pytest.mark.parametrize("cut", range(0, 2000, 97))
def test_half_a_listing_is_none(sge: BatchSystem, cut: int) -> None:
    whole = recorded("sge/qstat-early").stdout
    assert jobs_of(Answer(("qstat",), 0, whole[:-cut] if cut else "", "")) is None


@pytest.mark.parametrize(
    ("letters", "status"),
    [("qw", "queued"), ("Rq", "queued"), ("hqw", "held"), ("hRwq", "held"), ("Ehqw", "held")]
    + [(letters, "running") for letters in ["r", "t", "hr", "Rr", "Rt"]]
    + [(letters, "suspended") for letters in ["s", "ts", "S", "tS", "T", "tT", "Rs", "RtS"]]
    + [(letters, "ending") for letters in ["dr", "dt", "dRr", "ds", "dS", "dT", "dRT"]]
    + [("BEWITCHED", "unknown"), ("", "unknown"), ("z", "unknown"), ("X", "unknown")],
)
def test_every_state_of_the_manual_is_one_of_ours(letters: str, status: str) -> None:
    assert str(status_of(letters)[0]) == status


@given(st.text() | st.text(sorted(LETTERS)))
def test_no_state_finishes_a_job(letters: str) -> None:
    assert not status_of(letters)[0].over


@given(st.dictionaries(st.sampled_from(["jobnumber", "taskid", "failed", "exit_status", "hostname"]), st.text()))
def test_no_record_of_the_accounting_is_good_unless_it_says_so(record: dict[str, str]) -> None:
    _, report = from_qacct(record)
    assert report.status is not JobStatus.COMPLETED or record["failed"].split(" ")[0] == "0"


@given(st.text(), st.integers(0, 1))
def test_no_text_breaks_the_reading(text: str, returncode: int) -> None:
    assert not jobs_of(Answer(("qstat",), returncode, text, ""))


def test_greetings_around_a_listing_do_no_harm() -> None:
    whole = recorded("sge/qstat-early").stdout
    jobs = jobs_of(Answer(("qstat",), 0, f"Welcome <user>\n{whole}\n*** bye & see you ***", ""))
    assert jobs and len(jobs) == whole.count("<JB_job_number>")


# Finding and ending


def test_a_job_is_found_by_its_name_in_the_queue_and_in_the_accounting(
    sge: BatchSystem, program: Program, answers: Answers
) -> None:
    answers("sge/qacct-find-none")
    program("qstat", f"{DENIED}{recorded('sge/qstat-find').script_for_anything()}")
    assert sge.find("running", 0.0) == [IDS["running"]]
    assert sge.find("pi-a1b2c3-workers", 0.0) == [IDS["array"]]
    assert sge.find("pi-ffffff", 0.0) == []
    answers("sge/qacct-find")
    assert sge.find(NAME, 0.0) == [IDS["ok"]]


def test_cancel_leaves_jobs_alone_that_are_over(sge: BatchSystem, answers: Answers) -> None:
    answers("sge/qdel-cancel")
    sge.cancel([IDS["deleted"], IDS["unqueued"]])
    answers("sge/qdel-over")
    sge.cancel([IDS["seven"]])
    answers("sge/qdel-mixed")
    sge.cancel(["2.2", "999999"])
    answers("sge/qdel-again")  # the second step of a cancel, after `interrupt`
    sge.cancel([IDS["sig"]])


def test_the_job_of_another_user_is_not_ours_to_cancel(sge: BatchSystem, program: Program) -> None:
    program("qdel", "echo 'user - you do not have the necessary privileges to delete the job \"3\"'; exit 1")
    with pytest.raises(Refused, match="privileges"):
        GridEngine().cancel(["3"])


@pytest.mark.parametrize(
    "words", ["There are no messages available", "(Collecting of scheduler job information is turned off)"]
)
def test_nothing_to_say_is_no_reason(words: str) -> None:
    assert causes(f"=====\njob_number:                 7\nscheduling info:            {words}\n") == {}


# Arrays


def test_an_array_says_its_range_itself_and_is_held_until_another_job_lets_it_go(sge: BatchSystem) -> None:
    command = sge.submit_command("workers.sh", "{run}-workers", 300, "{job:scheduler}", "logs/workers-job")
    log = "logs/workers-job-$TASK_ID.log"
    assert command == ["qsub", "-terse", "-N", "{run}-workers", "-t", "1-300", "-o", log, "-h", "workers.sh"]
    command = sge.submit_command("workers.sh", "x-workers-7", log="logs/workers-7-job")
    assert command == ["qsub", "-terse", "-N", "x-workers-7", "-o", "logs/workers-7-job.log", "workers.sh"]


def test_an_array_tells_how_many_elements_are_in_each_state(sge: BatchSystem, qstat: Program) -> None:
    qstat("qstat-deleting", "qstat-why")
    told = sge.states(["2", "2.2"], {"2": 5})
    assert told["2"].status is JobStatus.RUNNING
    assert told["2"].elements == {"running": 3, "ending": 1, "gone": 1}
    assert told["2.2"].elements == {}


def test_five_arrays_of_a_thousand_are_one_question(sge: BatchSystem, program: Program, tmp_path: Path) -> None:
    rows = "".join(
        f"<job_list><JB_job_number>{array}</JB_job_number><state>{'r' if task < 10 else 'qw'}</state>"
        f"<tasks>{task + 1}</tasks></job_list>"
        for array in range(101, 106)
        for task in range(1000)
    )
    (tmp_path / "rows").write_text(f"<?xml version='1.0'?><job_info><queue_info>{rows}</queue_info></job_info>")
    for name in ("qstat", "qacct"):
        program(name, f'echo "{name} $*" >>{tmp_path}/calls; cat {tmp_path}/rows')
    ids = [str(array) for array in range(101, 106)]
    told = sge.states(ids, dict.fromkeys(ids, 1000))
    assert [report.elements for report in told.values()] == [{"running": 10, "queued": 990}] * 5
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 1 and calls[0].startswith("qstat -xml")


def test_the_accounting_tells_how_the_elements_of_an_array_ended(sge: BatchSystem, program: Program) -> None:
    program("qstat", f"{DENIED}printf %s {shlex.quote(NONE)}")
    record = recorded("sge/qacct-codes-element").stdout
    good = record.replace("taskid       2", "taskid       1").replace("exit_status  2", "exit_status  0")
    program("qacct", f"printf %s {shlex.quote(good + record)}")
    array = IDS["codes"]
    told = sge.states([array, f"{array}.1"], {array: 3})
    assert told[array].status is JobStatus.FAILED
    assert told[array].elements == {"completed": 1, "failed": 1, "gone": 1}
    assert told[f"{array}.1"].status is JobStatus.COMPLETED


def test_an_array_and_its_elements_are_ended_by_their_own_ids(
    sge: BatchSystem, program: Program, answers: Answers, tmp_path: Path
) -> None:
    answers("sge/qdel-array-unqueued")  # elements that wait are told otherwise than those that run
    sge.cancel(["36"])
    answers("sge/qdel-element-unknown")
    sge.cancel(["36.301"])
    program("qdel", f"echo \"$*\" >>{tmp_path}/asked; echo 'user has deleted job 36'")
    sge.interrupt(["36", "37.4"])
    assert (tmp_path / "asked").read_text() == "36 37.4\n"


def test_what_is_said_of_a_thousand_elements_is_read_to_its_end(sge: BatchSystem, program: Program) -> None:
    each = 'for e in {1..1000}; do echo "user has registered the job-array task 36.$e for deletion"; done'
    program("qdel", f"""{each}; echo 'denied: job "35" does not exist'; exit 1""")
    sge.cancel(["36", "35"])
    program("qdel", f"{each}; echo 'user - you do not have the necessary privileges to delete the job \"3\"'; exit 1")
    with pytest.raises(Refused, match="privileges") as caught:
        sge.cancel(["36", "3"])
    assert "registered" not in str(caught.value)  # only what went wrong is shown
