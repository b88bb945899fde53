"""Whole runs of the layout `mpi` on this machine, with MPICH: how they end, and that nothing wrong becomes a hang."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
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


GOES_WELL = """
import json, os, time
from dask.distributed import Client

c = Client()
workers = c.scheduler_info(n_workers=-1)["workers"]
known = [name for d in c.run(lambda: dict(os.environ)).values() for name in d if name.startswith("PMI")]
print(json.dumps([c.submit(sum, [1, 2, 3]).result(), c.scheduler.address, known,
                  {w["name"]: [w["nthreads"], w["memory_limit"], w["resources"]] for w in workers.values()}]))
c.retire_workers([min(workers)])
time.sleep(2)  # the job's shell looks twice a second
print("went on")
"""


@pytest.fixture
def ports_are_taken() -> Iterator[None]:
    """Dask-mpi's own default is 8786, and a second one on the host hangs."""
    with socket.socket() as scheduler, socket.socket() as dashboard:
        for port, taken in ((8786, scheduler), (8787, dashboard)):
            with suppress(OSError):  # by somebody else: as good
                taken.bind(("", port))
                taken.listen()
        yield


def test_every_rank_is_a_worker_the_first_holds_the_scheduler_and_one_may_be_retired(
    mpi: Here, ports_are_taken: None
) -> None:
    workers = {"count": 2, "memory": "0.25 GiB", "resources": {"subprocess_slots": 1, "x": 2.5}}
    run = mpi.submit(mpi.script(GOES_WELL), layout="mpi", workers=workers)
    run.ended_as("succeeded", 0)
    told, went_on = run.log().splitlines()
    total, address, known, there = json.loads(told)
    assert total == 6 and address.startswith("tls://127.0.0.1:")
    ranks = [f"{os.uname().nodename}-{rank}" for rank in range(2)]
    assert there == {rank: [1, 2**28, {"subprocess_slots": 1, "x": 2.5}] for rank in ranks}
    assert known == [], "a program that a task starts would take itself for a rank"
    assert went_on == "went on" and left_in_scratch(run) == []


def test_a_job_whose_shell_is_killed_ends_all_the_same(mpi: Here) -> None:
    run = mpi.submit(SLEEP, layout="mpi", workers=TWO)
    run.until_running()
    os.kill(run.shell, signal.SIGKILL)
    until(lambda: not run.processes(), "ranks, launcher and workload to end")
    assert run.status()["state"] == "lost" and left_in_scratch(run) == []


LOSES_A_WORKER = """
import os, time
from dask.distributed import Client

def own():
    from dask.distributed import LocalCluster
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0", protocol="tcp") as cluster:
        return [type(plugin).__name__ for plugin in cluster.scheduler.plugins.values()]

c = Client()
print("Progress" in c.submit(own).result(), "Progress" in c.run_on_scheduler(
    lambda dask_scheduler: [type(plugin).__name__ for plugin in dask_scheduler.plugins.values()]))
before = c.run(os.getpid)
gone = min(before)
os.kill(before[gone], 9)
there = lambda: set(c.scheduler_info(n_workers=-1)["workers"])
while gone in there() or len(there()) < 2:
    time.sleep(0.2)
c.shutdown()
time.sleep(2)  # the job's shell looks twice a second
print("went on")
"""


def test_a_killed_worker_is_started_again_a_tasks_own_cluster_is_none_of_ours_and_all_may_be_shut_down(
    mpi: Here,
) -> None:
    """The rank is the nanny, which watches over the worker. A task's own scheduler reads the same environment."""
    workers = {"count": 2, "memory": "400 MB"}
    run = mpi.submit(mpi.script(LOSES_A_WORKER), layout="mpi", security="none", workers=workers)
    run.ended_as("succeeded", 0)
    assert run.log() == "False True\nwent on\n" and left_in_scratch(run) == []


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


def test_a_standing_cluster_ends_when_it_is_closed(mpi: Here) -> None:
    run = mpi.stand(layout="mpi")
    run.until_running()
    assert mpi.command("close", run.id).returncode == 0
    assert run.ended_as("succeeded", 0)["reason"] == "it was closed"


def test_a_standing_cluster_ends_when_it_was_idle_for_too_long(mpi: Here) -> None:
    """It is idle from its start on."""
    run = mpi.stand(layout="mpi", scheduler={"idle_timeout": "2s"})
    assert run.ended_as("succeeded", 0)["reason"] == "it was idle for 2 s"


def test_an_interface_that_is_not_there_is_told(mpi: Here) -> None:
    assert "no network interface ib99" in refused(mpi, workers={**TWO, "interface": "ib99"})


def test_a_launcher_that_is_not_there_is_told(mpi: Here) -> None:
    site = mpi.project / "here.yaml"
    site.write_text(site.read_text().replace("mpiexec", "ibrun"))
    reason = refused(mpi)
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
