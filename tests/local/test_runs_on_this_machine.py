"""Whole runs with real Dask: how they end, and that every way out is told and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.runs import Here, Run, until

SLEEP = ["sleep", "300"]
STUBBORN = "trap '' TERM; (trap '' TERM; sleep 300) & sleep 300"
"""A workload that does not hear TERM, and has a child that does not either."""


def test_the_workload_finds_its_cluster_with_a_bare_client(here: Here) -> None:
    run = here.submit(
        here.script(
            "import os, sys; from dask.distributed import Client\n"
            "with Client() as client:\n"
            "    print('sum', client.submit(sum, [1, 2, 3]).result(), client.scheduler.address)\n"
            "print(sorted(name for name in os.environ if name.startswith('HPC_LAUNCH_')))"
        ),
        workers={"count": 2, "memory": "300 MB", "resources": {"subprocess_slots": 1}},
    )
    run.ended_as("succeeded", 0)
    assert "sum 6 tls://127.0.0.1:" in run.log()
    for name in ("HPC_LAUNCH_RUN_DIR", "HPC_LAUNCH_ATTEMPT", "HPC_LAUNCH_SCHEDULER_FILE"):
        assert name in run.log()
    assert not (run.directory / "tls").exists()


def test_an_address_without_a_scheme_is_the_cluster_too_and_a_workloads_own_cluster_stays_possible(here: Here) -> None:
    run = here.submit(
        here.script(
            "import os; from dask.distributed import Client, LocalCluster\n"
            "if __name__ == '__main__':\n"
            "    scheduler = os.environ['DASK_SCHEDULER_ADDRESS'].split('://')[1]\n"
            "    with Client(scheduler) as client:\n"
            "        print('sum', client.submit(sum, [1, 2, 3]).result(), client.scheduler.address)\n"
            "    with LocalCluster(1, processes=False, dashboard_address=None) as own, Client(own) as client:\n"
            "        print('own', client.submit(sum, [2, 3, 4]).result())"
        ),
        workers={"count": 1, "memory": "300 MB"},
    )
    run.ended_as("succeeded", 0)
    assert "sum 6 tls://127.0.0.1:" in run.log() and "own 9" in run.log()


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -KILL $$", 137), (["no-such-program"], 127)])
def test_the_workloads_exit_code_is_the_runs(here: Here, command: str | list[str], code: int) -> None:
    done = here.command("submit", here.profile(command), "--wait")
    assert done.returncode == code, done.stderr
    assert Run(here, done.stdout.strip()).ended_as("failed", code)["reason"] is None


def test_a_run_ends_before_its_walltime_and_says_so(here: Here) -> None:
    run = here.submit(STUBBORN, walltime="00:00:18")
    status = run.ended_as("timeout", 1)
    assert "walltime" in status["reason"]
    assert not (run.directory / "tls").exists()


def test_a_cancelled_run_leaves_nothing_however_stubborn(here: Here) -> None:
    run = here.submit(STUBBORN)
    run.until_running()
    assert here.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    assert not (run.directory / "tls").exists()
    again = here.command("cancel", run.id)
    assert again.returncode == 0 and "over" in again.stderr + again.stdout


def test_a_job_whose_shell_is_killed_ends_all_the_same(here: Here) -> None:
    run = here.submit(here.script("from dask.distributed import Client; import time\nc = Client()\ntime.sleep(300)"))
    run.until_running()
    shell = int(run.status()["jobs"][0]["id"].split(":")[1])
    os.kill(shell, signal.SIGKILL)
    until(lambda: not run.processes(), "scheduler, workers and workload to end")
    assert run.status()["state"] == "lost"


@pytest.mark.parametrize(
    ("workers", "told"),
    [
        ({"interface": "ib99"}, "no network interface ib99"),
        ({"local_directory": "/proc/nowhere"}, "cannot write to the local directory /proc/nowhere"),
        ({"local_directory": "$NOT_SET_HERE/x"}, "$NOT_SET_HERE/x is not set here"),
        ({"options": ["--worker-class", "no.such.Class"]}, "logs/workers-"),
    ],
)
def test_a_node_that_is_not_fit_fails_the_launch_with_a_sentence(
    here: Here, workers: dict[str, object], told: str
) -> None:
    run = here.submit(SLEEP, workers={"count": 1, "memory": "300 MB", **workers})
    status = run.ended_as("launch-failed", 1)
    assert told in status["reason"]


def test_an_environment_that_is_not_there_is_named(here: Here) -> None:
    run = here.submit(SLEEP, environment={"venv": "/nowhere/venv"})
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert "environment.sh failed: " in reason and "/nowhere/venv/bin/activate: No such file" in reason


def test_an_environment_without_dask_fails_the_launch_with_a_sentence(here: Here) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "empty"], cwd=here.project, check=True, timeout=60)
    run = here.submit(SLEEP, environment={"venv": str(here.project / "empty")})
    assert "cannot import dask.distributed" in run.ended_as("launch-failed", 1)["reason"]


def test_setup_lines_that_fail_are_told(here: Here) -> None:
    run = here.submit(SLEEP, environment={"setup": "set -eu\nfalse\n"})
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert "environment.sh failed" in reason or "logs/scheduler.log" in reason


def test_the_users_lines_cannot_change_what_the_job_believes(here: Here) -> None:
    names = ("state", "outcome", "code", "reason", "workload", "workers", "scheduler", "node", "host", "patience")
    setup = "set -aeuf; SECONDS=0; IFS=x; outcome=succeeded code=0 reason=fine; finish() { :; }; unfit() { :; }\n"
    run = here.submit("exit 5", environment={"variables": dict.fromkeys(names, "1"), "setup": setup})
    run.ended_as("failed", 5)


def test_the_failure_of_a_piped_command_is_a_failure(here: Here) -> None:
    here.submit("exit 0; true\n(exit 9) | cat").ended_as("succeeded", 0)
    here.submit("(exit 9) | cat").ended_as("failed", 9)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1])
def test_a_job_that_is_told_to_end_says_so(here: Here, number: signal.Signals) -> None:
    run = here.submit(SLEEP, walltime="00:05:00")
    run.until_running()
    directory = run.directory
    os.kill(int(run.status()["jobs"][0]["id"].split(":")[1]), number)
    until(lambda: "ended" in (directory / "state/1/events").read_text(), "the job to end")
    told = (directory / "state/1/outcome").read_text()
    assert told == f"cancelled 1 the job was told to end ({number.name[3:]})\n"


def test_the_workload_starts_when_the_minimum_is_there(here: Here) -> None:
    lines = "case $0 in *node.sh) rm -f $HPC_LAUNCH_RUN_DIR/never ;; esac"
    run = here.submit(
        here.script(
            "from dask.distributed import Client; print(len(Client().scheduler_info(n_workers=-1)['workers']))"
        ),
        workers={"count": 2, "memory": "300 MB", "minimum": 1},
        environment={"setup": lines},
    )
    run.ended_as("succeeded", 0)
    assert run.log() in ("1\n", "2\n")


def test_workers_may_be_retired_by_the_workload(here: Here) -> None:
    run = here.submit(
        here.script(
            "import time; from dask.distributed import Client\n"
            "c = Client(); c.retire_workers(); time.sleep(2); print('went on')"
        )
    )
    run.ended_as("succeeded", 0)
    assert run.log() == "went on\n"


@pytest.mark.parametrize(("kind", "spill"), [("memory", "False"), ("disk", "0.7")])
def test_workers_spill_only_to_a_disk(here: Here, kind: str, spill: str, tmp_path: Path) -> None:
    directory = "/dev/shm" if kind == "memory" else str(here.project)
    run = here.submit(
        here.script(
            "import dask; from dask.distributed import Client\n"
            "print(*Client().run(dask.config.get, 'distributed.worker.memory.spill').values())"
        ),
        workers={"count": 1, "memory": "300 MB", "local_directory": directory},
    )
    run.ended_as("succeeded", 0)
    [told] = [file.read_text() for file in (run.directory / "state/1/fit").iterdir()]
    assert told.startswith(f"{directory} is {kind} (") and run.log() == f"{spill}\n"


def test_workers_that_never_come_fail_the_launch_in_time(here: Here) -> None:
    wait_for_ever = "exec sleep 300"
    run = here.submit(
        SLEEP,
        workers={"count": 1, "memory": "300 MB", "timeout": "5s"},
        environment={"setup": f"case $0 in *node.sh) {wait_for_ever} ;; esac"},
    )
    assert "fewer than 1 workers were connected after 5 s" in run.ended_as("launch-failed", 1)["reason"]


def test_a_workload_may_shut_its_cluster_down(here: Here) -> None:
    run = here.submit(
        here.script(
            "from dask.distributed import Client\nc = Client(); c.shutdown()\nimport time; time.sleep(2); print('on')"
        )
    )
    run.ended_as("succeeded", 0)
    assert "on" in run.log()


def test_a_scheduler_that_dies_is_named_when_the_workload_fails(here: Here) -> None:
    run = here.submit(
        here.script(
            "import os; from dask.distributed import Client\nc = Client()\n"
            "print(flush=True)\n"
            "c.run_on_scheduler(lambda: os.kill(os.getpid(), 9))"
        )
    )
    status = run.status() if run.wait() else {}
    assert status["outcome"] == "failed" and "scheduler died with exit code 137" in status["reason"]
    until(lambda: not run.processes(), "every process of the run to end")


def test_a_killed_worker_is_started_again(here: Here) -> None:
    run = here.submit(
        here.script(
            "import os, time; from dask.distributed import Client\n"
            "c = Client()\n"
            "before = c.submit(os.getpid, pure=False).result()\n"
            "os.kill(before, 9)\n"
            "time.sleep(1)\n"
            "c.wait_for_workers(1)\n"
            "after = c.submit(os.getpid, pure=False).result()\n"
            "assert before != after, (before, after)"
        )
    )
    run.ended_as("succeeded", 0)


def test_a_requeued_job_starts_a_new_attempt(here: Here) -> None:
    run = here.submit("[ $HPC_LAUNCH_ATTEMPT = 2 ] || sleep 300")
    run.until_running()
    directory, shell = run.directory, int(run.status()["jobs"][0]["id"].split(":")[1])
    os.kill(shell, signal.SIGTERM)  # as a batch system does before it requeues
    until(lambda: "ended" in (directory / "state/1/events").read_text(), "the first attempt to end")
    (directory / "scheduler.json").write_text('{"address": "tls://127.0.0.1:1"}')  # an earlier attempt's
    subprocess.run(
        ["bash", "job.sh"],
        cwd=directory,
        check=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(here.home)},
    )
    assert (directory / "state/attempt").read_text() == "2\n"
    assert (directory / "state/1/outcome").read_text().startswith("cancelled 1 ")
    assert (directory / "state/2/outcome").read_text().startswith("succeeded 0")


def test_hostile_names_are_names(tmp_path: Path) -> None:
    project = tmp_path / "a b'c\"d$(touch pwned)`touch pwned`;é\\"
    project.mkdir()
    (tmp_path / "home").mkdir()
    here = Here(project, tmp_path / "home")
    place = '../runs\' $HOME "x" $(touch pwned)'
    done = here.command("submit", here.profile(["pwd"]), "--run-dir", place, "--wait")
    assert done.returncode == 0, done.stderr
    assert Run(here, done.stdout.strip()).log() == f"{project}\n"
    assert (project / place / "run.json").is_file()
    assert not list(tmp_path.rglob("pwned"))


def test_workers_have_what_the_profile_says(here: Here) -> None:
    run = here.submit(
        here.script(
            "import json, dask; from dask.distributed import Client\n"
            "c = Client(); [w] = c.scheduler_info(n_workers=-1)['workers'].values()\n"
            "get = lambda key: list(c.run(dask.config.get, key).values())[0]\n"
            "print(json.dumps([w['nthreads'], w['memory_limit'], w['resources'], w['local_directory'],\n"
            "    get('distributed.worker.memory.spill'), get('distributed.worker.multiprocessing-method')]))"
        ),
        workers={
            "count": 1,
            "threads": 2,
            "memory": "0.25 GiB",
            "resources": {"subprocess_slots": 1, "x": 2.5},
            "local_directory": str(here.project),
            "spill": False,
        },
    )
    run.ended_as("succeeded", 0)
    threads, memory, resources, directory, spill, method = json.loads(run.log())
    assert (threads, memory, resources) == (2, 2**28, {"subprocess_slots": 1, "x": 2.5})
    assert directory.startswith(str(here.project)) and spill is False and method == "forkserver"


def test_nobody_without_the_keys_gets_in(here: Here) -> None:
    run = here.submit(SLEEP)
    run.until_running()
    address = (run.directory / "state/1/ready").read_text()
    for attempt in (address, address.replace("tls://", "tcp://")):
        script = f"from dask.distributed import Client; Client({attempt!r}, timeout=3).scheduler_info()"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0, attempt
    mode = (run.directory / "tls/key.pem").stat().st_mode & 0o777, run.directory.stat().st_mode & 0o777
    assert mode == (0o600, 0o700)
    here.command("cancel", run.id)


def test_without_security_there_are_no_keys(here: Here) -> None:
    run = here.submit(
        here.script("from dask.distributed import Client; print(Client().scheduler.address)"), security="none"
    )
    run.ended_as("succeeded", 0)
    assert run.log().startswith("tcp://") and not (run.directory / "tls").exists()


def test_what_render_shows_is_what_submit_wrote(here: Here) -> None:
    profile = here.profile(["true"])
    assert here.command("render", profile, "--output", "rendered").returncode == 0
    done = here.command("submit", profile, "--wait")
    run = Run(here, done.stdout.strip())
    rendered = {
        file.relative_to(here.project / "rendered"): file.read_bytes()
        for file in (here.project / "rendered").rglob("*")
        if file.is_file() and file.name != ".rendered"  # what a render into the same place goes by
    }
    for name, content in rendered.items():
        assert (run.directory / name).read_bytes() == content, name
    made_later = {"run.json", "scheduler.json", "logs", "state", "tls"}
    written = {file.relative_to(run.directory) for file in run.directory.rglob("*") if file.is_file()}
    assert {name for name in written if name.parts[0] not in made_later and "__pycache__" not in name.parts} == set(
        rendered
    )
    shown = json.loads(here.command("submit", profile, "--dry-run", "--json").stdout)
    assert shown["files"] == {str(name): content.decode() for name, content in rendered.items()}
    assert shown["submissions"][0]["command"] == ["bash", "job.sh", "{run}"]


def test_the_examples_run(here: Here) -> None:
    examples = Path(__file__).resolve().parents[2] / "examples"
    done = here.command(
        "submit",
        str(examples / "subprocess-slots/profile.yaml"),
        "--wait",
        "--set",
        "workload.command=[python, slots.py, --tasks, 2, --seconds, 1]",
    )
    assert done.returncode == 0, done.stderr
    assert "most at once on one worker: 1 tagged, 2 untagged" in Run(here, done.stdout.strip()).log()
    done = here.command(
        "submit",
        str(examples / "monte-carlo-pi/profile.yaml"),
        "--wait",
        "--set",
        "workload.command=[python, pi.py, --size, 200MB, --chunk, 20MB]",
    )
    assert done.returncode == 0, done.stderr
    assert "pi = 3.14" in Run(here, done.stdout.strip()).log()
