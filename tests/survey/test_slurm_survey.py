"""What is read out of the answers of a real Slurm."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.machine import LiveQueue
from hpc_launch.survey.draft import draft
from hpc_launch.units import MIB
from tests.survey.machines import LOGIN, Make, machine, write


def test_a_real_one(make: Make) -> None:
    make("slurm")
    found = machine("slurm")
    assert (found.cluster, found.version, found.default_queue) == ("testcluster", "slurm-wlm 22.05.8", "short")
    assert found.array == 10000
    short, long = found.queues
    assert (short.name, short.walltime, short.default_walltime, short.max_nodes) == ("short", 3600, None, None)
    assert (long.name, long.walltime, long.max_nodes) == ("long", 7 * 86400, 2)
    for queue in found.queues:
        assert queue.ready == 3 and queue.nodes is not None
        assert [(node.name, node.cores, node.memory) for node in queue.nodes] == [
            (name, 8, 16000 * MIB) for name in ("c1", "c2", "c3")
        ]


def test_a_real_one_with_gpus_and_partitions_that_give_whole_nodes_and_none(make: Make) -> None:
    make("slurm", nodes="nodes-gpus", partitions="partitions-whole")
    found = machine("slurm")
    assert [(queue.name, queue.exclusive, queue.gpus) for queue in found.queues] == [
        ("short", False, 2),
        ("long", False, 2),
        ("whole", True, 2),
    ]
    whole = found.queues[2]
    assert (whole.walltime, whole.cores) == (600, (4, 4))
    assert whole.memory == (4000 * MIB,) * 2  # MaxMemPerCPU=1000, for the 4 of 8 cores that it gives
    assert found.closed == {"down": "State=DOWN"}
    assert found.said("resources", "gpus") is not None


@pytest.mark.parametrize(
    ("associations", "limits"),
    [
        ("10|20|cpu=400,mem=1512G", {"submitted": 20, "jobs": 10, "cores": 400, "memory": 1512 * 1024**3}),
        ("10||\n50|60|", {"jobs": 50}),  # of two accounts: no limit of submitted jobs in one of them
        ("|20|gres/gpu=2", {"submitted": 20}),
        ("", {}),
    ],
)
def test_limits_of_the_own_account_and_of_each_qos_are_read(
    make: Make, programs: Path, associations: str, limits: dict[str, int]
) -> None:
    make("slurm")
    qos = "normal||\ndebug|2|cpu=64\n"
    write(programs / "sacctmgr", f"case \"$*\" in *qos*) printf '{qos}' ;; *user=*) printf '{associations}' ;; esac")
    found = machine("slurm")
    assert {**({"submitted": found.submitted} if found.submitted else {}), **found.running} == limits
    assert found.qos == {"normal": {}, "debug": {"jobs": 2, "cores": 64}}
    drafted = draft(found, LOGIN, datetime.date(2026, 11, 28)).text
    assert yaml.safe_load(drafted)["qos"] == {"normal": {}, "debug": {"jobs": 2, "cores": 64}}
    assert ("a guess: of your own account, sacctmgr" in drafted) is bool(limits)


def test_without_accounting_there_are_no_such_limits(make: Make, programs: Path) -> None:
    make("slurm")
    write(programs / "sacctmgr", "echo 'You are not running a supported accounting_storage plugin' >&2; exit 1")
    found = machine("slurm")
    assert (found.submitted, found.running, found.qos) == (None, {}, {})


def test_the_size_of_a_node_that_takes_no_jobs_counts_where_there_is_no_other(make: Make) -> None:
    def edit(name: str, text: str) -> str:
        return (
            text.replace("CPUEfctv=8", "CPUEfctv=2", 1).replace("State=IDLE", f"State={state}")
            if name == "nodes"
            else text
        )

    state = "IDLE"
    make("slurm", lambda name, text: edit(name, text.replace("State=IDLE", "State=DOWN", 1)))
    assert machine("slurm").queues[0].cores == (8, 8)
    state = "DOWN"
    make("slurm", edit)
    assert machine("slurm").queues[0].cores == (2, 8, 8)


def test_a_drained_node_takes_no_jobs_and_says_why(make: Make) -> None:
    make("slurm", nodes="nodes-drained")
    short = machine("slurm").queues[0]
    assert short.ready == 2 and short.nodes is not None
    assert short.nodes[2].out.startswith("IDLE+DRAIN: bad memory (ticket 7)")


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        *[(state, 3) for state in ("ALLOCATED", "MIXED+PLANNED", "IDLE+CLOUD+POWERED_DOWN", "IDLE+RESERVED")],
        *[(state, 2) for state in ("DOWN*+DRAIN", "IDLE*", "MIXED+DRAIN", "IDLE+NOT_RESPONDING", "FAILING", "FUTURE")],
        *[(state, 2) for state in ("IDLE+MAINT", "INVAL", "UNKNOWN")],
    ],
)
def test_states(make: Make, state: str, ready: int) -> None:
    make("slurm", lambda name, text: text.replace("State=IDLE", f"State={state}", 1) if name == "nodes" else text)
    assert machine("slurm").queues[0].ready == ready


def change(make: Make, recording: str, old: str, new: str) -> None:
    def edit(name: str, text: str) -> str:
        if name == recording:
            assert old in text
            return text.replace(old, new)
        return text

    make("slurm", edit)


def test_memory_that_is_kept_for_the_system_cannot_be_asked_for(make: Make) -> None:
    change(make, "nodes", "RealMemory=16000 AllocMem=0", "RealMemory=16000 AllocMem=0 MemSpecLimit=1000")
    assert machine("slurm").queues[0].memory == (15000 * MIB,) * 3


def test_memory_that_nobody_has_configured_is_not_1_mib(make: Make) -> None:
    change(make, "nodes", "RealMemory=16000", "RealMemory=1")
    found = machine("slurm")
    assert found.queues[0].memory == ()
    assert [each.value for each in found.more if each.key == ("memory", "directive")] == ["omit"]


def test_a_partition_may_give_less_than_the_nodes_have(make: Make) -> None:
    change(make, "partitions", "MaxMemPerNode=UNLIMITED", "MaxMemPerNode=8000")
    assert machine("slurm").queues[0].memory == (8000 * MIB,) * 3


def edited(make: Make, **changes: tuple[str, str]) -> LiveQueue:
    """The first queue, with one text replaced wherever it stands in each of some recordings."""

    def edit(name: str, text: str) -> str:
        old, new = changes.get(name, ("", ""))
        assert old in text
        return text.replace(old, new) if old else text

    make("slurm", edit)
    return machine("slurm").queues[0]


CLUSTER = "MaxMemPerNode           = UNLIMITED"


@pytest.mark.parametrize(
    ("cluster", "partition", "mib"),
    [
        (CLUSTER, "MaxMemPerNode=UNLIMITED", 16000),
        ("MaxMemPerNode           = 9000", "MaxMemPerNode=UNLIMITED", 9000),
        ("MaxMemPerNode           = 9000", "MaxMemPerNode=12000", 12000),
        ("MaxMemPerNode           = 9000", "MaxMemPerCPU=500", 4000),
        ("MaxMemPerNode           = 99000", "MaxMemPerNode=UNLIMITED", 16000),
        ("MaxMemPerCPU            = 1000", "MaxMemPerNode=UNLIMITED", 8000),
        ("MaxMemPerCPU            = 1000", "MaxMemPerNode=12000", 12000),
        ("MaxMemPerCPU            = 0", "MaxMemPerNode=0", 16000),
    ],
)
def test_a_partition_without_a_limit_of_memory_has_the_clusters(
    make: Make, cluster: str, partition: str, mib: int
) -> None:
    queue = edited(make, config=(CLUSTER, cluster), partitions=("MaxMemPerNode=UNLIMITED", partition))
    assert queue.memory == (mib * MIB,) * 3


@pytest.mark.parametrize(("limit", "mib"), [("MaxMemPerNode=UNLIMITED", 3000), ("MaxMemPerCPU=2000", 6000)])
def test_memory_for_each_core_counts_those_that_the_partition_gives(make: Make, limit: str, mib: int) -> None:
    fewer = ("MaxCPUsPerNode=UNLIMITED", "MaxCPUsPerNode=3")
    make(
        "slurm",
        lambda name, text: {
            "config": text.replace(CLUSTER, "MaxMemPerCPU            = 1000"),
            "partitions": text.replace(*fewer).replace("MaxMemPerNode=UNLIMITED", limit),
        }.get(name, text),
    )
    assert machine("slurm").queues[0].memory == (mib * MIB,) * 3


@pytest.mark.parametrize(
    ("share", "select", "exclusive"),
    [
        ("NO", "select/cons_tres", False),
        ("EXCLUSIVE", "select/cons_tres", True),
        ("FORCE:4", "select/cons_tres", False),
        ("YES:4", "select/linear", False),
        ("NO", "select/linear", True),
    ],
)
def test_whole_nodes(make: Make, share: str, select: str, exclusive: bool) -> None:
    changes = {"config": ("select/cons_tres", select), "partitions": ("OverSubscribe=NO", f"OverSubscribe={share}")}
    assert edited(make, **changes).exclusive is exclusive


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [
        ("(null)", 0),
        ("gpu:2", 2),
        ("gpu", 1),
        ("gpu:a100:4(S:0-1),gpu:v100:2(S:0,1),mps:400", 6),
        ("craynetwork:4,gpu:a100_1g.5gb:7(S:0),shard:28", 7),
        ("gpumem:80,mps:400", 0),
    ],
)
def test_gpus(make: Make, gres: str, gpus: int) -> None:
    assert edited(make, nodes=("Gres=(null)", f"Gres={gres}")).gpus == gpus


@pytest.mark.parametrize(
    ("gres", "states", "gpus"),
    [
        (("gpu:4", "gpu:2", "gpu:8"), ("IDLE", "IDLE", "IDLE"), 2),
        (("gpu:4", "gpu:2", "gpu:8"), ("IDLE", "DOWN", "IDLE"), 4),
        (("gpu:4", "(null)", "gpu:8"), ("IDLE", "IDLE", "IDLE"), None),
        (("gpu:4", "(null)", "gpu:8"), ("IDLE", "DRAIN", "IDLE"), 4),
        (("gpu:4", "(null)", "gpu:8"), ("DOWN", "IDLE", "DOWN"), 0),
        (("gpu:4", "gpu:2", "gpu:8"), ("DOWN", "DOWN", "DOWN"), 2),
    ],
)
def test_gpus_are_those_of_every_node_that_takes_jobs(
    make: Make, gres: tuple[str, ...], states: tuple[str, ...], gpus: int | None
) -> None:
    def edit(name: str, text: str) -> str:
        if name != "nodes":
            return text
        lines = zip(text.splitlines(), gres, states, strict=True)
        return "\n".join(
            line.replace("Gres=(null)", f"Gres={has}").replace("State=IDLE", f"State={state}")
            for line, has, state in lines
        )

    make("slurm", edit)
    assert machine("slurm").queues[0].gpus == gpus


def test_cores_of_a_partition_may_be_fewer(make: Make) -> None:
    change(make, "partitions", "MaxCPUsPerNode=UNLIMITED", "MaxCPUsPerNode=6")
    assert machine("slurm").queues[0].cores == (6, 6, 6)


def test_partitions_that_take_no_jobs_of_users_are_left_out(make: Make) -> None:
    def edit(name: str, text: str) -> str:
        if name != "partitions":
            return text
        short, long = text.splitlines()
        return f"{short.replace('State=UP', 'State=INACTIVE')}\n{long}\n{long.replace('RootOnly=NO', 'RootOnly=YES')}\n"

    make("slurm", edit)
    found = machine("slurm")
    assert [queue.name for queue in found.queues] == ["long"]
    assert found.default_queue is None


def test_who_may_use_a_partition_is_remarked(make: Make) -> None:
    change(make, "partitions", "AllowGroups=ALL", "AllowGroups=physics")
    assert machine("slurm").queues[0].remarks == ("AllowGroups=physics",)


def test_words_in_a_reason_are_no_fields(make: Make) -> None:
    change(make, "nodes", "AllocTRES=", "AllocTRES= Reason=RealMemory=5 State=IDLE Partitions=none")
    assert machine("slurm").queues[0].memory == (16000 * MIB,) * 3


def test_no_arrays(make: Make) -> None:
    change(make, "config", "MaxArraySize            = 10001", "MaxArraySize            = 0")
    assert machine("slurm").array == 0


@pytest.mark.parametrize(("mpi", "values"), [("pmix", []), ("none", ["--mpi=pmi2"])])
def test_mpi_is_named_where_the_site_has_no_default(make: Make, mpi: str, values: list[str]) -> None:
    change(make, "config", "MpiDefault              = none", f"MpiDefault              = {mpi}")
    options = [option for each in machine("slurm").more if each.key[1:] == ("mpi",) for option in each.value["options"]]
    assert options == values


def test_without_its_commands_it_is_not_here(programs: Path) -> None:
    with pytest.raises(NotStarted):
        batch.get("slurm").survey()


def test_one_that_does_not_answer_is_no_machine(programs: Path) -> None:
    write(programs / "scontrol", "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(NoAnswer, match="Unable to contact"):
        batch.get("slurm").survey()
