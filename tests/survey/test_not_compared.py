"""What could not be compared is told, a note for each thing, so that nobody says of it that it agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch import sites
from hpc_launch.batch.machine import Environment, LiveQueue, Machine, Node
from hpc_launch.context import Context
from hpc_launch.survey.findings import Comparison
from hpc_launch.survey.host import Host
from hpc_launch.survey.not_compared import not_compared
from hpc_launch.survey.scratch import Scratch
from hpc_launch.units import MIB
from tests.survey.machines import LOGIN, queue, small

SHORT = {"nodes": 3, "cores": 8, "memory": "16000 MiB", "walltime": "1h"}
NODE = replace(LOGIN, name="c1")
DISK = Scratch("/scratch", "disk", "xfs")

Silent = Callable[..., list[str]]


@pytest.fixture
def silent(tmp_path: Path, context: Context) -> Silent:
    """The keys and reasons, for a site profile of these further keys, on a compute node with a local disk."""

    def of(machine: Machine, short: dict[str, Any] = SHORT, **keys: Any) -> list[str]:
        host, local = keys.pop("host", NODE), keys.pop("local", DISK)
        least = {"name": "here", "batch_system": "slurm", "limits": {"array": 10}, "queues": {"short": short}}
        (tmp_path / "site.yaml").write_text(yaml.safe_dump({**least, **keys}, sort_keys=False), encoding="utf-8")
        found = sites.read(tmp_path / "site.yaml", context)
        told = not_compared(Comparison(found.site, found.document, machine, host, local))
        for each in told:
            assert str(each).isprintable() and each.key in str(each) and each.why in str(each)
        return [f"{each.key}: {each.why}" for each in told]

    return of


def test_nothing_where_all_can_be_compared(silent: Silent) -> None:
    assert silent(small(queue())) == []
    assert silent(small(queue()), network={"interface": "ib0"}, detect={"cluster": "testcluster"}) == []


def test_queues_that_jobs_do_not_name(silent: Silent) -> None:
    said = ["queues: jobs name no queue here (rejects: --queue)"]
    assert silent(small(queue("other")), rejects=["--queue"]) == said
    assert silent(small(LiveQueue("short", None), queue("other")), rejects=["--queue"]) == said


@pytest.mark.parametrize(
    ("short", "said"),
    [
        (SHORT, ["queues.short: nodes, cores, memory: slurm does not tell which nodes are this queue's"]),
        ({"cores": 8}, ["queues.short: cores: slurm does not tell which nodes are this queue's"]),
        ({"walltime": "1h"}, []),
    ],
)
def test_nodes_of_a_queue_that_are_not_told(silent: Silent, short: dict[str, Any], said: list[str]) -> None:
    host = replace(LOGIN, name="login")
    found = silent(small(LiveQueue("short", None, 3600)), short, host=host, local=None)
    assert found == said


SIZES = [
    ((Node("c1"), Node("c2")), ["cores: slurm does not tell it", "memory: slurm does not tell it"]),
    ((Node("c1", 8), Node("c2", 8)), ["memory: slurm does not tell it"]),
    ((Node("c1", 8, MIB), Node("c2", 8)), ["memory: slurm does not tell it of 1 of 2 nodes"]),
    ((Node("c1", 8, MIB), Node("c2", None, MIB)), ["cores: slurm does not tell it of 1 of 2 nodes"]),
    ((Node("c1", 8, MIB), Node("c2", out="down")), []),
    ((Node("c1", out="down"),), ["cores: slurm does not tell it", "memory: slurm does not tell it"]),
    ((), []),
]


@pytest.mark.parametrize(("nodes", "said"), SIZES)
def test_sizes_that_are_not_told(silent: Silent, nodes: tuple[Node, ...], said: list[str]) -> None:
    here = small(LiveQueue("short", nodes, 3600), queue("other"))
    assert silent(here) == [f"queues.short.{each}" for each in said]
    assert silent(here, {"nodes": 2}) == []


def test_gpus_that_are_not_told(silent: Silent) -> None:
    assert silent(small(queue()), {**SHORT, "gpus": 4}) == ["queues.short.gpus: slurm does not tell it"]
    assert silent(small(queue(gpus=2)), {**SHORT, "gpus": 4}) == []


WHOLE = [
    ({"cluster": None}, {"detect": {"cluster": "north"}}, "detect.cluster"),
    ({"array": None}, {}, "limits.array"),
    ({"array": None}, {"limits": {}}, "arrays"),
    ({"array": None}, {"limits": {}, "arrays": False}, None),
    ({}, {"limits": {"array": 10, "submitted": {"jobs": 5}}}, "limits.submitted.jobs"),
    ({"submitted": 5}, {"limits": {"array": 10, "submitted": {"jobs": 5}}}, None),
    ({}, {"memory": {"resource": "h_vmem"}}, "memory.resource"),
    ({"resources": frozenset()}, {"memory": {"resource": "h_vmem"}}, None),
]


@pytest.mark.parametrize(("live", "keys", "key"), WHOLE)
def test_values_that_the_batch_system_does_not_tell(
    silent: Silent, live: dict[str, Any], keys: dict[str, Any], key: str | None
) -> None:
    assert silent(small(queue(), **live), **keys) == ([f"{key}: slurm does not tell it"] if key else [])


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        (None, "slurm has no parallel environments"),
        ({"smp": Environment(True)}, "slurm does not tell which queues give smp"),
        ({"smp": Environment(True, queues=frozenset(["short"]))}, None),
        ({}, None),
    ],
)
def test_parallel_environments(silent: Silent, environments: dict[str, Environment] | None, said: str | None) -> None:
    found = silent(small(queue(), environments=environments), parallel_environments={"node": "smp"})
    assert found == ([f"parallel_environments.node: {said}"] if said else [])


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({}, []),
        ({"storage": {"local": "/scratch"}}, ["storage.local"]),
        ({"storage": {"local_kind": "disk"}}, ["storage.local_kind"]),
        ({"storage": {"local": "/scratch", "local_kind": "disk"}}, ["storage.local"]),
        (
            {"network": {"interface": "ib0"}, "queues": {"short": {**SHORT, "interface": "eth0"}}},
            ["network.interface", "queues.short.interface"],
        ),
        # these the comparison notes: that there is something else
        ({"network": {"interface": "hsn0"}, "queues": {"short": {**SHORT, "interface": "hsn1"}}}, []),
        ({"storage": {"local": "/scratch", "local_kind": "memory"}}, []),
    ],
)
def test_network_and_scratch_of_a_host_that_is_no_compute_node(
    silent: Silent, keys: dict[str, Any], names: list[str]
) -> None:
    why = "login is no compute node (run this check in a job)"
    assert silent(small(queue()), host=LOGIN, **keys) == [f"{name}: {why}" for name in names]
    if names:
        assert silent(small(queue()), host=NODE, **keys) == []


@pytest.mark.parametrize(
    ("host", "local", "why"),
    [
        (NODE, "$SCRATCH/${USER}", "$SCRATCH/${USER}: a variable in it is not set here (run this check in a job)"),
        (NODE, "scratch", "scratch: it is relative to each run (run this check in a job)"),
        (LOGIN, "$SCRATCH/${USER}", "login is no compute node (run this check in a job)"),
    ],
)
def test_scratch_that_a_job_alone_knows(silent: Silent, host: Host, local: str, why: str) -> None:
    assert silent(small(queue()), host=host, local=None, storage={"local": local}) == [f"storage.local: {why}"]
    assert silent(small(queue()), host=host, local=None) == []


def test_a_file_system_that_nobody_knows(silent: Silent) -> None:
    aufs = Scratch("/scratch", None, "aufs")
    why = "storage.local_kind: the file system there, aufs, is none of those known"
    assert silent(small(queue()), local=aufs, storage={"local": "/scratch", "local_kind": "disk"}) == [why]
    assert silent(small(queue()), local=aufs, storage={"local": "/scratch"}) == []


@pytest.mark.parametrize("limit", ["walltime", "default_walltime", "max_nodes"])
def test_limits_that_are_not_known(silent: Silent, limit: str) -> None:
    said = {**SHORT, "walltime": "1h", "default_walltime": "1h", "max_nodes": 2}
    live: dict[str, Any] = {"walltime": 3600, "default_walltime": 3600, "max_nodes": 2}
    assert silent(small(queue(**live, unknown=(limit,))), said) == []
    live[limit] = None
    assert silent(small(queue(**live, unknown=(limit,))), said) == [f"queues.short.{limit}: slurm does not tell it"]
    assert silent(small(queue(**live)), said) == []


def test_hostile_names_stay_on_their_line(silent: Silent) -> None:
    machine = small(LiveQueue("short", None), batch_system="sl\nurm\x1b")
    (found,) = silent(machine, {"cores": 1})
    assert found.startswith("queues.short: ") and r"sl\nurm\x1b does not tell which nodes" in found
    local = silent(small(queue()), host=replace(LOGIN, name="\x1b[2J"), storage={"local": "/scratch"})
    assert local == [r"storage.local: '\x1b[2J is no compute node (run this check in a job)'"]
