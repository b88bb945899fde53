"""The layout job-array: a scheduler's job, and its workers as arrays of single-node jobs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpc_launch.batch import dialect_of
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared
from hpc_launch.runs.submit import submit
from tests.conftest import TIMES
from tests.rendering import EXAMPLE, GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]
MIB = 2**20
ARRAY = "layout=job-array"
ARRAY_SH = Path(__file__).parent.parent / "hpc_launch/jobside/array.sh"
THOUSAND = """
layout: job-array
workers: {count: 1000, per_node: 1, memory: 1 GiB}
workload: {command: [python, work.py]}
"""
INDEX = {"testcluster": "SLURM_ARRAY_TASK_ID", "pbscluster": "PBS_ARRAY_INDEX", "gridcluster": "SGE_TASK_ID"}
INDEX |= {"lsfcluster": "LSB_JOBINDEX"}
FIRST_INDEX = {"testcluster": 0, "pbscluster": 0, "gridcluster": 1, "lsfcluster": 1}


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., str]:
    """A site like one of the tests', but for some keys: `site("testcluster", "arrays: false")`."""

    def changed(name: str, *keys: str) -> str:
        file = tmp_path / "site.yaml"
        file.write_text("\n".join(["schema: 1", "name: changed", f"extends: {name}", *keys, ""]))
        return str(file)

    return changed


@pytest.mark.parametrize("system", INDEX)
def test_both_scripts_are_rendered_as_in_the_golden_files(prepared: Prepare, tmp_path: Path, system: str) -> None:
    made = prepared(EXAMPLE, ARRAY, "workers.count=22", site=system)
    for file in sorted((GOLDEN / "job-array" / system).iterdir()):
        rendered = made.rendered.files[file.name].replace(str(tmp_path), "/home/user/monte-carlo-pi")
        assert rendered == file.read_text(encoding="utf-8"), f"{system}/{file.name}"
    submitted = {file for file in made.rendered.files if file in ("scheduler.sh", "workers.sh", "job.sh")}
    assert submitted == {"scheduler.sh", "workers.sh"}


@pytest.mark.parametrize("system", INDEX)
def test_they_are_clean_and_short(prepared: Prepare, tmp_path: Path, system: str) -> None:
    made = prepared(EXAMPLE, ARRAY, "workers.timeout=1h", "workers.count=22", site=system)
    directory = write(made, tmp_path / "run")
    assert shellcheck(directory, "scheduler.sh", "workers.sh", "environment.sh", "node.sh", "workload.sh") == ""
    for name in ("scheduler.sh", "workers.sh"):
        assert len((directory / name).read_text().splitlines()) <= 80


def test_a_thousand_workers_are_two_submissions(prepared: Prepare) -> None:
    scheduler, workers = prepared(THOUSAND).submissions()
    assert scheduler["command"] == ["sbatch", "--parsable", "--job-name={run}", "scheduler.sh"]
    assert (scheduler["array"], scheduler["nodes"]) == (None, 1)
    assert "--dependency=after:{job:scheduler}" in workers["command"] and workers["command"][-1] == "workers.sh"
    assert (workers["array"], workers["nodes"], workers["cores_per_node"]) == (1000, 1, 1)


ANSWERS = {
    "testcluster": "36",
    "pbscluster": "36.server",
    "gridcluster": "36",
    "lsfcluster": "Job <36> is submitted to queue <q>.",
}
NO_ARRAY = {"testcluster": "", "pbscluster": "", "gridcluster": "undefined", "lsfcluster": "0"}
"""What the variable with an element's number holds in a plain job."""
JOB_NAME = {"testcluster": "SLURM_JOB_NAME", "pbscluster": "PBS_JOBNAME", "gridcluster": "JOB_NAME"}
JOB_NAME |= {"lsfcluster": "LSB_JOBNAME"}


