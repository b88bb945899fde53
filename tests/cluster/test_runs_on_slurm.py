"""Whole runs on a real Slurm over three hosts: that they use what they asked for, and leave nothing behind."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, job_of, log_lines, processes_of, slots_example, slurm
from tests.local.runs import Run, until


@pytest.fixture
def there(cluster: Cluster) -> There:
    return There.at(cluster)


def test_the_example_uses_all_nodes_through_ib0_and_leaves_nothing(there: There) -> None:
    done = there.command(
        "submit",
        str(there.home / "examples/monte-carlo-pi/profile.yaml"),
        *("--site", "testcluster", "--set", "workers.count=9", "--set", "workers.per_node=3", "--wait"),
    )
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    directory = run.directory
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    assert "pi = 3.14" in run.log() and "workers = 9\n" in run.log()

    lines = log_lines(run, "workers") + log_lines(run, "scheduler")
    addresses = {found for line in lines for found in re.findall(r"\w+://[\d.]+:\d+(?![\d/])", line)}
    assert len(addresses) >= 9 + 9 + 1  # workers, nannies, scheduler
    assert {address for address in addresses if not re.match(r"tls://10\.77\.2\.\d+:\d+$", address)} == set()
    hosts = [re.findall(r"tls://10\.77\.2\.(\d+)", line)[0] for line in lines if "Start worker at:" in line]
    assert {host: hosts.count(host) for host in hosts} == {"11": 3, "12": 3, "13": 3}

    names = [line.split()[-1] for line in lines if "Worker name:" in line]
    assert len(set(names)) == 9
    places = [line.split()[-1] for line in lines if "Local Directory:" in line]
    assert len(places) == 9 and all(place.startswith("/scratch/") for place in places)
    for host in there.cluster.compute_hosts:
        assert list(there.cluster.scratch(host).glob("dask-scratch-space/worker-*")) == []
    assert not (directory / "tls").exists()


def test_programs_that_tasks_start_have_a_slot_each(there: There) -> None:
    run = slots_example(there)
    assert "most at once on one worker: 1 tagged" in run.log()
    assert processes_of(run.directory) == []


def test_the_last_node_holds_what_is_left_and_all_import_what_lies_beside_the_workload(
    there: There,
) -> None:
    """A workload may use srun itself, too."""
    there.write("beside.py", "import socket\ndef host(_):\n    return socket.gethostname()\n")
    there.write(
        "work.py",
        "import beside; from collections import Counter; from dask.distributed import Client\n"
        "c = Client(); workers = c.scheduler_info(n_workers=-1)['workers'].values()\n"
        "print(sorted(Counter(w['host'] for w in workers).values()), {w['nthreads'] for w in workers})\n"
        "print(*sorted(set(c.gather(c.map(beside.host, range(30), pure=False)))))\n",
    )
    run = there.submit(
        f"srun --overlap --ntasks-per-node=1 hostname | sort; {there.python} work.py",
        workers={"count": 5, "threads": 3, "memory": "300 MB"},
    )
    run.ended_as("succeeded", 0)
    assert run.log() == "c1\nc2\nc3\n[1, 2, 2] {3}\nc1 c2 c3\n"


def test_what_slurm_gives_is_what_the_plan_asked_for(there: There) -> None:
    run = there.submit(["sleep", "60"], workers={"count": 4, "memory": "400 MB", "per_node": 2})
    shown = slurm(there.cluster, "scontrol", "show", "job", job_of(run))
    planned = json.loads((run.directory / "run.json").read_text())["jobs"][0]
    assert "NumNodes=2" in shown and "Requeue=0" in shown and "TimeLimit=00:05:00" in shown
    assert f"MinCPUsNode={planned['cores_per_node']}" in shown and planned["cores_per_node"] == 2
    assert f"MinMemoryNode={planned['memory_bytes_per_node'] // 2**20}M" in shown
    assert re.search(r"JobName=test-[0-9a-f]{6}\n", shown)
    there.command("cancel", run.id)


def test_what_the_caller_has_set_for_slurm_changes_nothing(there: There) -> None:
    inherited = {
        "SBATCH_PARTITION": "long",
        "SBATCH_TIMELIMIT": "1",
        "SBATCH_REQUEUE": "1",
        "SBATCH_ACCOUNT": "nobody",
        "SLURM_NTASKS": "7",
        "SLURM_MEM_PER_CPU": "100",
        "SLURM_JOB_ID": "4711",
        "SRUN_CPUS_PER_TASK": "99",
        "PYTHONPATH": "/nowhere",
        "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "0.01",
        "LEAKED": "1",
    }
    profile = there.profile("env | grep -E 'LEAKED|nowhere|TERMINATE|4711' || echo clean")
    done = there.command("submit", profile, "--wait", env=inherited)
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    assert run.log() == "clean\n"
    shown = slurm(there.cluster, "scontrol", "show", "job", job_of(run))
    assert "Partition=short" in shown and "TimeLimit=00:05:00" in shown and "Requeue=0" in shown


def test_a_run_can_be_submitted_from_inside_a_job(there: There) -> None:
    profile = there.profile(["echo", "inside"])
    command = ["srun", "--nodes=1", "--mem=500M", "hpc-launch", "submit", profile, "--wait"]
    done = there.cluster.run(command, cwd=there.project, timeout=120)
    assert Run(there, done.stdout.strip()).log() == "inside\n"


def test_a_missing_interface_on_one_node_is_told_at_once(there: There) -> None:
    there.cluster.run(["ip", "link", "set", "ib0", "down"], host="c2", user="root")
    there.cluster.run(["ip", "link", "set", "ib0", "name", "hidden0"], host="c2", user="root")
    try:
        run = there.submit(["true"], workers={"count": 3, "per_node": 1, "memory": "300 MB"})
        status = run.ended_as("launch-failed", 1)
        assert "c2: there is no network interface ib0 (there are:" in status["reason"]
    finally:
        there.cluster.run(["ip", "link", "set", "hidden0", "name", "ib0"], host="c2", user="root")
        there.cluster.run(["ip", "link", "set", "ib0", "up"], host="c2", user="root")


def test_a_python_that_does_not_run_on_one_node_is_told_at_once(there: There) -> None:
    (there.project / "bin").mkdir()
    there.write("bin/python", f'#!/bin/sh\n[ $(uname -n) != c2 ] || exit 127\nexec {there.python} "$@"\n')
    for path in (there.project / "bin", there.project / "bin" / "python"):
        path.chmod(0o755)
    setup = f"export PATH={there.project}/bin:$PATH"
    workers = {"count": 3, "per_node": 1, "memory": "300 MB"}
    status = there.submit(["true"], environment={"setup": setup}, workers=workers).ended_as("launch-failed", 1)
    assert status["reason"].startswith(f"c2: {there.project}/bin/python (put first on PATH by environment.setup; ")
    assert status["reason"].endswith(") does not run, see logs/workers-c2.log")
    assert [*status["unfit"]] == ["c2"]


def test_a_busy_cluster_that_is_cancelled_leaves_nothing(there: There) -> None:
    run = there.submit(
        there.script(
            "import time; from dask.distributed import Client, wait\n"
            "c = Client(); futures = c.map(time.sleep, range(600, 604)); print('busy', flush=True); wait(futures)"
        ),
        workers={"count": 4, "per_node": 2, "memory": "300 MB"},
    )
    run.until_printed("busy")
    directory = run.directory
    assert there.command("cancel", run.id).returncode == 0
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    assert run.status()["outcome"] == "cancelled"
    assert not (directory / "tls").exists()


def test_a_stopped_batch_system_is_unknown_and_never_the_end_and_a_crashed_node_is_a_node_failure(there: There) -> None:
    run = there.submit(["sleep", "300"], workers={"count": 2, "per_node": 1, "memory": "300 MB"})
    run.until_running()
    there.cluster.run(["pkill", "-STOP", "-x", "slurmctld"], user="root")
    try:
        done = there.command("status", run.id, "--json")
        status = json.loads(done.stdout)
        assert (done.returncode, status["state"], status["outcome"]) == (5, "unknown", None)
    finally:
        there.cluster.run(["pkill", "-CONT", "-x", "slurmctld"], user="root")
    until(lambda: run.status()["state"] == "running", "the batch system to answer again")
    there.cluster.crash("c2")
    there.cluster.boot("c2")
    assert run.wait() == 1
    status = run.status()
    assert status["outcome"] == "node-failure" and status["reason"] == "slurm says NODE_FAIL of c[1-2]"


def test_a_requeued_job_runs_again_from_the_start(there: There) -> None:
    site = (there.home / "requeue.yaml", "requeue: true\nextends: testcluster\nname: requeueing\n")
    site[0].write_text(site[1])
    profile = there.profile('[ "$HPC_LAUNCH_ATTEMPT" = 2 ] || sleep 300')
    done = there.command("submit", profile, "--site", str(site[0]))
    assert done.returncode == 0, done.stderr
    run = Run(there, done.stdout.strip())
    run.until_running()
    job = job_of(run)
    there.cluster.run(["scontrol", "requeue", job], user="root")
    until(lambda: run.status()["state"] == "queued", "the job to be back in the queue")
    there.cluster.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], user="root")  # not in two minutes
    status = run.ended_as("succeeded", 0)
    assert status["attempt"] == 2


def test_a_run_waits_with_a_sentence_while_the_cluster_is_full(there: There) -> None:
    slurm(there.cluster, "sbatch", "--exclusive", "--nodes=3", "--wrap=sleep 300")
    run = there.submit(["true"])
    until(lambda: run.status()["why"], "a reason")
    status = run.status()
    assert status["state"] == "queued" and len(status["why"].split()) > 3, status["why"]
    there.command("cancel", run.id)
    assert run.status()["outcome"] == "cancelled"


def test_a_run_that_may_not_begin_yet_waits_and_says_why(there: There) -> None:
    in_an_hour = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() + 3600))
    run = there.submit(["true"], begin=in_an_hour)
    until(lambda: "earliest start" in str(run.status()["why"]), "Slurm to think about the job")
    assert slurm(there.cluster, "squeue", "--noheader", "--format=%T %r", "--jobs", job_of(run)).split() == [
        "PENDING",
        "BeginTime",
    ]
    assert run.status()["state"] == "queued"
    there.command("cancel", run.id)
    assert run.status()["outcome"] == "cancelled"


def test_what_slurm_refuses_is_told_and_ends_with_5(there: There) -> None:
    done = there.command("submit", there.profile(["true"], reservation="none-such"))
    assert done.returncode == 5
    assert "reservation" in done.stderr.lower() and "Traceback" not in done.stderr
    listed = json.loads(there.command("list", "--json").stdout)["runs"][0]
    assert listed["outcome"] == "launch-failed"
    assert Path(listed["directory"]).is_dir()


def test_a_job_may_start_in_either_of_two_queues(there: There) -> None:
    there.submit(["true"], queue=["long", "short"]).ended_as("succeeded", 0)
