"""What a refusal offers is true: the change makes it fit, a smaller one does not, and nothing is taken unasked."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.checks.misfit import Misfit
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.explain.sentences import described
from hpc_launch.prepare import Prepared, prepare
from hpc_launch.units import MIB, parse_memory, parse_walltime
from tests.conftest import SITES

Prepare = Callable[..., Prepared]

SITE = """
name: machine
batch_system: slurm
account: optional
resources: {gpus: '--gpus={n}'}
limits: {array: 50, submitted: {jobs: 90}, running: {cores: 900, memory: 3 TB}}
qos: {long: {walltime: 96:00:00, cores: 64}}
queues:
  wide: {nodes: 40, cores: 32, memory: 128 GB, walltime: 24:00:00, max_nodes: 16, max_jobs: 60, max_user_nodes: 30}
  whole: {nodes: 20, cores: 64, memory: 256 GiB, exclusive: true, walltime: 12:00:00, max_submitted: 12}
  spot: {nodes: 100, cores: 128, memory: 1 TB, walltime: 48:00:00, preemptible: true}
  gpu: {nodes: 8, cores: 40, memory: 384 GB, gpus: 4, walltime: 24:00:00}
  mixed: {cores: 16, memory: 64 GiB, largest: {cores: 64, memory: 256 GiB}, walltime: 04:00:00}
"""
OF_MANY_NODES = """
name: machine
batch_system: slurm
limits: {running: {cores: 2000}}
queues:
  large: {nodes: 40, cores: 48, memory: 192 GB, max_nodes: 12, least: {cores: 96, nodes: 2}}
  wide: {nodes: 40, cores: 48, memory: 192 GB, max_cores: 300, max_memory: 1 TB, least: {memory: 300 GB}}
  whole: {nodes: 40, cores: 64, memory: 256 GB, exclusive: true, max_cores: 320, least: {cores: 65}}