def elements(place: Path, system: str, job_name: str, array: int | None) -> list[tuple[int, int]]:
    """Number and workers of each element of one submission, as its jobs find them out with the rendered lines."""
    (place / "node.sh").write_text('echo "$1 $HPC_LAUNCH_WORKERS" >>numbers\n')
    (place / "state/1").mkdir(parents=True, exist_ok=True)
    (place / "state/attempt").write_text("1\n")
    call = (place / "workers.sh").read_text().splitlines()[-1]
    first = FIRST_INDEX[system]
    for index in range(first, first + array) if array else [NO_ARRAY[system]]:
        # LSF says the array too, its index or all of it
        name = f"{job_name}[1-{array}]" if system == "lsfcluster" and array else job_name
        variables = {
            INDEX[system]: str(index),
            JOB_NAME[system]: name,
            "HPC_LAUNCH_JOB_ID": "1",
            "PATH": "/usr/bin:/bin",
        }
        lines = f". ./jobside/element.sh; {call}"
        subprocess.run(["bash", "-c", lines], cwd=place, env=variables, check=True, timeout=60)
    rows = [line.split() for line in (place / "numbers").read_text().splitlines()]
    (place / "numbers").unlink()
    return [(int(number), int(workers)) for number, workers in rows]


@pytest.mark.parametrize("system", INDEX)
@pytest.mark.parametrize("limit", ["limits: {array: 3}", "arrays: false"])
def test_every_element_finds_its_number_and_how_many_workers_it_holds(
    prepared: Prepare, site: Callable[..., str], context: Context, tmp_path: Path, system: str, limit: str
) -> None:
    answer = tmp_path / "answer"
    answer.write_text(f"#!/bin/bash\necho '{ANSWERS[system]}'\n")
    answer.chmod(0o755)
    there = site(system, limit, f"commands: {{submit: [{answer}]}}")
    made = prepared(EXAMPLE, ARRAY, "workers.count=22", "workers.per_node=3", site=there)
    place, record = submit(made.rendered, context, tmp_path / "run")
    submissions = record.jobs[1:]
    assert [job.array for job in submissions] == ([3, 3, 2] if "3" in limit else [None] * 8)
    assert [job.name for job in submissions][:3] == ["workers", "workers-2", "workers-3"]
    assert {job.file for job in submissions} == {"workers.sh"}
    found = [each for job in submissions for each in elements(place, system, job.job_name, job.array)]
    assert found == [(number, 3) for number in range(7)] + [(7, 1)]


