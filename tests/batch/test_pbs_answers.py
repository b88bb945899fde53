"""PBS's own answers, recorded from a real one (`answers/pbs/README.md`), and the rules that were measured there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import get
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.pbs.answers import from_text, report
from hpc_launch.batch.pbs.states import sentence
from hpc_launch.batch.report import JobReport, JobStatus
from tests.batch.recording import Answers, Program, Replay, recorded

NAME = "pi-a1b2c3"
EMPTY = '{"timestamp":1795311319,"pbs_version":"23.06.06","pbs_server":"pbshost"}'
"""There is no key `Jobs` when there is no job."""


@pytest.fixture
def pbs() -> BatchSystem:
    return get("pbs")


def test_submit_gives_the_id_of_a_job_and_of_an_array(pbs: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    assert pbs.submit_command("job.sh", "{run}") == ["qsub", "-N", "{run}", "job.sh"]
    for name, job in [("accepted", "1.pbshost"), ("accepted-array", "7[].pbshost"), ("accepted-too-big", "10.pbshost")]:
        replay(f"pbs/qsub-{name}")
        assert pbs.submit(tmp_path, "job.sh", NAME) == job


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("walltime", "Resource_List.walltime"),
        ("memory-beside-select", "cannot be used with"),
        ("fractional-memory", "select.mem"),
        ("queue", "Unknown queue"),
        ("resource", "Unknown resource: ngpus"),
        ("one-element-array", "illegal -J value"),
        ("array-size", "exceeds server or queue size limit"),
        ("name", "illegal -N value"),
        ("option", "15002"),
        ("torque-array", "invalid option"),
    ],
)
def test_a_refusal_is_told_in_pbs_words(
    pbs: BatchSystem, replay: Replay, tmp_path: Path, what: str, words: str
) -> None:
    replay(f"pbs/qsub-refused-{what}")
    with pytest.raises(Refused, match=words):
        pbs.submit(tmp_path, "job.sh", NAME)


def test_a_server_that_is_down_did_not_refuse(pbs: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    replay("pbs/qsub-down")
    with pytest.raises(NoAnswer, match="cannot connect to server"):
        pbs.submit(tmp_path, "job.sh", NAME)


@pytest.mark.parametrize(
    ("printed", "job"),
    [
        ("36.server", "36.server"),
        ("36[].server-2.example.org\r\n", "36[].server-2.example.org"),
        ("Welcome!\n2026-11-22: 4 nodes are down\n36.server\nThanks for 3.5 hours\n", "36.server"),
        ("36", None),
        ("3.6", None),
        ("qsub: waiting for job 36.server to start", None),
        ("", None),
    ],
)
def test_the_id_is_found_among_whatever_stands_around_it(pbs: BatchSystem, printed: str, job: str | None) -> None:
    assert pbs.job_id(printed) == job


def test_the_elements_of_an_array_are_told_by_one_call(pbs: BatchSystem, program: Program, replay: Replay) -> None:
    replay("pbs/qstat-array-over")
    told = pbs.states(["153[].pbshost", "153[2].pbshost"])
    done = JobReport(JobStatus.COMPLETED, "F, Exit_status 0, substate 92", exit_code=0, nodes="pbshost")
    assert told["153[2].pbshost"] == done
    assert told["153[].pbshost"].status is JobStatus.COMPLETED


def test_an_array_is_judged_by_its_elements_and_not_by_its_own_exit_status(pbs: BatchSystem, program: Program) -> None:
    # Measured: with elements 0 to 2 bad and 3, the last one, good, the array's Exit_status is 0.
    elements = ", ".join(
        f'"5[{n}].s": {{"job_state": "X", "Exit_status": {0 if n == 3 else 1}, "array_id": "5[].s"}}' for n in range(4)
    )
    parent = '"5[].s": {"job_state": "F", "Exit_status": 0, "substate": 92, "array": "True"}'
    program("qstat", f"""echo '{{"pbs_version": "23", "Jobs": {{{parent}, {elements}}}}}'""")
    assert pbs.states(["5[].s"])["5[].s"].status is JobStatus.FAILED


@pytest.mark.parametrize(
    ("complaint", "code"),
    [
        ("qstat: Unknown Job Id 9.pbshost", 153),  # without history
        ("qstat: 9.pbshost Job has finished, use -x or -H to obtain historical job information", 35),  # with it
    ],
)
@pytest.mark.parametrize("history", [True, False])
def test_a_job_that_is_not_queued_any_more_is_looked_for_in_the_history(
    pbs: BatchSystem, program: Program, complaint: str, code: int, history: bool
) -> None:
    finished = '{"pbs_version": "23", "Jobs": {"9.pbshost": {"job_state": "F", "Exit_status": 7, "substate": 93}}}'
    past = f"echo '{finished}'" if history else "echo 'PBS is not configured to maintain job history' >&2"
    program("qstat", f"[ $1 = -x ] && {{ {past}; exit 0; }}; echo '{EMPTY}'; echo '{complaint}' >&2; exit {code}")
    told = pbs.states(["9.pbshost"])["9.pbshost"]
    if history:
        assert (told.status, told.exit_code) == (JobStatus.FAILED, 7)
    else:
        assert told == JobReport(JobStatus.GONE)


def test_one_unknown_job_does_not_hide_the_others(pbs: BatchSystem, program: Program) -> None:
    program(
        "qstat",
        """[ $1 = -x ] && { echo 'PBS is not configured to maintain job history'; exit 0; }
        echo '{"pbs_version": "23", "Jobs": {"1.pbshost": {"job_state": "R", "exec_host": "a/0*8+b/0*8"}}}'
        echo 'qstat: Unknown Job Id 2.pbshost' >&2; exit 153""",
    )
    told = pbs.states(["1.pbshost.example.org", "2.pbshost"])  # the server's name may be written shorter
    assert told["1.pbshost.example.org"] == JobReport(JobStatus.RUNNING, "R", nodes="a,b")
    assert told["2.pbshost"].status is JobStatus.GONE


PLAIN = """Job Id: 1.pbshost
    Job_Name = probe
    job_state = Q
    comment = Not Running: Insufficient amount of resource: ncpus (R: 2 A: 1 T:
\t 4)
    Variable_List = PBS_O_HOME=/home/user,BASH_FUNC_module%%=() {  eval x
\t}
"""


def test_json_that_is_not_valid_is_asked_for_again_as_text(pbs: BatchSystem, program: Program) -> None:
    text = PLAIN.replace("'", "")
    program(
        "qstat",
        f"""case "$*" in *json*) echo '{{"pbs_version": "23", "Jobs": {{"A": "\\q"' ;;\n*) cat <<'END'\n{text}END\n"""
        ";; esac",
    )
    told = pbs.states(["1.pbshost"])["1.pbshost"]
    assert told.status is JobStatus.QUEUED
    assert told.why.startswith("it waits for resources to become free (Insufficient")


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert from_text(text) is None or not text.strip() or "Job Id: " in text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"job_state": "F", "Exit_status": 0, "substate": 92}, ("completed", 0)),
        ({"job_state": "F", "Exit_status": "0", "substate": "92"}, ("completed", 0)),  # of a plain qstat
        ({"job_state": "F", "Exit_status": 0, "substate": 93}, ("failed", 0)),
        ({"job_state": "F", "Exit_status": 7, "substate": 93}, ("failed", 7)),
        ({"job_state": "F", "Exit_status": 265, "substate": 93}, ("failed", 137)),
        ({"job_state": "F", "Exit_status": 271, "substate": 93}, ("cancelled", None)),
        ({"job_state": "F", "Exit_status": 1, "substate": 91}, ("cancelled", None)),
        ({"job_state": "F", "Exit_status": 0, "substate": 91}, ("cancelled", None)),
        ({"job_state": "F", "Exit_status": -29, "substate": 93}, ("timeout", None)),
        ({"job_state": "F", "Exit_status": -27, "substate": 93}, ("out-of-memory", None)),
        ({"job_state": "F", "Exit_status": -1, "substate": 93}, ("failed", None)),
        ({"job_state": "F"}, ("gone", None)),  # a job whose dependency cannot come true vanishes like this
        ({"job_state": "X"}, ("gone", None)),
        ({"job_state": "F", "Exit_status": "often"}, ("gone", None)),
        ({"job_state": "F", "Exit_status": 0, "substate": 93, "array": "True"}, ("failed", None)),
        ({"job_state": "M"}, ("unknown", None)),
        ({"job_state": "F", "Exit_status": -20, "substate": 92}, ("node-failure", None)),  # its first host was lost
        ({"job_state": "S"}, ("suspended", None)),
        ({"job_state": "W"}, ("queued", None)),
        ({"job_state": True}, ("unknown", None)),
        ({}, ("unknown", None)),
    ],
)
def test_every_state_has_a_place(fields: dict[str, object], expected: tuple[str, int | None]) -> None:
    told = report(fields)
    assert (str(told.status), told.exit_code) == expected
    assert told.raw


ROOM = {"nodes": {f"c{n}": {"resources_available": {"host": f"c{n}", "ncpus": 8, "mem": "8388608kb"}} for n in (1, 2)}}


@pytest.mark.parametrize(
    ("select", "place", "never"),
    [
        ("2:ncpus=12", "scatter", True),  # on nodes of 8: measured, "Not Running: Insufficient amount of resource"
        ("2:ncpus=8:mem=8gb", "scatter", False),
        ("3:ncpus=1", "scatter", True),
        ("3:ncpus=1", "free", False),
        ("1:ncpus=8:mem=9gb", "free", True),
        ("1:ncpus=1:ngpus=1", "free", True),
        ("ncpus=9", "free", True),
        ("1:ncpus=4+1:ncpus=9", "free", True),
        ("2:cpu_type=milan", "free", False),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_a_job_that_no_host_could_hold_is_told_so(
    pbs: BatchSystem, program: Program, select: str, place: str, never: bool, plain: bool
) -> None:
    comment = "Not Running: Insufficient amount of resource: ncpus"
    job = {"job_state": "Q", "comment": comment, "Resource_List": {"select": select, "place": place}}
    text = f"Job Id: 1.s\n    job_state = Q\n    comment = {comment}\n    Resource_List.select = {select}\n"
    text += f"    Resource_List.place = {place}\n"
    answer = "not JSON" if plain else json.dumps({"pbs_version": "23", "Jobs": {"1.s": job}})
    program("qstat", f"case \"$*\" in *json*) echo '{answer}' ;; *) echo '{text}' ;; esac")
    program("pbsnodes", f"echo '{json.dumps(ROOM)}'")
    why = pbs.states(["1.s"])["1.s"].why
    assert why.startswith("the machine can never give" if never else "it waits for resources to become free"), why


def test_what_hosts_have_is_asked_once_and_can_be_unknown(pbs: BatchSystem, program: Program, tmp_path: Path) -> None:
    job = {"job_state": "Q", "comment": "Not Running: Insufficient amount of resource: ncpus"}
    job |= {"Resource_List": {"select": "1:ncpus=99"}}  # type: ignore[dict-item]
    program("qstat", f"echo '{json.dumps({'pbs_version': '23', 'Jobs': {'1.s': job}})}'")
    program("pbsnodes", f"echo asked >>{tmp_path}/asked; exit 1")
    for _ in range(2):
        assert pbs.states(["1.s"])["1.s"].why.startswith("it waits for resources")
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_refusal_names_the_command_that_lists_what_there_is(pbs: BatchSystem, replay: Replay, tmp_path: Path) -> None:
    for what, command in (("queue", "qstat -Q"), ("resource", "pbsnodes -a")):
        replay(f"pbs/qsub-refused-{what}")
        with pytest.raises(Refused, match=f"`{command}` lists what there is"):
            pbs.submit(tmp_path, "job.sh", NAME)


def test_why_jobs_wait_is_told_in_sentences() -> None:
    never = sentence("Can Never Run: Insufficient amount of resource: ncpus (R: 64 A: 4 T: 4)")
    assert "can never give what it asks for: cancel it" in never
    assert "R: 64 A: 4 T: 4" in never
    assert "it waits for its turn" in sentence("Not Running: User has reached queue workq running job limit.")
    assert "it waits for its turn" in sentence("Not Running: would exceed user's limit on resource ncpus in complex")
    assert "other jobs come first" in sentence("Not Running: Job would conflict with reservation or top job")
    assert sentence("A comment of tomorrow") == "A comment of tomorrow"
    assert report({"job_state": "H", "Hold_Types": "u"}).why.startswith("you hold it back")
    assert report({"job_state": "H", "Hold_Types": "s", "depend": "after:1.s"}).why == "it waits for another job"


def test_a_job_is_found_by_its_name_with_and_without_history(pbs: BatchSystem, program: Program) -> None:
    program("qselect", "echo 12.pbshost; echo '13[].pbshost'")
    assert pbs.find(NAME, 0.0) == ["12.pbshost", "13[].pbshost"]
    program("qselect", "[ $1 = -x ] && { echo 'PBS is not configured to maintain job history' >&2; exit 1; }; exit 0")
    assert pbs.find(NAME, 0.0) == []


@pytest.mark.parametrize(
    ("words", "code"), [("Unknown Job Id 9.s", 153), ("Job has finished 9.s", 35), ("9.s Job has finished", 35)]
)
def test_cancel_and_interrupt_leave_jobs_alone_that_are_over(
    pbs: BatchSystem, program: Program, words: str, code: int
) -> None:
    program("qdel", f"echo 'qdel: {words}' >&2; exit {code}")
    pbs.cancel(["9.s"])
    pbs.interrupt(["9.s"])
    program("qdel", "echo 'qdel: Unauthorized Request  9.s' >&2; exit 159")
    with pytest.raises(Refused, match="Unauthorized"):
        pbs.cancel(["9.s"])


# Arrays


def test_an_array_says_its_range_itself_and_waits_for_the_start_of_another_job(pbs: BatchSystem) -> None:
    command = pbs.submit_command("workers.sh", "{run}-workers", 300, "{job:scheduler}", "logs/workers-job")
    assert command == [
        *("qsub", "-N", "{run}-workers", "-J", "0-299", "-r", "y", "-o", "logs/workers-job-^array_index^.log"),
        *("-W", "depend=after:{job:scheduler}", "workers.sh"),
    ]
    for plain in (None, 1):  # PBS has no arrays of one
        command = pbs.submit_command("workers.sh", "x-workers-7", plain, log="logs/workers-7-job")
        assert command == ["qsub", "-N", "x-workers-7", "-o", "logs/workers-7-job.log", "workers.sh"]


def test_an_array_that_has_begun_counts_its_elements(pbs: BatchSystem, answers: Answers) -> None:
    answers("pbs/qstat-array-begun")  # not asked for each element
    report = pbs.states(["5[].pbshost"])["5[].pbshost"]
    assert report == JobReport(JobStatus.RUNNING, "B", elements={"queued": 2, "running": 2})


def test_five_arrays_of_a_thousand_are_one_question(pbs: BatchSystem, program: Program, tmp_path: Path) -> None:
    ids = [f"{number}[].pbshost" for number in range(101, 106)]
    counts = '"array_state_count": "Queued:990 Running:9 Exiting:0 Expired:1 "'
    jobs = ", ".join(f'"{job}": {{"job_state": "B", "array": "True", {counts}}}' for job in ids)
    program("qstat", f"""echo "$*" >>{tmp_path}/calls; echo '{{"pbs_version": "23", "Jobs": {{{jobs}}}}}'""")
    told = pbs.states(ids, dict.fromkeys(ids, 1000))
    assert (tmp_path / "calls").read_text() == f"-f -F json {' '.join(ids)}\n"
    assert [report.elements for report in told.values()] == [{"queued": 990, "running": 9, "gone": 1}] * 5


@pytest.mark.parametrize(
    ("letter", "counts", "expected"),
    [
        ("B", "Queued:2 Running:0 Exiting:0 Expired:2", ("queued", {"queued": 2, "gone": 2})),
        ("B", "Queued:0 Running:0 Exiting:1 Expired:3", ("ending", {"ending": 1, "gone": 3})),
        ("B", "Queued:0 Running:0 Exiting:0 Expired:4", ("ending", {"gone": 4})),
        ("Q", "Queued:4 Running:0 Exiting:0 Expired:0", ("queued", {"queued": 4})),
        ("H", "Queued:4 Running:0 Exiting:0 Expired:0", ("held", {"held": 4})),
        ("B", "Bewitched:4", ("unknown", {"unknown": 4})),
        ("B", "garbage", ("running", {})),
        ("?", "Queued:4", ("unknown", {})),
    ],
)
def test_what_an_array_counts_says_how_it_stands(letter: str, counts: str, expected: tuple[str, object]) -> None:
    told = report({"job_state": letter, "array": "True", "array_state_count": counts})
    assert (str(told.status), told.elements) == expected
    assert told.raw == letter


def test_the_id_of_an_array_needs_its_brackets(pbs: BatchSystem, program: Program) -> None:
    answer = recorded("pbs/qstat-array-by-number")
    program("qstat", f"{answer.script_for_anything()}")
    assert pbs.states(["0"])["0"].status is JobStatus.GONE
    assert pbs.job_id(recorded("pbs/qsub-accepted-array").stdout) == "7[].pbshost"


def test_a_finished_array_tells_how_many_elements_ended_how(pbs: BatchSystem, program: Program) -> None:
    over = recorded("pbs/qstat-array-over")
    gone = "echo 'qstat: 153[].pbshost Job has finished, use -x or -H' >&2; exit 35"
    program("qstat", f"[ $1 = -x ] || {{ echo '{EMPTY}'; {gone}; }}\n{over.script_for_anything()}")
    assert pbs.states(["153[].pbshost"])["153[].pbshost"].elements == {"completed": 4}


def test_an_array_and_its_elements_are_ended_by_their_own_ids(
    pbs: BatchSystem, program: Program, replay: Replay, tmp_path: Path
) -> None:
    program("qdel", f'printf "%s\\n" "qdel $*" >>{tmp_path}/asked')
    pbs.cancel(["43[].s", "44[1].s"])
    pbs.interrupt(["43[].s", "44[1].s"])
    pbs.interrupt([])
    assert (tmp_path / "asked").read_text().splitlines() == ["qdel 43[].s 44[1].s"] * 2
    replay("pbs/qdel-over")
    pbs.cancel(["153[].pbshost"])
