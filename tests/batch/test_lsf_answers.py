"""LSF's answers, those of OpenLava recorded (`answers/lsf/README.md`), and the rules that were measured there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.lsf.answers import from_columns, from_fields
from hpc_launch.batch.lsf.states import sentence
from hpc_launch.batch.report import JobReport, JobStatus
from tests.batch.recording import Program, Replay, recorded

NAME = "pi-a1b2c3"


@pytest.fixture
def lsf() -> BatchSystem:
    return get("lsf")


def openlava(program: Program, name: str) -> None:
    """A bjobs that knows no -o, and otherwise answers as recorded."""
    refusal = recorded("lsf/bjobs-no-option").script_for_anything()
    program("bjobs", f'case "$*" in *-o*) {refusal} ;; esac\n{recorded(name).script_for_anything()}')


def test_the_script_goes_to_the_input_unless_the_site_says_otherwise(
    lsf: BatchSystem, program: Program, tmp_path: Path
) -> None:
    (tmp_path / "job.sh").write_text("#BSUB -n 1\n")
    program("bsub", 'echo "$*" >asked; cat >read; echo "Job <5> is submitted to queue <normal>."')
    assert lsf.submit(tmp_path, "job.sh", NAME) == "5"
    assert (tmp_path / "asked").read_text() == f"-J {NAME}\n"
    assert (tmp_path / "read").read_text() == "#BSUB -n 1\n"
    assert get("lsf", stdin=False).submit(tmp_path, "job.sh", NAME) == "5"
    assert (tmp_path / "asked").read_text() == f"-J {NAME} job.sh\n"
    assert (tmp_path / "read").read_text() == ""


def test_submit_gives_the_id_whatever_stands_around_it(lsf: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "job.sh").touch()
    for name, job in [("bsub-accepted", "1"), ("bsub-accepted-default", "2")]:
        replay(f"lsf/{name}")
        assert lsf.submit(tmp_path, "job.sh", NAME) == job
    two = "Job is submitted to <my_project> project.\nJob <6021006> is submitted to queue <general>.\n"
    assert lsf.job_id(two) == "6021006"
    assert lsf.job_id("Job is submitted to <42> project.\n") is None
    assert lsf.job_id("Job <0> is submitted to queue <normal>.") is None  # 0 means all jobs to bkill


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("resource-twice", "-R option was used more than once"),
        ("walltime", "RUNLIMIT"),
        ("queue", "No such queue"),
        ("slots", "Too many processors"),
        ("unit", "Bad resource requirement"),
    ],
)
def test_a_refusal_is_told_in_lsfs_words(
    lsf: BatchSystem, replay: Replay, tmp_path: Path, what: str, words: str
) -> None:
    (tmp_path / "job.sh").touch()
    replay(f"lsf/bsub-refused-{what}")
    with pytest.raises(Refused, match=words):
        lsf.submit(tmp_path, "job.sh", NAME)


def test_a_refusal_names_the_command_that_lists_what_there_is(lsf: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "job.sh").touch()
    replay("lsf/bsub-refused-queue")
    with pytest.raises(Refused, match="`bqueues` lists what there is"):
        lsf.submit(tmp_path, "job.sh", NAME)


def test_clients_that_wait_for_their_daemons_for_ever_are_ended(
    lsf: BatchSystem, program: Program, tmp_path: Path
) -> None:
    (tmp_path / "job.sh").touch()
    for name in ("bsub", "bjobs", "bkill", "lsid"):
        program(name, "echo 'batch daemon not responding ... still trying' >&2; exec sleep 1000")
    lsf.timeout = lsf.submit_timeout = 0.5
    with pytest.raises(NoAnswer, match="still trying"):
        lsf.submit(tmp_path, "job.sh", NAME)
    with pytest.raises(NoAnswer, match="still trying"):
        lsf.cancel(["7"])
    assert lsf.states(["7"])["7"].status is JobStatus.UNKNOWN
    # and with LSB_NTRIES=1 they end by themselves, with 255
    program("bsub", "echo 'batch daemon not responding ... still trying' >&2; exit 255")
    with pytest.raises(NoAnswer, match="still trying"):
        lsf.submit(tmp_path, "job.sh", NAME)


def test_where_bjobs_knows_no_format_its_columns_are_read(lsf: BatchSystem, program: Program) -> None:
    openlava(program, "lsf/bjobs-columns")
    told = lsf.states(["2", "2[1]", "2[3]"])
    assert told["2[1]"] == JobReport(JobStatus.RUNNING, "RUN", nodes="lsfhost")
    assert told["2[3]"] == JobReport(JobStatus.QUEUED, "PEND")
    assert told["2"].status is JobStatus.RUNNING
    assert lsf.find("w", 0.0) == ["2"]
    assert lsf.find("v", 0.0) == []


WAITING = """\
JOBID   USER    STAT  QUEUE      FROM_HOST   JOB_NAME   SUBMIT_TIME
7       lsfuser PEND  normal     lsfhost     pi-a1b2c3  Nov 22 01:55
 Job's resource requirements not satisfied: 1 host;
 Not enough job slot(s): 2 hosts;
