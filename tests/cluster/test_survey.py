"""`site discover` and `site check` on live machines: a real Slurm, a real Grid Engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, log_lines
from tests.local.runs import Run, until

FAR = ", as far as it could be compared"
FOR_SEVERAL_HOSTS = "  nodes: {name: mpi-4, slots: 4} "


@pytest.fixture
def there(cluster: Cluster) -> There:
    return There.at(cluster)


def discover(there: There, system: str) -> Path:
    """A draft, as the ordinary user makes one; its file."""
    done = there.command("site", "discover", "--batch-system", system)
    assert done.returncode == 0, done.stderr
    there.write("x.yaml", done.stdout)
    return there.project / "x.yaml"


def checked(there: There, ends: int, name: str = "x.yaml") -> list[str]:
    """The lines of `site check`, which must end with this code; but what a login host cannot tell of its nodes.

    Nor that homes are on a disk of the host's own: these hosts are on one machine, and share it. Nor that the
    environment for several hosts gives half of their slots alone, which the draft of this Grid Engine says as well.
    """
    done = there.command("site", "check", name)
    assert done.returncode == ends, done.stdout + done.stderr
    others = (": not compared: ", "has disk of its own there", " leave half of its ", "    ")
    return [line for line in done.stdout.splitlines() if not any(words in line for words in others)]


def line_of(file: Path, beginning: str) -> int:
    """The number of the line that begins like this."""
    return next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(beginning))


def root(cluster: Cluster, *words: str) -> str:
    """What a command prints to the administrator; with what Grid Engine's commands need."""
    return cluster.run(words, user="root", env={"SGE_ROOT": "/var/lib/gridengine", "SGE_CELL": "default"}).stdout


@contextmanager
def slurm_is(cluster: Cluster, changed: tuple[str, ...], back: tuple[str, ...]) -> Iterator[None]:
    """Change the live Slurm, and change it back, whatever happens."""
    try:
        root(cluster, "scontrol", "update", *changed)
        yield
    finally:
        root(cluster, "scontrol", "update", *back)
        until(lambda: ready_nodes(cluster) == 3, "all nodes to take jobs again")


def ready_nodes(cluster: Cluster) -> int:
    states = cluster.run(["sinfo", "--noheader", "--Node", "--partition=short", "--format=%T"]).stdout.split()
    return sum(state in ("idle", "mixed", "allocated", "completing") for state in states)


@contextmanager
def gridengine_is(cluster: Cluster, changed: tuple[str, ...], back: tuple[str, ...]) -> Iterator[None]:
    try:
        root(cluster, *changed)
        yield
    finally:
        root(cluster, *back)


@pytest.mark.parametrize("system", ["slurm", "sge"])
def test_a_draft_passes_the_check_and_takes_a_run_without_an_edit(there: There, system: str) -> None:
    discover(there, system)
    (verdict,) = checked(there, 0)
    assert verdict.endswith(f"is valid and agrees with the live {system}{FAR}")
    done = there.command(
        "submit",
        str(there.home / "examples/monte-carlo-pi/profile.yaml"),
        *("--site", "./x.yaml", "--set", "workers.count=4", "--wait"),
    )
    assert done.returncode == 0, done.stderr
    log = Run(there, done.stdout.strip()).log()
    assert "pi = 3.14" in log and "workers = 4" in log


def test_a_draft_takes_a_run_on_several_hosts_of_grid_engine(there: There) -> None:
    assert FOR_SEVERAL_HOSTS in discover(there, "sge").read_text()
    profile = str(there.home / "examples/monte-carlo-pi/profile.yaml")
    done = there.command("submit", profile, "--site", "./x.yaml", "--set", "workers.count=10", "--wait")
    assert done.returncode == 0, done.stderr
    lines = log_lines(Run(there, done.stdout.strip()), "workers")
    hosts = [re.findall(r"tls://10\.77\.2\.(\d+)", line)[0] for line in lines if "Start worker at:" in line]
    assert sorted(hosts.count(host) for host in set(hosts)) == [2, 4, 4]


def test_the_projects_own_site_profiles_agree_with_the_cluster(there: There) -> None:
    assert checked(there, 0, "testcluster")[-1].endswith("is valid and agrees with the live slurm" + FAR)
    assert checked(there, 0, "gridcluster")[-1].endswith("is valid and agrees with the live sge" + FAR)