"""
SEEDS = 30
WORK = "workload: {command: x}\n"


@pytest.fixture
def machine(tmp_path: Path) -> str:
    (tmp_path / "machine.yaml").write_text(SITE, encoding="utf-8")
    return "./machine.yaml"


def refusal_of(context: Context, site: str, *assignments: str) -> DoesNotFit | None:
    try:
        prepare(Path("profile.yaml"), context, site, assignments)
    except DoesNotFit as refused:
        return refused
    return None


def kinds(refused: DoesNotFit | None) -> set[object]:
    return {problem.kind if isinstance(problem, Misfit) else () for problem in refused.problems} if refused else set()


def offered(hint: str, word: str) -> list[list[str]]:
    """The assignments that a hint offers after a word: alternatives, each of one or more."""
    line = next((line for line in hint.split("\n") if word in line), None)
    if line is None:
        return []
    return [[text for text in shlex.split(choice) if "=" in text] for choice in line.split(word)[1].split(", or ")]


def request(random: random.Random) -> list[str]:
    """A profile that is likely too large in some way, as assignments."""
    made = [
        f"workers.count={random.choice([1, 7, 64, 300, 2000])}",
        f"workers.threads={random.choice([1, 2, 5, 48, 200])}",
        f"workers.memory={random.choice(['512 MiB', '3 GB', '40 GiB', '300 GB'])}",
        f"walltime={random.choice(['10s', '1h', '20h', '40h', '200h'])}",
        f"layout={random.choice(['single-job', 'job-array', 'mpi'])}",
        f"queue={random.choice(['wide', 'whole', 'spot', 'gpu'])}",
    ]
    more = [
        f"workers.per_node={random.choice([1, 3, 40])}",
        f"workers.gpus={random.choice([1, 3, 9])}",
        "qos=long",
        f"workers.minimum={min(random.choice([1, 2, 40]), int(made[0].partition('=')[2]))}",
        f"scheduler.memory={random.choice(['1 GiB', '200 GiB'])}",
        f"workload.cores={random.choice([1, 70])}",
        f"workers.walltime={random.choice(['30m', '90h'])}",
    ]
    return made + [each for each in more if random.random() < 0.3]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_a_refusal_offers_mends_it_and_less_does_not(context: Context, machine: str, seed: int) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    what_is_offered_is_true(context, machine, request(random.Random(seed)))


def request_of_many_nodes(random: random.Random) -> list[str]:
    """A profile of which all workers, spread evenly, are likely too many or too few for a job."""
    made = [
        f"workers.count={random.choice([7, 50, 97, 100, 130, 300, 1000])}",
        f"workers.threads={random.choice([1, 2, 3, 5, 7])}",
        f"workers.memory={random.choice(['512 MiB', '3 GB', '5 GB', '11 GB', '40 GiB'])}",
        f"layout={random.choice(['single-job', 'mpi'])}",
        f"queue={random.choice(['large', 'wide', 'whole'])}",
        "walltime=1h",
    ]
    more = [f"scheduler.cores={random.choice([1, 9])}", f"workload.cores={random.choice([1, 5])}", "workers.cores=7"]
    return made + [each for each in more if random.random() < 0.3]


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_it_is_so_where_workers_are_spread_evenly(context: Context, tmp_path: Path, seed: int) -> None:
    """Another number of nodes then changes how many workers are on each of them."""
    (tmp_path / "machine.yaml").write_text(OF_MANY_NODES, encoding="utf-8")
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    what_is_offered_is_true(context, "./machine.yaml", request_of_many_nodes(random.Random(seed)))


def what_is_offered_is_true(context: Context, machine: str, asked: list[str]) -> None:
    """Each change mends what it is offered for and breaks nothing else; a smaller one does not."""
    refused = refusal_of(context, machine, *asked)
    for problem in refused.problems if refused else []:
        if not isinstance(problem, Misfit):
            continue
        for change in offered(problem.hint, "smallest change:"):
            left = kinds(refusal_of(context, machine, *asked, *change))
            assert problem.kind not in left and left <= kinds(refused), (asked, change)
            nearly = kinds(refusal_of(context, machine, *asked, one_step_back(problem, *change)))
            assert problem.kind in nearly or nearly - kinds(refused), (asked, change)
    for change in offered(refused.problems[-1].hint, "all of it fits with:") if refused else []:
        assert refusal_of(context, machine, *asked, *change) is None, (asked, change)


def one_step_back(problem: Misfit, assignment: str) -> str:
    """The change, smaller by the least amount that counts."""
    key, _, value = assignment.partition("=")
    step = 1 if key in problem.lower else -1
    if key.endswith("memory"):
        return f"{key}={parse_memory(value) // MIB + step}MiB"
    return f"{key}={parse_walltime(value) + step}s" if key.endswith("walltime") else f"{key}={int(value) + step}"


def test_the_random_requests_are_refused_for_every_reason(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    refusals = [refusal_of(context, machine, *request(random.Random(seed))) for seed in range(SEEDS)]
    seen = {kind[0] for refused in refusals for kind in kinds(refused) if kind}  # type: ignore[index]
    assert seen == {"cores", "memory", "gpus", "nodes", "walltime", "short walltime", "submitted", "at once"}
    hints = "\n".join(str(refused) for refused in refusals if refused)
    assert hints.count("smallest change:") > SEEDS and hints.count("all of it fits with:") > SEEDS / 3


def test_no_change_of_one_key_is_said_as_such(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    much = ("walltime=1h", "workers.memory=200 GB", "scheduler.memory=200 GB")
    told = str(refusal_of(context, machine, "queue=wide", *much))
    assert "what counts: lower workers.memory, lower" in told and "alone" not in told  # spot takes it as it is
    file = context.directory / "machine.yaml"
    file.write_text("\n".join(line for line in SITE.splitlines() if not line.startswith("  spot")))
    told = str(refusal_of(context, machine, "queue=wide", *much))
    assert "one change alone does not do; what counts: lower workers.memory, lower" in told


def test_what_shows_only_behind_the_first_obstacle_is_mended_too(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    site = "name: machine\nbatch_system: slurm\nqueues: {wide: {cores: 32, memory: 128 GB, max_nodes: 16}}\n"
    (context.directory / "machine.yaml").write_text(site, encoding="utf-8")
    many = ("walltime=1h", "workers.memory=1 GiB", "workers.count=4000", "scheduler.cores=300")
    (problem,) = (refusal_of(context, machine, *many) or pytest.fail("it fits")).problems
    assert "one change alone does not do; what counts: lower scheduler.cores" in problem.hint
    ((*changes,),) = offered(problem.hint, "all of it fits with:")
    assert [change.partition("=")[0] for change in changes] == ["scheduler.cores", "workers.count"]
    assert refusal_of(context, machine, *many, *changes) is None


def test_a_minimum_that_cannot_run_at_once_is_named(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    many = ("layout=job-array", "queue=spot", "walltime=1h", "workers.memory=1 GiB", "workers.threads=20")
    refused = refusal_of(context, machine, *many, "workers.count=60", "workers.minimum=50")
    assert refused and "1081 cores are needed at once for the first 50 workers (workers.minimum)" in str(refused)
    assert "smallest change: --set workers.minimum=42, or --set workers.threads=16" in str(refused)
    assert refusal_of(context, machine, *many, "workers.count=60", "workers.minimum=42") is None


def test_what_the_site_does_not_let_users_set_is_not_offered(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    file = context.directory / "machine.yaml"
    assert "would take it" in str(refusal_of(context, machine, "queue=whole", "walltime=20h", "workers.memory=1 GiB"))
    given = "defaults: {queue: whole, workers: {threads: 100}}"
    file.write_text(f"{SITE}policy: {{forbidden: [workers.threads, queue]}}\n{given}\n")
    told = str(refusal_of(context, machine, "walltime=20h", "workers.memory=1 GiB"))
    assert "100 threads" in told and "smallest change: --set walltime" in told
    assert "workers.threads" not in told and "what counts" not in told and "would take it" not in told


def test_calls_of_the_submit_command_without_end_are_refused(context: Context, machine: str) -> None:
    (context.directory / "profile.yaml").write_text(f"workers: {{count: 1}}\n{WORK}", encoding="utf-8")
    file = context.directory / "machine.yaml"
    file.write_text(
        SITE.replace("limits: {array: 50, submitted: {jobs: 90}, running: ", "arrays: false\nlimits: {running: ")
    )
    many = ("layout=job-array", "queue=wide", "walltime=1h", "workers.memory=1 GiB", "workers.per_node=1")
    told = str(refusal_of(context, machine, *many, "workers.count=1000000"))
    assert "1000000 calls of the submit command would be needed, for machine has no arrays" in told
    assert "--set workers.count=1000" in told


def test_a_fixed_number_of_slots_holds_on_one_host_too(prepared: Prepare, tmp_path: Path) -> None:
    text = (SITES / "gridcluster.yaml").read_text().replace("node: smp", "node: {name: smp-3, slots: 3}")
    (tmp_path / "grid.yaml").write_text(text)
    profile = f"walltime: 10m\nworkers: {{count: 1, threads: 8, memory: 1 GiB}}\n{WORK}"
    with pytest.raises(DoesNotFit, match="'smp-3' of gridcluster gives 3 slots on each host") as refused:
        prepared(profile, site="./grid.yaml")
    assert "smallest change: --set workers.threads=3" in str(refused.value)
    assert prepared(profile, "workers.threads=3", site="./grid.yaml").plan.jobs[0].slots_per_node == 3
    wide = text.replace("nodes: mpi}", "nodes: {name: mpi-4, slots: 4}}")
    (tmp_path / "grid.yaml").write_text(wide)
    with pytest.raises(DoesNotFit, match="'mpi-4' of gridcluster gives 4 slots") as refused:
        prepared(
            profile,
            "workers.threads=1",
            "workers.count=4",
            "workers.per_node=2",
            "workload.cores=4",
            site="./grid.yaml",
        )
    assert "--set workload.cores=2" in str(refused.value)


# Unlike nodes


def test_of_unlike_nodes_the_largest_is_the_limit_and_the_smallest_lays_out(prepared: Prepare, machine: str) -> None:
    text = f"queue: mixed\nwalltime: 1h\nworkers: {{count: 64, threads: 1}}\n{WORK}"
    made = prepared(text, site=machine).plan.jobs[0]
    assert (made.nodes, made.cores_per_node) == (4, 16)
    one = prepared(text, "workers.count=1", "workers.threads=60", "workers.memory=200 GiB", site=machine)
    assert (one.plan.jobs[0].nodes, one.plan.jobs[0].cores_per_node) == (1, 60)
    with pytest.raises(DoesNotFit, match="the largest node of queue 'mixed' of machine has 64"):
        prepared(text, "workers.count=1", "workers.threads=65", "workers.memory=1 GiB", site=machine)
    with pytest.raises(DoesNotFit, match="the largest node of queue 'mixed' of machine has 262144 MiB"):
        prepared(text, "workers.count=1", "workers.memory=300 GiB", site=machine)


# What nobody asked for


def test_auto_passes_over_queues_with_a_drawback_and_says_so(prepared: Prepare, machine: str) -> None:
    text = f"queue: auto\nwalltime: 40h\nworkers: {{count: 4, threads: 2, memory: 1 GiB}}\n{WORK}"
    with pytest.raises(DoesNotFit, match="spot: its jobs may be killed for others; --set queue=spot takes it"):
        prepared(text, site=machine)
    assert prepared(text, "queue=spot", site=machine).plan.jobs[0].queue == "spot"
    notes = prepared(text, "walltime=10h", "workers.count=20", "workers.threads=32", site=machine).planned.notes
    assert notes[-2].endswith("queue whole was taken, the first of machine that fits")
    assert notes[-1].startswith("not wide: 20 nodes are asked for")


def test_a_hint_names_queues_with_a_drawback_last_and_says_which(prepared: Prepare, machine: str) -> None:
    text = f"queue: whole\nwalltime: 20h\nworkers: {{count: 4, threads: 2, memory: 1 GiB}}\n{WORK}"
    with pytest.raises(DoesNotFit) as refused:
        prepared(text, site=machine)
    others = "wide, spot (its jobs may be killed for others) would take it"
    assert f"{others}: --set queue=wide" in str(refused.value)


# GPUs


def test_gpus_of_a_node_are_a_limit(prepared: Prepare, machine: str) -> None:
    text = f"queue: gpu\nwalltime: 1h\nworkers: {{count: 8, gpus: 1, memory: 1 GiB}}\n{WORK}"
    job = prepared(text, site=machine).plan.jobs[0]
    assert (job.nodes, job.gpus_per_node, job.resources) == (2, 4, ("--gpus=4",))
    with pytest.raises(
        DoesNotFit, match=r"8 GPUs are asked for on each node, a node of queue 'gpu' of machine has 4"
    ) as no:
        prepared(text, "workers.per_node=8", site=machine)
    assert "smallest change: --set workers.per_node=4" in str(no.value)


def test_a_queue_without_gpus_takes_no_job_that_wants_some(prepared: Prepare, machine: str) -> None:
    text = f"queue: wide\nwalltime: 1h\nworkers: {{count: 8, gpus: 1, memory: 1 GiB}}\n{WORK}"
    with pytest.raises(DoesNotFit, match=r"a node of queue 'wide' of machine has none (?s:.)*gpu would take it"):
        prepared(text, site=machine)
    assert prepared(text, "queue=auto", site=machine).plan.jobs[0].queue == "gpu"
    with pytest.raises(DoesNotFit, match=r"1 GPU is asked for on each node(?s:.)*queues with GPUs: gpu"):
        prepared(text, "workers.count=1", "workers.memory=900 GB", site=machine)


def test_dasks_own_word_for_gpus_is_not_said_twice(prepared: Prepare, machine: str) -> None:
    text = f"queue: gpu\nwalltime: 1h\nworkers: {{count: 8, gpus: 1, memory: 1 GiB, resources: {{GPU: 2}}}}\n{WORK}"
    with pytest.raises(InvalidConfiguration, match=r"profile.yaml:3: workers.resources: GPU is said by workers.gpus"):
        prepared(text, site=machine)


def test_gpus_may_be_asked_for_in_all_or_come_with_a_whole_node(prepared: Prepare, tmp_path: Path) -> None:
    text = f"queue: gpu\nwalltime: 1h\nworkers: {{count: 8, gpus: 1, memory: 1 GiB}}\n{WORK}"
    (tmp_path / "machine.yaml").write_text(SITE.replace("--gpus={n}", "--gpus={total}"))
    assert prepared(text, site="./machine.yaml").plan.jobs[0].resources == ("--gpus=8",)
    bare = SITE.replace("resources: {gpus: '--gpus={n}'}\n", "")
    (tmp_path / "machine.yaml").write_text(bare)
    with pytest.raises(DoesNotFit, match=r"(?s)does not say how GPUs are asked for.*resources\.gpus"):
        prepared(text, site="./machine.yaml")
    (tmp_path / "machine.yaml").write_text(bare.replace("gpus: 4,", "gpus: 4, exclusive: true,"))
    assert prepared(text, site="./machine.yaml").plan.jobs[0].resources == ()


# Whole nodes


def said(made: Prepared) -> str:
    return "\n".join(described(made.resolved, made.plan))


def test_whole_nodes_are_charged_and_it_is_said(prepared: Prepare, machine: str) -> None:
    text = f"queue: whole\nwalltime: 2h\nworkers: {{count: 4, threads: 2, memory: 1 GiB, per_node: 2}}\n{WORK}"
    made = prepared(text, site=machine)
    assert made.plan.jobs[0].charged_cores_per_node == 64
    (note,) = made.planned.notes
    assert "queue 'whole' of machine gives whole nodes: job.sh uses 4 of the 64 cores of each" in note
    assert "asked for in all: 256.0 core-hours" in said(made)
    assert prepared(text, "queue=wide", site=machine).planned.notes == ()
    assert re.search(r"in all: 16\.0 core-hours", said(prepared(text, "queue=wide", site=machine)))


def test_whole_nodes_count_against_the_limits_of_a_user(prepared: Prepare, machine: str) -> None:
    text = f"queue: whole\nwalltime: 2h\nworkers: {{count: 15, threads: 1, memory: 1 GiB, per_node: 1}}\n{WORK}"
    with pytest.raises(
        DoesNotFit,
        match=r"960 cores \(15 nodes × 64 cores\) are asked for, a user of machine may use 900 cores at once",
    ):
        prepared(text, site=machine)


# Limits of one user in one queue


def test_cores_and_memory_of_one_user_in_one_queue(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text(
        SITE.replace("max_user_nodes: 30", "max_user_cores: 64, max_user_memory: 1 TB")
    )
    text = f"queue: wide\nwalltime: 1h\nworkers: {{count: 4, threads: 32, memory: 1 GiB}}\n{WORK}"
    with pytest.raises(
        DoesNotFit,
        match=r"128 cores \(4 nodes × 32 cores\) are asked for, a user may have 64 cores at once in queue 'wide'",
    ):
        prepared(text, site="./machine.yaml")
    with pytest.raises(DoesNotFit, match=r"a user may have 931\.3 GiB of memory at once in queue 'wide'"):
        prepared(
            text,
            "workers.count=12",
            "workers.threads=1",
            "workers.per_node=1",
            "workers.memory=100 GB",
            site="./machine.yaml",
        )


def test_jobs_and_nodes_of_one_user_in_one_queue(prepared: Prepare, machine: str) -> None:
    text = f"layout: job-array\nwalltime: 1h\nworkers: {{count: 12, memory: 1 GiB, per_node: 1}}\n{WORK}"
    with pytest.raises(DoesNotFit, match="13 jobs would be submitted, a user may have 12 in queue 'whole' of machine"):
        prepared(text, "queue=whole", site=machine)
    wide = prepared(text, "queue=wide", "workers.count=31", site=machine)
    assert any("32 nodes are asked for, a user may have 30 nodes at once" in note for note in wide.planned.notes)
