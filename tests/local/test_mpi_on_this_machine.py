"""Whole runs of the layout `mpi` on this machine, with MPICH: how they end, and that nothing wrong becomes a hang."""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.local.runs import Here, Run, until

SLEEP = ["sleep", "300"]
TWO = {"count": 2, "memory": "300 MB"}
STRANGER = """#!/bin/bash
# A launcher of another MPI: it starts all ranks, and tells them nothing that their own library understands.
ranks=$2
while [ "$1" != bash ]; do shift; done
for ((rank = 0; rank < ranks; rank++)); do "$@" & done
wait -n
code=$?
wait
exit $code
"""


@pytest.fixture
def mpi(here: Here) -> Here:
    """The user, at a site that is this machine with an MPI launcher."""
    site = {
        "schema": 1,
        "name": "here",
        "extends": "local",
        "batch_system": "local",
        "launchers": {"node": "here", "mpi": "mpiexec"},
        "layouts": ["single-job", "mpi"],
    }
    (here.project / "here.yaml").write_text(yaml.safe_dump(site))
    return replace(here, site="./here.yaml")


def launcher(here: Here, text: str) -> dict[str, str]:
    """The environment of a profile in which mpiexec is this script."""
    directory = here.project / "bin"
    directory.mkdir()
    (directory / "mpiexec").write_text(text)
    (directory / "mpiexec").chmod(0o755)
    return {"setup": f"export PATH='{directory}':$PATH"}


def fake_dask_mpi(here: Here, version: str, body: str) -> None:
    """Modules beside the workload come first, and so does what they say of their version."""
    package, about = here.project / "dask_mpi", here.project / f"dask_mpi-{version}.dist-info"
    package.mkdir()
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dask-mpi\nVersion: {version}\n")
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(
        "import click\nfrom mpi4py.MPI import COMM_WORLD\n"
        "@click.command(context_settings={'ignore_unknown_options': True})\n"
        "@click.argument('words', nargs=-1, type=click.UNPROCESSED)\n"
        f"def main(words):\n    {body}\n"
    )


def refused(here: Here, **keys: object) -> str:
    """The sentence with which a run ends that never gets to its workload."""
    run = here.submit(SLEEP, layout="mpi", workers=keys.pop("workers", TWO), **keys)
    reason: str = run.ended_as("launch-failed", 1)["reason"]
    until(lambda: not run.processes(), "every process of the run to end")
    return reason


def left_in_scratch(run: Run) -> list[str]:
    """Directories of its workers and scheduler that are still there."""
    logs = "".join(file.read_text() for file in (run.directory / "logs").glob("workers-*.log"))
    places = {line.split()[-1] for line in logs.splitlines() if "Local Directory:" in line}
    assert places
    return [place for place in places if Path(place).exists()]


@pytest.mark.parametrize("count", [1])  # more of them: tests/cluster/test_mpi.py
def test_every_rank_is_a_worker_and_the_first_holds_the_scheduler(mpi: Here, count: int) -> None:
    run = mpi.submit(
        mpi.script(
            "import json, os; from dask.distributed import Client\n"
            "c = Client(); workers = c.scheduler_info(n_workers=-1)['workers'].values()\n"
            "known = [name for d in c.run(lambda: dict(os.environ)).values() for name in d if name.startswith('PMI')]\n"
            "print(json.dumps([c.submit(sum, [1, 2, 3]).result(), c.scheduler.address,"
            " sorted(w['name'] for w in workers), known,"
            " [[w['nthreads'], w['memory_limit'], w['resources']] for w in workers]]))"
        ),
        layout="mpi",
        workers={"count": count, "memory": "0.25 GiB", "resources": {"subprocess_slots": 1, "x": 2.5}},
    )
    run.ended_as("succeeded", 0)
    total, address, names, known, workers = json.loads(run.log())
    assert total == 6 and address.startswith("tls://127.0.0.1:")
    assert names == [f"{os.uname().nodename}-{rank}" for rank in range(count)]
    assert workers == [[1, 2**28, {"subprocess_slots": 1, "x": 2.5}]] * count
    assert known == [], "a program that a task starts would take itself for a rank"
    assert left_in_scratch(run) == []


def test_a_job_whose_shell_is_killed_ends_all_the_same(mpi: Here) -> None:
    run = mpi.submit(SLEEP, layout="mpi", workers=TWO)
    run.until_running()
    os.kill(int(run.status()["jobs"][0]["id"].split(":")[1]), signal.SIGKILL)
    until(lambda: not run.processes(), "ranks, launcher and workload to end")
    assert run.status()["state"] == "lost" and left_in_scratch(run) == []


def test_a_killed_worker_is_started_again(mpi: Here) -> None:
    """What the nanny watches over is the worker; the rank is the nanny."""
    run = mpi.submit(
        mpi.script(
            "import os, time; from dask.distributed import Client\n"
            "c = Client()\n"
            "before = c.run(os.getpid)\n"
            "gone = min(before)\n"
            "os.kill(before[gone], 9)\n"
            "there = lambda: set(c.scheduler_info(n_workers=-1)['workers'])\n"
            "while gone in there() or len(there()) < 2: time.sleep(0.2)\n"
        ),
        layout="mpi",
        workers=TWO,
    )
    run.ended_as("succeeded", 0)