8       lsfuser PEND  normal     lsfhost     w[1]       Nov 22 01:55
 Job dependency condition not satisfied;
8       lsfuser PEND  normal     lsfhost     w[2]       Nov 22 01:55
 Job dependency condition not satisfied;
"""
COLUMNS = """\
JOBID   USER    STAT  QUEUE      FROM_HOST   EXEC_HOST   JOB_NAME   SUBMIT_TIME
7       lsfuser PEND  normal     lsfhost        -        pi-a1b2c3  Nov 22 01:55
8       lsfuser PEND  normal     lsfhost        -        w[1]       Nov 22 01:55
8       lsfuser PEND  normal     lsfhost        -        w[2]       Nov 22 01:55
"""


def test_where_columns_do_not_tell_why_jobs_wait_it_is_asked_for(
    lsf: BatchSystem, program: Program, tmp_path: Path
) -> None:
    refusal = recorded("lsf/bjobs-no-option").script_for_anything()
    asks = f'-p*) echo "$*" >>{tmp_path}/asked; printf %s {shlex.quote(WAITING)} ;;'
    program("bjobs", f'case "$*" in *-o*) {refusal} ;; {asks} *) printf %s {shlex.quote(COLUMNS)} ;; esac')
    told = lsf.states(["7", "8"], {"8": 2})
    assert told["7"].why.startswith("no host has what it asks for just now; if that is more than any host has")
    assert told["8"].why.startswith("it waits for another job (")
    assert (tmp_path / "asked").read_text() == "-p 7 8\n"
    program("bjobs", f'case "$*" in -p*) exit 255 ;; *-o*) {refusal} ;; *) printf %s {shlex.quote(COLUMNS)} ;; esac')
    assert {report.status for report in lsf.states(["7", "8"], {"8": 2}).values()} == {JobStatus.QUEUED}


@pytest.mark.parametrize("answer", ["bjobs-unknown", "bjobs-none"])
def test_a_job_that_nobody_knows_is_gone(lsf: BatchSystem, program: Program, replay: Replay, answer: str) -> None:
    replay(f"lsf/{answer}")
    assert lsf.states(["4242"]) == {"4242": JobReport(JobStatus.GONE)}
    assert lsf.find(NAME, 0.0) == []
    openlava(program, f"lsf/{answer}")
    assert lsf.states(["4242"]) == {"4242": JobReport(JobStatus.GONE)}


def test_one_unknown_job_does_not_hide_the_others(lsf: BatchSystem, program: Program) -> None:
    program("bjobs", f"echo '7|0|RUN|-|-|4*c1:4*c2|{NAME}|-'; echo 'Job <8> is not found' >&2; exit 255")
    told = lsf.states(["7", "8"])
    assert told["7"] == JobReport(JobStatus.RUNNING, "RUN", nodes="c1:c2")
    assert told["8"].status is JobStatus.GONE


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DONE|-|-", ("completed", None)),
        ("DONE|0|-", ("completed", 0)),
        ("DONE|3|-", ("failed", 3)),  # it contradicts itself: no success
        ("EXIT|3|-", ("failed", 3)),
        ("EXIT|130|TERM_OWNER: job killed by owner", ("cancelled", None)),
        ("EXIT|140|TERM_RUNLIMIT: job killed after reaching LSF run time limit", ("timeout", None)),
        ("EXIT|137|TERM_MEMLIMIT: job killed after reaching LSF memory usage limit", ("out-of-memory", None)),
        ("EXIT|1|TERM_OF_TOMORROW: who knows", ("failed", 1)),
        ("PSUSP|-|-", ("suspended", None)),
        ("USUSP|-|-", ("suspended", None)),
        ("SSUSP|-|-", ("suspended", None)),
        ("UNKWN|-|-", ("unknown", None)),
        ("ZOMBI|-|-", ("unknown", None)),
        ("BEWITCHED|0|-", ("unknown", None)),
    ],
)
def test_every_state_has_a_place(line: str, expected: tuple[str, int | None]) -> None:
    row = from_fields(f"7|0|{line}|c1|{NAME}|-")
    assert row is not None
    assert (str(row[2].status), row[2].exit_code) == expected
    assert row[2].raw.startswith(line.partition("|")[0])


@given(st.text(alphabet=st.characters(exclude_characters="\n")))
def test_no_line_breaks_the_reading_or_completes_a_job(line: str) -> None:
    for read in (from_fields, from_columns):
        row = read(line)
        assert row is None or row[2].status is not JobStatus.COMPLETED


def test_why_jobs_wait_is_told_in_sentences() -> None:
    never = sentence("Dependency condition invalid or never satisfied;")
    assert "will never start: cancel it" in never
    assert "it waits for another job" in sentence("Job dependency condition not satisfied;")
    assert "it waits for its turn" in sentence("The user has reached his/her job slot limit;")
    assert "it will never start" in sentence("Job's resource requirements not satisfied: 2 hosts;")
    assert "it will never start" in sentence("Job's requirements for resource reservation not satisfied: 2 hosts;")
    assert "hosts to become free" in sentence("Not enough job slot(s): 2 hosts;")
    assert sentence("New job is waiting for scheduling;") == ""
    assert sentence("A reason of tomorrow;") == "A reason of tomorrow"


def test_cancel_and_interrupt_leave_jobs_alone_that_are_over(lsf: BatchSystem, replay: Replay) -> None:
    for name in ("cancel", "over", "unknown", "again"):
        replay(f"lsf/bkill-{name}")
        lsf.cancel(["15"])
        lsf.interrupt(["15"])


def test_the_job_of_another_user_is_not_ours_to_cancel(lsf: BatchSystem, program: Program) -> None:
    program("bkill", "echo 'Job <1>: User permission denied' >&2; exit 255")
    with pytest.raises(Refused, match="permission denied"):
        lsf.cancel(["1"])


def test_the_name_of_the_cluster(lsf: BatchSystem, program: Program) -> None:
    program("lsid", "echo 'IBM Spectrum LSF 10.1'; echo 'My cluster name is big'; echo 'My master name is m1'")
    assert lsf.cluster_name() == "big"


# Arrays


def test_an_array_is_a_part_of_the_name_and_waits_for_the_start_of_another_job(lsf: BatchSystem) -> None:
    waits = ["-w", "started({job:scheduler})"]
    command = lsf.submit_command("workers.sh", "{run}-workers", 300, "{job:scheduler}", "logs/workers-job")
    assert command == ["bsub", "-J", "{run}-workers[1-300]", "-o", "logs/workers-job-%I.log", *waits]
    command = lsf.submit_command("workers.sh", "x-workers-7", log="logs/workers-7-job")
    assert command == ["bsub", "-J", "x-workers-7", "-o", "logs/workers-7-job.log"]
    assert get("lsf", stdin=False).submit_command("w.sh", "x", 2, "7") == [
        *("bsub", "-J", "x[1-2]", "-w", "started(7)", "w.sh")
    ]
    for plain in (None, 1):  # one element is a plain job
        assert lsf.submit_command("job.sh", "x", plain) == ["bsub", "-J", "x"]


def test_an_array_is_submitted_with_its_range(lsf: BatchSystem, program: Program, tmp_path: Path) -> None:
    (tmp_path / "workers.sh").write_text("#BSUB -n 1\n")
    answer = recorded("lsf/bsub-accepted-array").script_for_anything()
    program("bsub", f"printf '%s|' \"$@\" >asked\n{answer}")
    assert lsf.submit(tmp_path, "workers.sh", NAME, 300, "7") == "2"
    assert (tmp_path / "asked").read_text() == f"-J|{NAME}[1-300]|-w|started(7)|"


@pytest.mark.parametrize(
    ("what", "words"), [("dependency", "99999: No matching job found"), ("array-size", "Job array index too large")]
)
def test_a_refused_array_is_told_in_lsfs_words(
    lsf: BatchSystem, replay: Replay, tmp_path: Path, what: str, words: str
) -> None:
    (tmp_path / "job.sh").touch()
    replay(f"lsf/bsub-refused-{what}")
    with pytest.raises(Refused, match=words):
        lsf.submit(tmp_path, "job.sh", NAME, 1001, "99999")


def test_an_array_tells_how_many_elements_are_in_each_state(lsf: BatchSystem, program: Program) -> None:
    openlava(program, "lsf/bjobs-columns")
    told = lsf.states(["2", "2[1]", "2[4]"], {"2": 4})
    assert told["2"].elements == {"running": 1, "queued": 1, "gone": 2}
    assert told["2[1]"].elements == {}
    assert told["2[4]"].status is JobStatus.UNKNOWN  # nothing of its neighbours, and it is not denied either


def test_five_arrays_of_a_thousand_are_one_question(lsf: BatchSystem, program: Program, tmp_path: Path) -> None:
    rows = [f"{a}|{e}|{'RUN' if e <= 10 else 'PEND'}|-|-|-|{NAME}[{e}]|-" for a in range(1, 6) for e in range(1, 1001)]
    (tmp_path / "rows").write_text("\n".join(rows))
    program("bjobs", f"echo called >>{tmp_path}/calls; cat {tmp_path}/rows")
    ids = [str(array) for array in range(1, 6)]
    told = lsf.states(ids, dict.fromkeys(ids, 1000))
    assert (tmp_path / "calls").read_text() == "called\n"
    assert [report.elements for report in told.values()] == [{"running": 10, "queued": 990}] * 5
    assert lsf.find(NAME, 0.0) == ids


def test_an_array_and_its_elements_are_ended_by_their_own_ids(
    lsf: BatchSystem, program: Program, replay: Replay, tmp_path: Path
) -> None:
    program("bkill", f'printf "%s\\n" "$*" >>{tmp_path}/asked; echo "Job <15> is being terminated"')
    lsf.cancel(["15", "16[1]"])
    lsf.interrupt(["15", "16[1]"])
    assert (tmp_path / "asked").read_text().splitlines() == ["15 16[1]", "-s TERM 15 16[1]"]
    replay("lsf/bkill-not-started")
    lsf.interrupt(["15"])
    with pytest.raises(Refused, match="not started yet"):  # a cancel that leaves it in the queue is none
        lsf.cancel(["15"])