def test_what_was_submitted_stands_in_the_pool(
    prepared: Prepare, site: Callable[..., str], context: Context, tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    answer.write_text("#!/bin/bash\ncase $* in *scheduler.sh) echo 35 ;; *) cat pool/1.json >seen; echo 36 ;; esac\n")
    answer.chmod(0o755)
    there = site("testcluster", f"commands: {{submit: [{answer}]}}")
    place, record = submit(prepared(EXAMPLE, ARRAY, "workers.count=22", site=there).rendered, context, tmp_path / "run")
    before, after = json.loads((place / "seen").read_text()), json.loads((place / "pool/1.json").read_text())
    assert before == {
        **{"schema": 1, "number": 1, "group": "workers", "first": 0, "size": 3, "array": 3, "per_node": 8},
        **{"workers": 22, "job_name": record.jobs[1].job_name, "by": "submit"},
        **{"job_id": None, "submitted": None, "refused": None},
    }
    assert after["job_id"] == "36" and after["submitted"] > 1e9
    groups = json.loads((place / "pool/groups.json").read_text())
    assert groups["run"] == record.main.job_name and groups["commands"]["submit"] == [str(answer)]
    workers = groups["groups"]["workers"]
    assert (workers["count"], workers["array_limit"], workers["most_elements"]) == (22, 10000, None)


def test_worker_jobs_stay_within_what_a_user_may_submit(prepared: Prepare, site: Callable[..., str]) -> None:
    def most(keys: str, *assignments: str) -> int:
        made = prepared(EXAMPLE, ARRAY, "workers.count=22", *assignments, site=site("testcluster", keys))
        return min(most for _, most in made.plan.element_limits)

    assert most("limits: {submitted: {jobs: 90}}") == 89  # the scheduler's job is one of them
    assert most("queues: {short: {max_submitted: 12}}") == 11
    assert most("queues: {long: {max_submitted: 12}}", "workers.queue=long") == 12  # that job is in another queue
    assert most("limits: {submitted: {jobs: 5}}\nqueues: {long: {max_submitted: 12}}", "workers.queue=long") == 4


def test_each_job_asks_for_what_runs_in_it(prepared: Prepare) -> None:
    text = """
layout: job-array
walltime: 00:40:00
workers: {count: 5, threads: 2, memory: 1 GiB, per_node: 2, walltime: 00:20:00, queue: long}
scheduler: {memory: 512 MiB}
workload: {command: [python, work.py], cores: 2, memory: 700 MB}
"""
    plan = prepared(text).plan
    scheduler, workers = plan.jobs
    assert (scheduler.cores_per_node, workers.cores_per_node) == (1 + 2, 2 * 2)
    exact = Fraction(512 * MIB + 700 * 10**6) / Fraction(95, 100)
    assert 0 <= scheduler.memory_bytes_per_node - exact < MIB
    assert 0 <= workers.memory_bytes_per_node - Fraction(2 * 2**30) / Fraction(95, 100) < MIB
    assert (scheduler.queue, scheduler.walltime_seconds) == ("short", 2400)
    assert (workers.queue, workers.walltime_seconds, workers.array) == ("long", 1200, 3)
    group = plan.groups["workers"]
    assert (group.per_node, group.on_last_node, plan.minimum, plan.timeout_seconds) == (2, 1, 1, None)


def test_memory_left_out_is_a_share_of_the_whole_node(prepared: Prepare) -> None:
    plan = prepared("layout: job-array\nworkers: {count: 4, threads: 2}\nworkload: {command: x}\n").plan
    assert plan.groups["workers"].memory_bytes == int(16000 * MIB * Fraction(95, 100) * 2 / 8)


@settings(max_examples=40 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(minutes=st.integers(1, 60))
def test_workers_leave_before_their_walltime(prepared: Prepare, minutes: int) -> None:
    made = prepared(EXAMPLE, ARRAY, "walltime=60m", f"workers.walltime={minutes}m", site="testcluster")
    workers, job = made.plan.groups["workers"], made.plan.jobs[1]
    assert workers.lifetime_seconds is not None and workers.lifetime_stagger_seconds is not None
    assert job.walltime_seconds is not None
    last = workers.lifetime_seconds + workers.lifetime_stagger_seconds
    assert workers.lifetime_seconds - workers.lifetime_stagger_seconds > 0
    assert last + 10 <= job.walltime_seconds
    assert f"$(({workers.lifetime_seconds} + HPC_LAUNCH_BEGAN - $(date +%s)))s" in made.rendered.files["node.sh"]


def test_a_lifetime_that_was_given_is_taken(prepared: Prepare) -> None:
    text = prepared(EXAMPLE, ARRAY, "workers.lifetime=5m", site="testcluster").rendered.files["node.sh"]
    assert "--lifetime 300s" in text and "stagger" not in text


def test_a_queue_of_the_workers_is_checked_like_any(prepared: Prepare) -> None:
    with pytest.raises(
        InvalidConfiguration, match=r"workers\.queue: testcluster has no queue 'lnog'; did you mean 'long'"
    ):
        prepared(EXAMPLE, ARRAY, "workers.queue=lnog", site="testcluster")


def test_in_one_job_their_queue_and_walltime_are_named_as_not_used(prepared: Prepare) -> None:
    notes = prepared(EXAMPLE, "workers.queue=long", "workers.walltime=5m", site="testcluster").planned.notes
    assert [note for note in notes if "workers.queue is not used" in note]
    assert [note for note in notes if "workers.walltime is not used" in note]


@pytest.mark.parametrize(
    ("limits", "count", "warned"),
    [
        ("submitted: {jobs: 4}", 24, []),
        ("submitted: {jobs: 3}", 24, None),
        ("running: {cores: 9}", 24, ["25 cores are asked for, a user of changed may use 9 cores at once"]),
        ("running: {cores: 8}", 24, None),
        ("running: {memory: 6 GB}", 24, ["12.7 GiB of memory are asked for"]),
        ("running: {memory: 3 GB}", 24, None),
        ("running: {jobs: 2}", 24, ["4 jobs are asked for, a user of changed may run 2 jobs at once"]),
        ("running: {jobs: 1}", 24, None),
    ],
)
def test_what_cannot_run_at_once_waits_and_what_could_never_begin_is_refused(
    prepared: Prepare, site: Callable[..., str], limits: str, count: int, warned: list[str] | None
) -> None:
    place = site("testcluster", f"limits: {{{limits}}}")
    if warned is None:
        with pytest.raises(DoesNotFit):
            prepared(EXAMPLE, ARRAY, f"workers.count={count}", site=place)
        return
    notes = prepared(EXAMPLE, ARRAY, f"workers.count={count}", site=place).planned.notes
    assert len(notes) == len(warned) and all(start in note for start, note in zip(warned, notes, strict=True))


@pytest.mark.parametrize("limit", ["cores: 23", "memory: 6 GB"])
def test_one_job_needs_all_of_it_at_once(prepared: Prepare, site: Callable[..., str], limit: str) -> None:
    with pytest.raises(DoesNotFit, match=r"may use .* at once"):
        prepared(EXAMPLE, "workers.count=24", site=site("testcluster", f"limits: {{running: {{{limit}}}}}"))


def test_without_submission_from_compute_nodes_the_job_speaks_to_no_batch_system(
    prepared: Prepare, site: Callable[..., str], tmp_path: Path
) -> None:
    made = prepared(EXAMPLE, ARRAY, site=site("testcluster", "submit_from_compute: false"))
    files = made.rendered.files
    assert shellcheck(write(made, tmp_path / "run"), "scheduler.sh") == ""
    for command in ("scancel", "squeue", "sbatch"):
        assert command not in "".join(files[name] for name in ("scheduler.sh", "workers.sh", "jobside/attempt.sh"))


@pytest.mark.parametrize(
    ("keys", "commands", "keeps"),
    [
        ("submit: false", {"squeue", "scancel"}, False),
        ("submit: false, cancel: false", {"squeue"}, False),
        ("status: unknown, submit: unknown", {"squeue", "scancel"}, True),
        ("status: false", set(), False),
    ],
)
def test_a_site_says_what_of_it_jobs_may_do(
    prepared: Prepare, site: Callable[..., str], tmp_path: Path, keys: str, commands: set[str], keeps: bool
) -> None:
    made = prepared(EXAMPLE, ARRAY, site=site("testcluster", f"from_compute: {{{keys}}}"))
    assert shellcheck(write(made, tmp_path / "run"), "scheduler.sh") == ""
    script = made.rendered.files["scheduler.sh"]
    (tmp_path / "run" / "attempt").write_text(script.partition("worker_submissions=")[0].partition("USR1\n\n")[2])
    ask = f". {tmp_path}/run/attempt; squeue() {{ echo squeue >&2; }}; scancel() {{ echo scancel >&2; }}"
    ask += '; timeout() { shift; "$@"; }; state=. workers_nodes=1; worker_jobs_left 1; end_worker_jobs 1'
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=60)
    assert set(done.stderr.split()) == commands
    assert ("keeper_python=()" not in script) == keeps


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("submit: false", "may not submit jobs"),
        ("status: false, cancel: false", "may not ask how jobs stand or cancel jobs"),
        ("status: unknown", None),
    ],
)
def test_where_jobs_may_not_keep_workers_that_come_and_go_that_is_said(
    prepared: Prepare, site: Callable[..., str], keys: str, told: str | None
) -> None:
    made = prepared(EXAMPLE, ARRAY, "workers.adapt={maximum: 9}", site=site("testcluster", f"from_compute: {{{keys}}}"))
    notes = [note for note in made.planned.notes if "`hpc-launch keep RUN` runs on a login host" in note]
    assert len(notes) == bool(told) and (not told or told in notes[0])


