"""Whole runs on a real Grid Engine over several hosts: parallel environments, qrsh, its signals and its exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, job_of, log_lines, processes_of, slots_example
from tests.local.runs import Run, until

BUSY = (
    "import time; from dask.distributed import Client, wait\n"
    "c = Client(); futures = c.map(time.sleep, range(600, 606)); print('busy', flush=True); wait(futures)"
)
ON_TWO_HOSTS = {"count": 6, "per_node": 3, "memory": "300 MB"}
"""Six slots in a round over three hosts are two on each."""
ON_THREE_HOSTS = {"count": 6, "per_node": 2, "memory": "300 MB"}


@pytest.fixture
def there(cluster: Cluster) -> Iterator[There]:
    yield replace(There.at(cluster), site="gridcluster")
    cluster.run(["qdel", "-u", "hpcuser"], check=False)
    until(lambda: jobs(cluster) == "", "every job to leave Grid Engine")


def jobs(cluster: Cluster) -> str:
    """What qstat says of the ordinary user's jobs."""
    return cluster.run(["qstat", "-u", "hpcuser"]).stdout


def accounted(there: There, run: Run, field: str) -> str:
    """A field of the job's own record in Grid Engine's accounting, which is written a moment after the job's end."""
    job = job_of(run)

    def found() -> list[str]:
        record = there.cluster.run(["qacct", "-j", job], check=False).stdout.split("=" * 20)[-1]
        return re.findall(rf"^{field} +(.*?) *$", record, re.M)

    return str(until(found, "a record of the job")[0])


def full(there: There) -> str:
    """Take every slot of the cluster; gives the job's id."""
    command = ["qsub", "-terse", "-b", "y", "-pe", "mpi", "24", "-o", "/dev/null", "-j", "y", "sleep", "300"]
    job = there.cluster.run(command).stdout.strip()
    until(lambda: re.search(r" r ", jobs(there.cluster)), "the job that fills the cluster to run")
    return job


def nothing_is_left(run: Run) -> None:
    directory = run.directory
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    assert not (directory / "tls").exists()


def test_the_example_uses_all_hosts_through_ib0_and_leaves_nothing(there: There) -> None:
    done = there.command(
        "submit",
        str(there.home / "examples/monte-carlo-pi/profile.yaml"),
        *("--site", "gridcluster", "--set", "workers.count=9", "--set", "workers.per_node=3", "--wait"),
    )
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    assert "pi = 3.14" in run.log() and "workers = 9\n" in run.log()
    lines = log_lines(run, "workers")
    hosts = [re.findall(r"tls://10\.77\.2\.(\d+)", line)[0] for line in lines if "Start worker at:" in line]
    assert {host: hosts.count(host) for host in hosts} == {"11": 3, "12": 3, "13": 3}
    names = [line.split()[-1] for line in lines if "Worker name:" in line]
    assert len(set(names)) == 9
    nothing_is_left(run)
    for host in there.cluster.compute_hosts:
        assert list(there.cluster.scratch(host).glob("dask-scratch-space/worker-*")) == []


def test_programs_that_tasks_start_have_a_slot_each(there: There) -> None:
    run = slots_example(there)
    assert "most at once on one worker: 1 tagged" in run.log()
    nothing_is_left(run)


def test_the_exit_code_is_kept_and_never_taken_for_a_wish(there: There) -> None:
    """99 would be "run me again", 100 "keep me in the error state" (qsub manual page)."""
    run = there.submit("exit 99")
    assert run.ended_as("failed", 99)["attempt"] == 1
    nothing_is_left(run)
    assert (accounted(there, run, "exit_status"), accounted(there, run, "failed")) == ("1", "0")
    assert job_of(run) not in jobs(there.cluster)


def test_what_grid_engine_gives_is_what_the_plan_asked_for(there: There) -> None:
    run = there.submit(["sleep", "300"], workers=ON_THREE_HOSTS)
    shown = there.cluster.run(["qstat", "-j", job_of(run)]).stdout
    memory = json.loads((run.directory / "run.json").read_text())["jobs"][0]["memory_bytes_per_node"]
    assert re.search(r"parallel environment: +mpi range: 6\n", shown)
    assert f"mem_free={-(-memory // 2**21)}M,h_rt=300\n" in shown
    assert re.search(r"job_name: +test-[0-9a-f]{6}\n", shown) and re.search(r"notify: +TRUE", shown)
    assert there.command("cancel", run.id).returncode == 0


def test_a_plain_qdel_by_the_user_is_told_by_the_job_and_leaves_nothing(there: There) -> None:
    run = there.submit(there.script(BUSY), workers=ON_THREE_HOSTS)
    run.until_printed("busy")
    there.cluster.run(["qdel", job_of(run)])
    run.ended_as("cancelled", 1)
    nothing_is_left(run)
    assert "Closing scheduler" in "".join(log_lines(run, "scheduler")), "it was to hear of TERM alone"


def why(there: There, job: str) -> str:
    """Why a job that is nobody's run waits."""
    program = f"from hpc_launch.batch import get; print(get('sge').states(['{job}'])['{job}'].why)"
    return there.cluster.run([str(there.cluster.venv / "bin/python"), "-c", program]).stdout.strip()


def test_what_no_host_can_hold_what_is_held_and_what_waits_for_a_job_is_told_so(there: There) -> None:
    def submit(*words: str) -> str:
        return there.cluster.run(["qsub", "-terse", "-b", "y", *words, "sleep", "300"]).stdout.strip()

    large, held = submit("-pe", "smp", "99"), submit("-h")
    after = submit("-hold_jid", held)
    until(lambda: why(there, large).startswith("the machine can never give what it asks for: cancel it ("), "a reason")
    assert why(there, held).startswith("it is held back, by you or by an administrator: `qrls` lets it go")
    assert why(there, after) == f"it waits until job {held} has ended"


def test_a_queued_run_tells_why_and_is_cancelled(there: There) -> None:
    full(there)
    run = there.submit(["true"], workers=ON_THREE_HOSTS)
    reason = until(lambda: run.status()["why"], "a reason")
    assert reason.startswith("it waits for slots to become free (")
    assert run.status()["state"] == "queued"
    assert there.command("cancel", run.id).returncode == 0
    assert run.status()["outcome"] == "cancelled"
    nothing_is_left(run)


def test_an_allocation_that_does_not_fit_is_refused_with_a_sentence(there: There) -> None:
    run = there.submit(["true"], workers=ON_TWO_HOSTS)
    status = run.ended_as("launch-failed", 1)
    assert re.match(r"c\d has 2 slots, 3 are needed on each of 2 hosts \(mpi gave c\d c\d c\d\)", status["reason"])
    nothing_is_left(run)


def test_what_grid_engine_refuses_is_told_and_ends_with_5(there: There) -> None:
    done = there.command("submit", there.profile(["true"], account="none-such"))
    assert done.returncode == 5
    assert "none-such" in done.stderr and "Traceback" not in done.stderr
