"""Whole runs of the layout `mpi` over several hosts: srun and mpiexec, on a real Slurm and a real Grid Engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, log_lines, processes_of
from tests.local.runs import Run, until

BUSY = (
    "import time; from dask.distributed import Client, wait\n"
    "c = Client(); futures = c.map(time.sleep, range(600, 606)); print('busy', flush=True); wait(futures)"
)
ON_THREE_HOSTS = {"count": 6, "per_node": 2, "memory": "300 MB"}
BY_MPIEXEC = [("testcluster", "mpiexec"), ("gridcluster", "mpiexec")]
ALSO_BY_SRUN = [("testcluster", "srun"), ("gridcluster", "mpiexec")]
"""Both launchers have their turn on Slurm: examples by one, and all that goes wrong by the other."""


@pytest.fixture
def there(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[There]:
    """The user, in a project with a site file that names the launcher; the clusters' own files are beside it."""
    site, launcher = request.param
    user = There.at(cluster)
    text = (cluster.directory / f"sites/{site}.yaml").read_text()
    kept = re.sub(r"^(launchers|detect):.*\n", "", text, flags=re.M)
    # MPICH and Slurm speak to each other in PMI, version 2.
    options = ", options: ['--mpi=pmi2']" if launcher == "srun" else ""
    user.write("site.yaml", f"{kept}launchers: {{mpi: {{name: {launcher}{options}}}}}\n")
    yield replace(user, site="./site.yaml")
    if site == "gridcluster":
        cluster.run(["qdel", "-u", "hpcuser"], check=False)
        until(lambda: cluster.run(["qstat", "-u", "hpcuser"]).stdout == "", "every job to leave Grid Engine")


def example(there: There, name: str, *assignments: str) -> Run:
    """An example of the project with six workers on three hosts, run to its end."""
    words = ["layout=mpi", "workers.count=6", "workers.per_node=2", *assignments]
    done = there.command(
        "submit",
        str(there.home / "examples" / name / "profile.yaml"),
        *("--site", "./site.yaml", "--wait"),
        *(word for assignment in words for word in ("--set", assignment)),
    )
    assert done.returncode == 0, done.stderr
    return Run(there, done.stdout.strip())


def nothing_is_left(there: There, run: Run) -> None:
    """No process, no key, and nothing of its workers in local scratch, which other jobs use too."""
    directory = run.directory
    until(lambda: processes_of(directory) == [], "every process of the run to end")
    assert not (directory / "tls").exists()
    places = {line.split()[-1] for line in log_lines(run, "workers") if "Local Directory:" in line}
    assert all(place.startswith("/scratch/") for place in places)
    scratch = [there.cluster.scratch(host) for host in there.cluster.compute_hosts]
    assert [place for place in places for host in scratch if (host / place.removeprefix("/scratch/")).exists()] == []


@pytest.mark.parametrize("there", BY_MPIEXEC, indirect=True, ids="-".join)
def test_an_example_runs_on_three_hosts_through_ib0_and_leaves_nothing(there: There) -> None:
    run = example(there, "monte-carlo-pi")
    assert "pi = 3.14" in run.log() and "workers = 6" in run.log()
    lines = log_lines(run, "workers")
    hosts = [re.findall(r"tls://10\.77\.2\.(\d+)", line)[0] for line in lines if "Start worker at:" in line]
    assert {host: hosts.count(host) for host in hosts} == {"11": 2, "12": 2, "13": 2}
    addresses = {found for line in lines for found in re.findall(r"\w+://[\d.]+:\d+(?![\d/])", line)}
    assert {address for address in addresses if not re.match(r"tls://10\.77\.2\.\d+:\d+$", address)} == set()
    names = sorted(line.split()[-1].split("-")[1] for line in lines if "Worker name:" in line)
    assert names == ["0", "1", "2", "3", "4", "5"]
    nothing_is_left(there, run)


@pytest.mark.parametrize("there", BY_MPIEXEC[:1], indirect=True, ids="-".join)
def test_programs_that_tasks_start_have_a_slot_each(there: There) -> None:
    run = example(
        there,
        "subprocess-slots",
        "workers.threads=2",
        "workload.command=[python, pipeline.py, --programs, 6, --seconds, 0.5]",
    )
    assert "most at once on one worker: 1 tagged" in run.log()
    nothing_is_left(there, run)


@pytest.mark.parametrize("there", ALSO_BY_SRUN, indirect=True, ids="-".join)
def test_the_last_host_holds_what_is_left_and_the_exit_code_is_the_workloads(there: There) -> None:
    run = there.submit(
        there.script(
            "from collections import Counter; from dask.distributed import Client\n"
            "workers = Client().scheduler_info(n_workers=-1)['workers'].values()\n"
            "print(sorted(Counter(w['host'] for w in workers).values()), {w['nthreads'] for w in workers})\n"
            "raise SystemExit(7)"
        ),
        layout="mpi",
        workers={"count": 5, "per_node": 2, "threads": 3, "memory": "300 MB"},
    )
    run.ended_as("failed", 7)
    assert run.log() == "[1, 2, 2] {3}\n"
    nothing_is_left(there, run)


@pytest.mark.parametrize("there", ALSO_BY_SRUN, indirect=True, ids="-".join)
def test_a_cancelled_run_leaves_nothing(there: There) -> None:
    run = there.submit(there.script(BUSY), layout="mpi", workers=ON_THREE_HOSTS)
    run.until_printed("busy")
    assert there.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
    nothing_is_left(there, run)


@pytest.mark.parametrize("there", ALSO_BY_SRUN, indirect=True, ids="-".join)
def test_an_mpi_library_that_is_not_the_launchers_is_told(there: There) -> None:
    """Without what its launcher tells it, MPICH takes each process for a world of its own."""
    run = there.submit(
        ["true"],
        layout="mpi",
        workers=ON_THREE_HOSTS,
        environment={"setup": 'case $0 in *node.sh) unset "${!PMI@}" ;; esac\n'},
    )
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert re.match(r"c\d: each rank sees a world of 1 instead of 6: the MPI library of mpi4py \(MPICH", reason)
    nothing_is_left(there, run)


@pytest.mark.parametrize("there", ALSO_BY_SRUN, indirect=True, ids="-".join)
def test_a_host_where_ranks_cannot_join_ends_the_run_with_a_sentence(there: There) -> None:
    """The ranks of the other hosts are waiting for them in MPI_Init."""
    run = there.submit(
        ["true"],
        layout="mpi",
        workers=ON_THREE_HOSTS,
        # unset elsewhere: where c3 is the first host, the launcher gives its own environment to all ranks
        environment={"setup": "unset MPI4PY_LIBMPI\n[ $(uname -n) != c3 ] || export MPI4PY_LIBMPI=/nonexistent.so\n"},
    )
    reason = run.ended_as("launch-failed", 1)["reason"]
    assert reason.startswith("c3: mpi4py of ") and "does not find an MPI library" in reason
    nothing_is_left(there, run)