def test_where_only_the_scheduler_can_let_workers_go_it_must_be_allowed_to(
    prepared: Prepare, site: Callable[..., str]
) -> None:
    with pytest.raises(DoesNotFit, match="forbids it") as refused:
        prepared(EXAMPLE, ARRAY, site=site("gridcluster", "submit_from_compute: false"))
    assert "single-job" in str(refused.value)


def test_a_batch_system_without_jobs_that_belong_together_has_no_such_layout(
    prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(dialect_of("slurm"), array_index=None)
    monkeypatch.setattr("hpc_launch.batch.slurm.dialect.DIALECT", without)
    with pytest.raises(DoesNotFit, match="layout: slurm has no jobs that belong together"):
        prepared(EXAMPLE, ARRAY, site="testcluster")


def test_more_workers_than_a_queue_can_ever_hold_at_once_are_no_minimum(prepared: Prepare) -> None:
    """Three nodes of eight cores hold six elements of four."""
    many = (ARRAY, "workers.count=40", "workers.per_node=4")
    enough = prepared(EXAMPLE, *many, "workers.minimum=24", site="testcluster")
    assert list(enough.planned.notes) == [
        "10 jobs are asked for, queue 'short' of testcluster has room for 6 jobs at once: the others wait"
    ]
    with pytest.raises(DoesNotFit, match="has room for 6 jobs at once"):
        prepared(EXAMPLE, *many, "workers.minimum=25", site="testcluster")


LEFT = {
    "pbscluster": {
        "qstat: Unknown Job Id 2[].s\nqstat: Unknown Job Id 3[].s": False,
        "qstat: 2[].s Job has finished, use -x or -H\nqstat: Unknown Job Id 3[].s": False,
        "qstat: Unknown Job Id 2[].s": True,
        "": True,
        "Connection refused\nqstat: cannot connect to server s (errno=111)": True,
        "Job id  Name  User\n------\n2[].s  run-workers  user  0 Q workq": True,
    },
    "lsfcluster": {
        "Job <2> is not found\nJob <3> is not found": False,
        "Job <2> is not found": True,
        "\n".join(f"2  user  EXIT  normal  login  c1  run[{index}] Nov 22" for index in range(1, 7)): False,
        "\n".join(f"2  user  EXIT  normal  login  c1  run[{index}] Nov 22" for index in range(1, 6)): True,
        "JOBID USER STAT QUEUE\n2  user  DONE  normal  login  c1  run[1] Nov 22\n2  user  PEND  normal": True,
        "": True,
        "LSF is down. Please wait ...": True,
    },
    "gridcluster": {
        "Following jobs do not exist: \n2, 3": False,
        "Following jobs do not exist: \n2": True,
        "====\njob_number:    2": True,
        "": True,
        "error: commlib error: got select error (Connection refused)": True,
    },
    "testcluster": {
        "slurm_load_jobs error: Invalid job id specified": False,
        "\n".join(["COMPLETED"] * 4 + ["FAILED", "CANCELLED"]): False,
        "\n".join(["COMPLETED"] * 5): True,
        "\n".join(["COMPLETED"] * 5 + ["PENDING"]): True,
        "": True,
        "slurm_load_jobs error: Unable to contact slurm controller": True,
    },
}
"""What the batch system says of worker jobs 2 and 3, six elements in all, and whether they may still bring workers."""
QUESTION = {"pbscluster": "qstat", "lsfcluster": "bjobs", "gridcluster": "qstat", "testcluster": "squeue"}


def worker_jobs_left(made: Prepared, directory: Path, system: str, answer: str) -> bool:
    """What the scheduler's job concludes of worker jobs 2 and 3 if the batch system answers as these bash lines do."""
    script = made.rendered.files["scheduler.sh"]
    program = directory / QUESTION[system]
    program.write_text(f"#!/bin/bash\n{answer}\n")
    program.chmod(0o755)
    begin, end = script.index("end_worker_jobs() {"), script.index(". ./jobside/array.sh")
    ids = "'2[].s' '3[].s'" if system == "pbscluster" else "2 3"
    line = f"PATH={directory}:$PATH\n{script[begin:end]}\nworker_jobs_left {ids}"
    return subprocess.run(["bash", "-c", line], timeout=60).returncode == 0


@pytest.mark.parametrize(("system", "said"), [(system, said) for system, answers in LEFT.items() for said in answers])
def test_whether_a_worker_job_is_left_is_read_from_what_the_batch_system_says(
    prepared: Prepare, tmp_path: Path, system: str, said: str
) -> None:
    made = prepared(EXAMPLE, ARRAY, "workers.count=6", "workers.per_node=1", site=system)
    answer = f"cat <<'END'\n{said}\nEND" if said else ":"
    if "Invalid job id" in said:  # squeue says so only of a job that it is asked for alone
        answer = f'case "$*" in *,*) ;; *)\n{answer}\nexit 1 ;; esac'
    assert worker_jobs_left(made, tmp_path, system, answer) is LEFT[system][said]


@pytest.mark.parametrize("system", QUESTION)
def test_a_question_that_fails_is_no_sign_that_none_is_left(prepared: Prepare, tmp_path: Path, system: str) -> None:
    assert worker_jobs_left(prepared(EXAMPLE, ARRAY, site=system), tmp_path, system, "exit 1")


@dataclass(frozen=True)
class SchedulersJob:
    """What looks after worker jobs in the scheduler's job, in a run directory of which files tell how it stands."""

    run: Path

    def submitted(self, *ids: str) -> None:
        (self.run / "control").mkdir(exist_ok=True)
        (self.run / "control" / "worker-jobs").write_text("".join(f"{one}\n" for one in ids))

    def after(self, seconds: int, *lines: str, left: bool = True) -> str:
        """So many seconds after its beginning: why it gives up waiting for workers, or nothing."""
        script = [
            'state=$PWD/state worker_submissions=2 reason=""',
            'see() { echo ", see $1"; }',  # attempt.sh has one that looks whether it is there
            f"worker_jobs_left() {{ {'true' if left else 'false'}; }}",
            f". {ARRAY_SH.with_name('watch.sh')}; . {ARRAY_SH}",
            *lines,
            f"SECONDS={seconds}",
            '! workers_lost || echo "$reason"',
        ]
        command = ["bash", "-c", "\n".join(script)]
        done = subprocess.run(command, cwd=self.run, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        return done.stdout.strip()


@pytest.fixture
def schedulers_job(tmp_path: Path) -> SchedulersJob:
    (tmp_path / "state").mkdir()
    return SchedulersJob(tmp_path)


@pytest.mark.parametrize("known", [[], ["2[].pbs01.example.org"]])
def test_a_run_that_lacks_a_worker_job_ends_within_five_minutes(
    schedulers_job: SchedulersJob, known: list[str]
) -> None:
    """Also where the one that is there may still bring its workers."""
    schedulers_job.submitted(*known)
    assert schedulers_job.after(200) == ""
    told = f"of 2 calls to submit worker jobs {len(known)} were made, then hpc-launch submit ended"
    assert schedulers_job.after(290, "jobs=($(cat control/worker-jobs))") == told


def test_a_submission_that_goes_on_is_waited_for(schedulers_job: SchedulersJob) -> None:
    schedulers_job.submitted("2")
    assert schedulers_job.after(290, "SECONDS=200; workers_lost") == ""


def test_a_keeper_gets_a_minute_to_submit_what_a_killed_submit_has_left(schedulers_job: SchedulersJob) -> None:
    schedulers_job.submitted("2")
    run, known = schedulers_job.run, "jobs=(2); at_every_look"
    for directory in ("jobside/keeper", "pool", "logs"):
        (run / directory).mkdir(parents=True)
    (run / "jobside/keeper/__main__.py").touch()
    (run / "pool/1.json").write_text('{"number": 1, "job_id": "2"}')
    (run / "pool/2.json").write_text('{"number": 2, "job_id": null}')
    python = "alive() { :; }; keeper_python=(touch)"  # what it starts leaves files called by its arguments
    assert schedulers_job.after(200, python, known) == "" and not (run / "-u").exists()
    begins = f"SECONDS=250; {known}; wait"
    assert schedulers_job.after(290, python.replace("touch", "touch --"), begins) == "" and (run / "-u").exists()
    (run / "pool/status.json").write_text('{"groups": {"workers": {"paused": "no such queue", "brake": null}}}')
    told = "of 2 calls to submit worker jobs 1 were made, then hpc-launch submit ended"
    assert schedulers_job.after(301, python, known) == f"{told}; the others could not be made from here: no such queue"
    (run / "pool/3.json").write_text('{"number": 3, "job_id": "7"}')
    assert schedulers_job.after(301, python, known) == ""


def test_a_run_that_has_begun_goes_on_with_the_workers_that_it_has(schedulers_job: SchedulersJob) -> None:
    schedulers_job.submitted("2")
    assert schedulers_job.after(2900, "SECONDS=200; workload=1 begun=yes; workers_lost") == ""


def test_when_every_worker_job_has_ended_that_is_said(schedulers_job: SchedulersJob) -> None:
    schedulers_job.submitted("2", "3")
    assert schedulers_job.after(40, left=False) == "all worker jobs have ended, see logs/workers-*.log"
    assert schedulers_job.after(40) == ""
    schedulers_job.submitted("2")
    assert schedulers_job.after(40, left=False) == "", "another one may still come"


def test_a_run_that_begins_without_workers_waits_for_whoever_asks_for_some(schedulers_job: SchedulersJob) -> None:
    tasks_wait = "begun=yes; tasks_without_workers() { :; }"
    assert schedulers_job.after(2900, "worker_submissions=0", tasks_wait, left=False) == ""
    schedulers_job.submitted("2", "3")
    assert schedulers_job.after(2900, tasks_wait, left=False) != ""


def test_tasks_without_workers_are_looked_for_at_every_second_look_or_when_there_is_news(
    schedulers_job: SchedulersJob,
) -> None:
    looks = """
      state=. begun=yes
      said() { echo "{\\"workers\\": $1, \\"tasks\\": {\\"waiting\\": 3}}" >progress.json; }
      look() { SECONDS=$1 short_waits=$2; tasks_without_workers && echo lost || echo fine; }
      said 1; look 100 0
      said 0; look 130 0; look 160 0; look 170 0
      said 1; look 180 0
      said 0; look 190 0; look 190 60"""
    done = subprocess.run(
        ["bash", "-c", f". {ARRAY_SH}{looks}"], cwd=schedulers_job.run, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["fine", "fine", "lost", "lost", "fine", "fine", "lost"]


def test_held_worker_jobs_are_released_as_they_come(schedulers_job: SchedulersJob) -> None:
    schedulers_job.submitted("2")
    let_go = 'release_worker_jobs() { echo "released $*"; }'
    script = f"worker_submissions=2; {let_go}; . {ARRAY_SH}; at_every_look; echo 3 >>control/worker-jobs"
    script += "; at_every_look; at_every_look"
    done = subprocess.run(["bash", "-c", script], cwd=schedulers_job.run, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["released 2", "released 3"]


def test_a_keeper_that_cannot_do_its_work_from_a_job_is_started_no_more(schedulers_job: SchedulersJob) -> None:
    run = schedulers_job.run
    for directory in ("control", "logs", "jobside/keeper"):
        (run / directory).mkdir(parents=True)
    (run / "control" / "scale.json").touch()
    (run / "jobside" / "keeper" / "__main__.py").touch()
    script = ["wake_at='' worker_submissions=0", "python() { echo begins >>told; exit 3; }; keeper_python=(python)"]
    script += ['see() { :; }; alive() { kill -0 "$1" 2>/dev/null; }', f". {ARRAY_SH}"]
    script += ["start_keeper; while alive $keeper; do sleep 0.1; done; start_keeper; start_keeper"]
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=run, capture_output=True, text=True, timeout=60)
    assert (run / "told").read_text() == "begins\n"
    assert "`hpc-launch keep` can do its work on a login host" in done.stderr


def test_what_a_keeper_had_submitted_is_called_off_also_when_it_is_started_no_more(
    schedulers_job: SchedulersJob,
) -> None:
    run = schedulers_job.run
    for directory in ("control", "logs", "jobside/keeper"):
        (run / directory).mkdir(parents=True)
    (run / "control" / "scale.json").touch()
    (run / "jobside" / "keeper" / "__main__.py").touch()
    (run / "python").write_text('#!/bin/bash\necho "${@: -1}" >>told\nexit 1\n')
    (run / "python").chmod(0o755)
    script = ["state=$PWD/state worker_submissions=0 elements_get=0 wake_at='' keeper_python=(./python)"]
    script += ['see() { :; }; alive() { kill -0 "$1" 2>/dev/null; }', f". {ARRAY_SH}"]
    script += ['for turn in {1..8}; do start_keeper; [ -z "$keeper" ] || wait "$keeper"; done', "end_other_jobs"]
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=run, capture_output=True, text=True, timeout=60)
    assert done.stderr.count("the keeper of the worker jobs has ended") == 6, done.stderr
    assert done.stderr.count("it is not started again") == 1
    assert (run / "told").read_text().splitlines() == [*[str(run)] * 6, "call-off"]