def test_what_a_draft_guesses_is_marked_and_its_sources_are_what_answered(there: There) -> None:
    draft = discover(there, "slurm").read_text()
    launcher = next(line for line in draft.splitlines() if line.strip().startswith("mpi: "))
    assert "a guess: " in launcher
    sources = draft.partition("sources:")[2].partition("\nd")[0]
    assert "scontrol show config" in sources and "sacctmgr" not in sources, "there is no accounting"


def test_run_directories_on_a_disk_of_one_host_are_told(there: There) -> None:
    there.write("own.yaml", "extends: testcluster\nname: own\nstorage: {runs: /tmp/runs, local: /tmp}\n")
    done = there.command("site", "check", "./own.yaml")
    assert "storage.runs" in done.stdout and "has disk of its own there" in done.stdout, done.stdout


def test_where_both_answer_one_has_to_be_named(there: There) -> None:
    done = there.command("site", "discover")
    assert (done.returncode, done.stdout) == (2, "")
    assert "sge and slurm" in done.stderr


@pytest.mark.parametrize(("live", "ends", "note"), [("00:30:00", 1, ""), ("02:00:00", 0, "note: ")])
def test_a_partitions_longest_time_that_was_changed_is_told(
    there: There, cluster: Cluster, live: str, ends: int, note: str
) -> None:
    line = line_of(discover(there, "slurm"), "  short:")
    with slurm_is(
        cluster,
        ("PartitionName=short", f"MaxTime={live}"),
        ("PartitionName=short", "MaxTime=01:00:00"),
    ):
        told = checked(there, ends)
    said = f"queues.short.walltime: the profile says 01:00:00 (x.yaml:{line}), slurm says {live}"
    assert told[:-1] == [note + said]
    assert len(checked(there, 0)) == 1


def test_a_node_that_was_taken_out_of_slurm_is_told(there: There, cluster: Cluster) -> None:
    file = discover(there, "slurm")
    with slurm_is(cluster, ("NodeName=c3", "State=DRAIN", "Reason=bad memory"), ("NodeName=c3", "State=RESUME")):
        told = checked(there, 1)
    assert len(told) == 3
    for queue, line in zip(("short", "long"), told[:-1], strict=True):
        place = f"x.yaml:{line_of(file, f'  {queue}:')}"
        said = f"queues.{queue}.nodes: the profile says 3 ({place}), slurm has 2 that take jobs"
        assert line.startswith(f"{said} (c3: IDLE+DRAIN: bad memory")
    assert len(checked(there, 0)) == 1


def test_a_limit_of_grid_engine_that_was_lowered_is_told(there: There, cluster: Cluster) -> None:
    discover(there, "sge")
    with gridengine_is(
        cluster,
        ("qconf", "-mattr", "queue", "h_rt", "0:30:0", "all.q"),
        ("qconf", "-mattr", "queue", "h_rt", "INFINITY", "all.q"),
    ):
        unlimited = checked(there, 0)
        told = checked(there, 1, "gridcluster")
    assert unlimited[:-1] == ["note: queues.'all.q'.walltime: the profile says nothing, sge says 00:30:00"]
    assert [line.rpartition(",")[2] for line in told if line.startswith("queues.")] == [" sge says 00:30:00"]
    assert len(checked(there, 0)) == 1


def test_a_host_that_was_taken_out_of_grid_engine_is_told(there: There, cluster: Cluster) -> None:
    line = line_of(discover(there, "sge"), "  all.q:")
    with gridengine_is(cluster, ("qmod", "-d", "all.q@c3"), ("qmod", "-e", "all.q@c3")):
        told = checked(there, 1)
    assert told[:-1] == [
        f"queues.'all.q'.nodes: the profile says 3 (x.yaml:{line}), sge has 2 that take jobs (c3: disabled)"
    ]
    assert len(checked(there, 0)) == 1


def test_on_a_compute_node_its_own_network_and_scratch_count(there: There, cluster: Cluster) -> None:
    """There a wrong interface is a difference; on the login host it may be right for the nodes."""
    text = discover(there, "slurm").read_text()
    there.write("x.yaml", text.replace("{interface: ib0}", "{interface: ib7}"))
    assert checked(there, 0)[0].startswith("note: network.interface: ")
    done = cluster.run(["hpc-launch", "site", "check", "x.yaml"], host="c1", cwd=there.project, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("network.interface: the profile says ib7")
