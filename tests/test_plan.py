"""The arithmetic of a plan: nodes, cores and memory asked for."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.conftest import TIMES

Prepare = Callable[..., Prepared]
MIB = 2**20
GIB = 2**30
NODE = 16000 * MIB  # of the test cluster; it has 3 of them, with 8 cores


def test_what_is_asked_for_follows_from_the_formula(prepared: Prepare) -> None:
    text = """
workers: {count: 5, threads: 2, memory: 1 GiB, per_node: 2}
scheduler: {cores: 1, memory: 512 MiB}
workload: {command: [python, work.py], cores: 2, memory: 700 MB}
"""
    plan = prepared(text).plan
    job = plan.jobs[0]
    assert (job.nodes, job.cores_per_node) == (3, 2 * 2 + 1 + 2)
    exact = Fraction(2 * GIB + 512 * MIB + 700 * 10**6) / Fraction(95, 100)
    assert 0 <= job.memory_bytes_per_node - exact < MIB
    assert job.memory_bytes_per_node % MIB == 0
    assert (plan.groups["workers"].per_node, plan.groups["workers"].on_last_node) == (2, 1)


def test_memory_left_out_is_the_threads_share_of_a_node(prepared: Prepare) -> None:
    plan = prepared("workers: {count: 4, threads: 2}\nworkload: {command: x}\n").plan
    assert plan.groups["workers"].memory_bytes == int((NODE * Fraction(95, 100) - 4 * GIB) * 2 / 8)
    assert plan.jobs[0].memory_bytes_per_node <= NODE


def test_without_per_node_as_many_fit_as_cores_and_memory_allow(prepared: Prepare) -> None:
    by_cores = "workers: {count: 24, memory: 1 GiB}\nworkload: {command: x}\n"
    by_memory = "workers: {count: 9, memory: 3 GiB}\nworkload: {command: x}\n"
    assert prepared(by_cores).plan.groups["workers"].per_node == 8
    assert prepared(by_memory).plan.groups["workers"].per_node == 3  # (16000 MiB × 0.95 − 4 GiB) ÷ 3 GiB
    assert prepared(by_memory).plan.jobs[0].nodes == 3


# Many of these are too large for three nodes: that is no fault of the test.
TOO_LARGE_IS_FINE = [HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]


@settings(max_examples=60 * TIMES, suppress_health_check=TOO_LARGE_IS_FINE, deadline=None)
@given(count=st.integers(1, 30), threads=st.integers(1, 8), memory=st.integers(100, 12000))
def test_every_plan_holds_all_workers_and_fits_a_node(prepared: Prepare, count: int, threads: int, memory: int) -> None:
    text = f"workers: {{count: {count}, threads: {threads}, memory: {memory} MiB}}\nworkload: {{command: x}}\n"
    try:
        plan = prepared(text).plan
    except DoesNotFit:
        assume(False)
    group, job = plan.groups["workers"], plan.jobs[0]
    assert (group.nodes - 1) * group.per_node + group.on_last_node == count
    assert 1 <= group.on_last_node <= group.per_node
    assert job.cores_per_node <= 8 and job.memory_bytes_per_node <= NODE and job.nodes <= 3


@pytest.mark.parametrize(
    ("assignment", "numbers"),
    [
        ("workers.threads=9", ["9 cores per node", "has 8", "1 worker × 9 threads", "change: --set workers.threads=8"]),
        ("workers.memory=20 GiB", ["25870 MiB per node", "has 16000 MiB", "1 worker × 20480 MiB", "=11104MiB"]),
        ("workers.count=25", ["4 nodes", "may have 3", "change: --set workers.count=24"]),
        ("walltime=2h", ["02:00:00", "allows 01:00:00"]),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(prepared: Prepare, assignment: str, numbers: list[str]) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        prepared("workers: {count: 2, memory: 1 GiB}\nworkload: {command: x}\n", assignment)
    for number in numbers:
        assert number in str(refusal.value)
    assert refusal.value.exit_code == 4
    assert f"--set {assignment}" in str(refusal.value)


def test_limits_of_a_user_and_of_a_qos_are_refusals_too(prepared: Prepare) -> None:
    big = "workers: {count: 2400, threads: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(DoesNotFit, match="a user of ceres may use 2000 cores at once"):
        prepared(big, site="ceres")
    with pytest.raises(DoesNotFit, match="QOS 'long' of ceres allows 144"):
        prepared(big, "workers.count=192", "qos=long", site="ceres")
    with pytest.raises(DoesNotFit, match="allows 00:30:00"):
        prepared(big, "workers.count=2", "qos=debug", "walltime=31m", site="ceres")
    assert prepared(big, "workers.count=2", "qos=long", "walltime=700:00:00", site="ceres").plan.jobs[0].qos == "long"


def test_without_any_walltime_a_queue_refuses_and_this_machine_does_not(prepared: Prepare) -> None:
    assert prepared(site="local").plan.jobs[0].walltime_seconds is None
    assert prepared(site="ceres").plan.jobs[0].walltime_seconds == 7200  # the queue's default
    with pytest.raises(DoesNotFit, match="walltime: neither"):
        prepared("queue: scavenger\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n", site="ceres")


def test_this_machine_is_one_node_of_its_own_size(prepared: Prepare) -> None:
    assert prepared(site="local").plan.jobs[0].nodes == 1
    with pytest.raises(DoesNotFit, match="5 cores are asked for, this machine has 4"):
        prepared("workers: {count: 5, memory: 1 GiB}\nworkload: {command: x}\n", site="local")


def test_a_share_too_small_for_a_worker_is_refused(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match=r"leaves [\d.]+ [KM]iB for each worker"):
        prepared("workers: {count: 1}\nworkload: {command: x, memory: 12.2 GiB}\n")


def test_memory_for_each_cpu_is_rounded_in_the_plan_and_fits_the_node(prepared: Prepare, tmp_path: Path) -> None:
    site = (Path(__file__).parent / "site" / "testcluster.yaml").read_text()
    (tmp_path / "site.yaml").write_text(site.replace("directive: per-node", "directive: per-cpu"))
    made = prepared("workers: {count: 8}\nworkload: {command: x}\n", site="./site.yaml")
    job = made.plan.jobs[0]
    assert job.memory_bytes_per_node % (8 * MIB) == 0 and job.memory_bytes_per_node <= NODE
    assert f"--mem-per-cpu={job.memory_bytes_per_node // MIB // 8}M" in made.rendered.files["job.sh"]


def test_a_walltime_that_is_used_up_at_once_is_refused(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match="too short"):
        prepared("walltime: 14s\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n")


def test_a_launcher_that_stays_on_its_node_gets_no_more_than_one(prepared: Prepare, tmp_path: Path) -> None:
    site = (Path(__file__).parent / "site" / "testcluster.yaml").read_text()
    (tmp_path / "site.yaml").write_text(site.replace("node: srun", "node: here"))
    with pytest.raises(DoesNotFit, match=r"site.yaml:\d+: launchers.node: it starts processes on 1 node, 2 are"):
        prepared("workers: {count: 9, memory: 1 GiB}\nworkload: {command: x}\n", site="./site.yaml")


def test_what_this_machine_has_no_use_for_is_told(prepared: Prepare) -> None:
    text = "account: a1\nqueue: short\nmail: {to: user@example.org}\n"
    text += "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    notes = prepared(text, site="local").planned.notes
    assert [note.split(": ")[1].split(" ")[0] for note in notes] == ["account", "queue", "mail"]
    assert notes[0].startswith("profile.yaml:1: ")


def test_auto_takes_the_first_queue_that_fits_and_says_why(prepared: Prepare) -> None:
    text = "queue: auto\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    assert prepared(text).plan.jobs[0].queue == "short"
    made = prepared(text, "walltime=2h")
    assert "#SBATCH --partition=long\n" in made.rendered.files["job.sh"]
    assert list(made.planned.notes) == [
        "profile.yaml:1: queue long was taken, the first of testcluster that fits",
        "not short: a walltime of 02:00:00 is asked for, queue 'short' of testcluster allows 01:00:00",
    ]
    assert "queue: long  # the first that fits\n" in made.rendered.files["resolved.yaml"]


def test_auto_where_nothing_fits_tells_why_of_each_queue(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match=r"(?s)none of testcluster takes this.*short: 4 nodes.*long: 4 nodes"):
        prepared("queue: auto\nworkers: {count: 25, memory: 1 GiB}\nworkload: {command: x}\nwalltime: 2h\n")


def test_auto_is_no_queue_of_workers(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"workers\.queue: auto is for `queue` alone"):
        prepared("workers: {count: 1, memory: 1 GiB, queue: auto}\nworkload: {command: x}\n")


def test_a_refusal_names_the_queues_that_would_take_it(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match="long would take it: --set queue=long"):
        prepared("workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n", "walltime=2h")
    with pytest.raises(DoesNotFit) as refused:
        prepared("workers: {count: 25, memory: 1 GiB}\nworkload: {command: x}\n")
    assert "would take it" not in str(refused.value)


def test_a_retired_queue_names_what_replaced_it(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match="no queue 'short' any more: merged into ceres") as refusal:
        prepared("queue: short\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n", site="ceres")
    assert "profile.yaml:1" in str(refusal.value)


@pytest.mark.parametrize("option", ["--nthreads=3", "--memory-limit", "--no-nanny"])
def test_an_option_for_workers_that_is_said_already_is_refused(prepared: Prepare, option: str) -> None:
    text = f"workers: {{count: 1, memory: 1 GiB, options: ['{option}', '9']}}\nworkload: {{command: x}}\n"
    with pytest.raises(InvalidConfiguration, match=r"profile.yaml:1: workers\.options: --[a-z-]+ is already said"):
        prepared(text)


def test_a_walltime_over_that_of_a_qos_names_the_qos(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match="the QOS 'debug' of ceres allows 00:30:00"):
        prepared("workers: {count: 2}\nworkload: {command: x}\n", "qos=debug", "walltime=2h", site="ceres")


@pytest.mark.parametrize(("batch_system", "launcher"), [("slurm", "pbsdsh"), ("slurm", "ssh"), ("sge", "srun")])
def test_a_launcher_of_another_batch_system_is_refused(
    prepared: Prepare, tmp_path: Path, batch_system: str, launcher: str
) -> None:
    site = f"name: own\nbatch_system: {batch_system}\nlaunchers: {{node: {launcher}}}\nmemory: {{directive: omit}}\n"
    (tmp_path / "site.yaml").write_text(site + "queues: {q: {cores: 4, memory: 8 GiB}}\ndefaults: {walltime: 1h}\n")
    with pytest.raises(InvalidConfiguration, match=f"site.yaml:3: launchers.node: {launcher} does not go with"):
        prepared("workers: {count: 2, memory: 1 GiB}\nworkload: {command: x}\n", site="./site.yaml")


def test_a_worker_with_next_to_no_memory_is_refused(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match=r"workers\.memory: 1 MB is too little") as refused:
        prepared("workers: {count: 1, memory: 1 MB}\nworkload: {command: x}\n")
    assert "at least --set workers.memory=100MiB" in str(refused.value)
