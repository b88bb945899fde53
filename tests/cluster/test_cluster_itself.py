"""The test cluster is what the other tests take it for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster.hosts import HERE, Cluster, CommandFailed
from tests.local.runs import until


def submit(cluster: Cluster, *options: str, script: str) -> str:
    """The id of a job whose script is run by bash."""
    answer = cluster.run(["sbatch", "--parsable", *options], input=f"#!/bin/bash\n{script}\n")
    return answer.stdout.strip()


def job_state(cluster: Cluster, job: str) -> str:
    answer = cluster.run(["scontrol", "show", "job", job])
    [state] = re.findall(r"JobState=(\S+)", answer.stdout)
    return str(state)


def pid_on_machine(cluster: Cluster, host: str) -> str:
    """The host's first process, as the machine under it counts."""
    return (cluster.directory / "hosts" / host).read_text().split()[0]


def namespace(pid: str) -> str | None:
    """The process's namespace of process ids; None if that cannot be told."""
    try:
        is_dead = "State:\tZ" in Path(f"/proc/{pid}/status").read_text()  # and not buried by its parent yet
        return None if is_dead else os.readlink(f"/proc/{pid}/ns/pid")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def test_a_job_runs_on_every_compute_host_as_the_ordinary_user(cluster: Cluster) -> None:
    answer = cluster.run(["srun", "--nodes=3", "bash", "-c", 'echo "$(hostname) $(id -un) $HOME"'])
    expected = [f"{host} hpcuser {cluster.home}" for host in cluster.compute_hosts]
    assert sorted(answer.stdout.splitlines()) == expected


def test_hosts_are_connected_by_two_networks(cluster: Cluster) -> None:
    names = cluster.run(["ls", "/sys/class/net"], host="c1").stdout.split()
    assert names == ["eth0", "ib0", "lo"]
    for name in ("c2", "c2-ib", "login-ib"):
        # slurmd (6818) and slurmctld (6817) listen on every network.
        port = 6817 if name.startswith("login") else 6818
        cluster.run(["bash", "-c", f"exec 3<>/dev/tcp/{name}/{port}"], host="c1")


def test_tmp_and_scratch_belong_to_one_host_and_home_to_all(cluster: Cluster) -> None:
    for directory in ("/tmp", "/scratch", str(cluster.home)):
        cluster.run(["touch", f"{directory}/made on c1"], host="c1")
    assert "made on c1" in cluster.run(["ls", cluster.home], host="c2").stdout
    for directory in ("/tmp", "/scratch"):
        assert "made on c1" not in cluster.run(["ls", directory], host="c2").stdout


def test_a_user_gets_a_plain_environment_with_the_programs_under_test(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBATCH_PARTITION", "of the one who runs the tests")
    lines = cluster.run(["env"], env={"ADDED": "a $(b) 'c'"}).stdout.splitlines()
    names = {line.partition("=")[0] for line in lines}
    login = {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH", "HPC_LAUNCH_SITE_PATH"}
    assert names == login | {"SGE_ROOT", "SGE_CELL"} | {"ADDED"}  # the middle ones: as a site's profile.d sets them
    assert "ADDED=a $(b) 'c'" in lines
    assert f"HOME={cluster.home}" in lines
    program = cluster.run(["bash", "-c", "command -v hpc-launch"]).stdout.strip()
    assert program == str(cluster.venv / "bin/hpc-launch")
    assert "testcluster.yaml" in cluster.run(["bash", "-c", 'ls "$HPC_LAUNCH_SITE_PATH"']).stdout


def test_two_users_read_each_others_homes_but_not_what_is_private(cluster: Cluster) -> None:
    cluster.run(["mkdir", "--parents", "--mode=700", "private"])
    cluster.run(["ls", cluster.home], user="otheruser")
    with pytest.raises(CommandFailed, match="Permission denied"):
        cluster.run(["ls", cluster.home / "private"], user="otheruser")


def test_a_job_above_its_memory_is_killed_and_one_within_it_is_not(cluster: Cluster) -> None:
    eat = "python3 -c 'bytearray(300 << 20)'"
    killed = submit(cluster, "--mem=100M", "--output=/dev/null", script=eat)
    spared = submit(cluster, "--mem=600M", "--output=/dev/null", script=eat)
    finished = {"COMPLETED", "OUT_OF_MEMORY", "FAILED"}
    until(lambda: {job_state(cluster, killed), job_state(cluster, spared)} <= finished, "both jobs")
    assert (job_state(cluster, killed), job_state(cluster, spared)) == ("OUT_OF_MEMORY", "COMPLETED")


def test_a_command_that_takes_too_long_is_ended_with_its_children(cluster: Cluster) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        cluster.run(["bash", "-c", "sleep 987 & sleep 987"], timeout=1)
    until(lambda: not cluster.processes("login", "sleep 987"), "the end of the processes")


def test_a_started_command_can_be_interrupted(cluster: Cluster) -> None:
    process = cluster.start(["bash", "-c", "trap 'kill $!; echo hit; exit 3' INT; sleep 60 & echo ready; wait"])
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    cluster.signal(process, signal.SIGINT)
    stdout, _ = process.communicate(timeout=10)
    assert (stdout, process.returncode) == ("hit\n", 3)


def test_a_crashed_host_takes_its_processes_along_and_can_boot_again(cluster: Cluster) -> None:
    submit(cluster, "--nodelist=c2", "--no-requeue", "--output=/dev/null", script="sleep 4321")
    until(lambda: cluster.processes("c2", "sleep 4321"), "the job's process")
    cluster.crash("c2")
    with pytest.raises(CommandFailed, match="no host c2"):
        cluster.processes("c2")
    cluster.boot("c2")
    assert not cluster.processes("c2", "sleep 4321")
    assert cluster.run(["srun", "--nodelist=c2", "hostname"]).stdout == "c2\n"


def test_sacct_answers_with_accounting_alone(cluster: Cluster, accounting: bool) -> None:
    assert cluster.accounting is accounting
    job = submit(cluster, "--output=/dev/null", script="exit 7")
    until(lambda: job_state(cluster, job) == "FAILED", "the job's end")
    cluster.forget_jobs()
    assert cluster.run(["scontrol", "show", "job", job], check=False).returncode != 0
    sacct = ["sacct", "-X", "--noheader", "--parsable2", "--format=State,ExitCode", "--jobs", job]
    if accounting:
        until(lambda: cluster.run(sacct).stdout == "FAILED|7:0\n", "the job's record")
    else:
        assert "accounting storage is disabled" in cluster.run(sacct, check=False).stderr


def test_nothing_is_left_after_down_and_a_killed_up_is_cleaned_up(cluster: Cluster) -> None:
    namespaces = {namespace(pid_on_machine(cluster, host)) for host in cluster.hosts}
    assert len(namespaces) == len(cluster.hosts)
    cluster.down()
    assert cluster.leftovers() == []
    running = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    assert not namespaces & set(map(namespace, running))
    killed = subprocess.Popen([HERE / "cluster", "up"], start_new_session=True)
    half_made = cluster.directory / "hosts" / "c1"
    until(half_made.exists, "the first compute host")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert cluster.leftovers() != []
    cluster.up()
    assert cluster.run(["srun", "--nodes=3", "true"]).returncode == 0