@pytest.mark.parametrize("end", ["c.retire_workers([first])", "c.shutdown()"])
def test_ranks_that_end_well_do_not_end_the_workload(mpi: Here, end: str) -> None:
    run = mpi.submit(
        mpi.script(
            "import time; from dask.distributed import Client\n"
            "c = Client(); first = min(c.scheduler_info(n_workers=-1)['workers'])\n"
            f"{end}; time.sleep(3); print('went on')"
        ),
        layout="mpi",
        workers=TWO,
    )
    run.ended_as("succeeded", 0)
    assert run.log() == "went on\n" and left_in_scratch(run) == []


def test_a_rank_that_is_killed_ends_the_run_with_a_reason(mpi: Here) -> None:
    run = mpi.submit(
        mpi.script(
            "import os, time; from dask.distributed import Client\n"
            "rank = min(Client().run(os.getpid, nanny=True).values())\n"
            "os.kill(rank, 9); time.sleep(2); raise SystemExit(3)"
        ),
        layout="mpi",
        workers=TWO,
    )
    assert "all workers ended before the workload did, with exit code 9" in run.ended_as("failed", 3)["reason"]


def test_ports_that_are_taken_do_not_matter(mpi: Here) -> None:
    """dask-mpi's own default is 8786, and a second one on the host hangs."""
    with socket.socket() as scheduler, socket.socket() as dashboard:
        for port, taken in ((8786, scheduler), (8787, dashboard)):
            with suppress(OSError):  # by somebody else: as good
                taken.bind(("", port))
                taken.listen()
        mpi.submit(["true"], layout="mpi", workers=TWO).ended_as("succeeded", 0)


def test_an_idle_cluster_ends_by_itself_when_it_is_to(mpi: Here) -> None:
    run = mpi.submit("sleep 8; ls $HPC_LAUNCH_SCHEDULER_FILE", layout="mpi", scheduler={"idle_timeout": "2s"})
    run.ended_as("failed", 2)
    assert "No such file" in run.log()


def test_an_interface_that_is_not_there_is_told(mpi: Here) -> None:
    assert "no network interface ib99" in refused(mpi, workers={**TWO, "interface": "ib99"})


def test_a_launcher_that_is_not_there_is_told(mpi: Here) -> None:
    reason = refused(mpi, environment={"setup": "PATH=/usr/bin:/bin"})
    assert reason == (
        "the MPI launcher ended with exit code 127 (a program was not found: is the MPI library's module in"
        " environment.modules?) before the workload began, see logs/job.log"
    )


def test_an_mpi_library_that_is_not_the_launchers_is_told(mpi: Here) -> None:
    """Each process is then the only rank of a world of its own: dask-mpi would start a cluster in each."""
    reason = refused(mpi, environment=launcher(mpi, STRANGER))
    assert "each rank sees a world of 1 instead of 2: the MPI library of mpi4py (MPICH Version: " in reason


def test_an_mpi_library_that_ends_the_process_is_told(mpi: Here) -> None:
    """As MPICH's does when it finds that Open MPI's launcher has started it."""
    environment = launcher(mpi, STRANGER.replace('"$@" &', 'PMI_RANK=$rank PMI_SIZE=$ranks PMI_FD=99 "$@" &'))
    assert "the ranks ended as they joined MPI: is the MPI library of mpi4py (MPICH Version: " in refused(
        mpi, environment=environment
    )


def test_an_mpi_library_that_is_not_there_is_told(mpi: Here) -> None:
    reason = refused(mpi, environment={"variables": {"MPI4PY_LIBMPI": "/nonexistent.so"}})
    assert "does not find an MPI library" in reason and "/nonexistent.so" in reason


def test_a_rank_that_cannot_join_does_not_leave_the_others_waiting(mpi: Here) -> None:
    """The first rank waits for the second one in MPI_Init."""
    setup = '[ "${PMI_RANK-0}" = 0 ] || export MPI4PY_LIBMPI=/nonexistent.so'
    assert "does not find an MPI library" in refused(mpi, environment={"setup": setup})


def test_a_dask_mpi_that_is_too_old_is_told(mpi: Here) -> None:
    fake_dask_mpi(mpi, "2022.4.0", "pass")
    assert "dask-mpi 2022.4.0 is too old, the layout mpi needs 2025.10 or newer" in refused(mpi)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_fails_aborts_all_of_them(mpi: Here, rank: int) -> None:
    """dask-mpi itself would wait: rank 0 fails before the barrier, or all others do and rank 0 knows nothing of it."""
    fake_dask_mpi(mpi, "2099.1.0", f"assert COMM_WORLD.rank != {rank}, 'a \"bad\" day'; import time; time.sleep(300)")
    assert "dask-mpi failed with AssertionError('a \"bad\" day')" in refused(mpi)


def test_a_cluster_that_a_task_starts_is_none_of_ours(mpi: Here) -> None:
    """What this run's scheduler takes from the environment would tell its state."""
    run = mpi.submit(
        mpi.script(
            "from dask.distributed import Client\n"
            "def own():\n"
            "    from dask.distributed import LocalCluster\n"
            "    with LocalCluster(n_workers=1, processes=False, dashboard_address=None, protocol='tcp') as cluster:\n"
            "        return [type(plugin).__name__ for plugin in cluster.scheduler.plugins.values()]\n"
            "print('Progress' in Client().submit(own).result())"
        ),
        layout="mpi",
        security="none",
        workers={"count": 1, "memory": "500 MB"},
    )
    run.ended_as("succeeded", 0)
    assert run.log() == "False\n"
