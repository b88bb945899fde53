"""Each difference between a site profile and the machine is one line, and says which of them promises more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch import sites
from hpc_launch.batch.machine import Environment, LiveQueue, Machine, Node
from hpc_launch.context import Context
from hpc_launch.survey.compare import compare
from hpc_launch.survey.findings import Comparison, Difference
from hpc_launch.survey.scratch import Scratch
from hpc_launch.units import MIB
from tests.survey.machines import LOGIN, queue, small

SHORT = {"nodes": 3, "cores": 8, "memory": "16000 MiB", "walltime": "1h"}


class Against:
    """Compares site profiles, given as further keys, with a machine."""

    def __init__(self, directory: Path, context: Context) -> None:
        self.file, self.context = directory / "site.yaml", context

    def __call__(self, machine: Machine, short: dict[str, Any] = SHORT, **keys: Any) -> list[Difference]:
        least = {"name": "here", "batch_system": "slurm", "limits": {"array": 10000}, "queues": {"short": short}}
        host, local = keys.pop("host", LOGIN), keys.pop("local", None)
        self.file.write_text(yaml.safe_dump({**least, **keys}, sort_keys=False), encoding="utf-8")
        found = sites.read(self.file, self.context)
        return compare(Comparison(found.site, found.document, machine, host, local))


@pytest.fixture
def against(tmp_path: Path, context: Context) -> Against:
    return Against(tmp_path, context)


def only(found: list[Difference]) -> Difference:
    assert len(found) == 1, list(map(str, found))
    return found[0]


def test_none(against: Against) -> None:
    assert against(small(queue())) == []


def test_a_line_names_key_both_values_and_the_place(against: Against) -> None:
    found = only(against(small(queue(walltime=1800))))
    line = against.file.read_text().splitlines().index("    walltime: 1h") + 1
    said = f"queues.short.walltime: the profile says 01:00:00 (site.yaml:{line}), slurm says 00:30:00"
    assert str(found) == said
    assert found.grave


LIMITS = [
    # key of a queue, in the profile, on the machine, is it grave?, words
    ("walltime", "1h", {"walltime": 7200}, False, "slurm says 02:00:00"),
    ("walltime", "1h", {"walltime": None}, False, "slurm says no limit"),
    ("walltime", None, {"walltime": 60}, False, "the profile says nothing, slurm says 00:01:00"),
    ("max_nodes", 3, {"max_nodes": 2}, True, "slurm says 2"),
    ("max_nodes", None, {"max_nodes": 2}, False, "the profile says nothing"),
    ("nodes", 4, {}, True, "slurm has 3 that take jobs"),
    ("nodes", 2, {}, False, "slurm has 3 that take jobs"),
    ("nodes", 3, {"out": "DRAIN"}, True, "slurm has 2 that take jobs (c3: DRAIN)"),
    ("nodes", None, {"out": "DRAIN"}, False, "slurm has 2 that take jobs (c3: DRAIN)"),
    ("cores", 9, {}, True, "slurm says 8"),
    ("cores", 7, {}, False, "slurm says 8"),
    ("memory", "16001 MiB", {}, True, "slurm says 16000 MiB"),
    ("memory", "8 GiB", {}, False, "slurm says 16000 MiB"),
    ("default_walltime", "10m", {}, False, "slurm says none"),
    ("default_walltime", None, {"default_walltime": 60}, False, "slurm says 00:01:00"),
]


@pytest.mark.parametrize(("key", "said", "live", "grave", "words"), LIMITS)
def test_limits_of_a_queue(
    against: Against, key: str, said: object, live: dict[str, Any], grave: bool, words: str
) -> None:
    short = {name: value for name, value in {**SHORT, key: said}.items() if value is not None}
    found = only(against(small(queue(**live)), short))
    assert (found.key, found.grave) == (f"queues.short.{key}", grave)
    assert words in str(found)


@pytest.mark.parametrize(
    ("cores", "grave", "words"),
    [
        (40, False, "48 to 96"),
        (64, False, "so much on 1 of 2 nodes"),
        (96, False, "so much on 1 of 2 nodes"),
        (97, True, "48 to 96"),
    ],
)
def test_of_unlike_nodes_some_may_have_enough(against: Against, cores: int, grave: bool, words: str) -> None:
    nodes = (Node("a", 48, 16000 * MIB), Node("b", 96, 16000 * MIB))
    found = only(against(small(LiveQueue("short", nodes, 3600)), {**SHORT, "nodes": 2, "cores": cores}))
    assert found.grave is grave and words in str(found)


@pytest.mark.parametrize(
    ("key", "value", "above", "below"), [("cores", 96, 97, 95), ("memory", "16000 MiB", "20000 MiB", "9000 MiB")]
)
def test_what_the_largest_node_has_is_compared(
    against: Against, key: str, value: object, above: object, below: object
) -> None:
    nodes = (Node("a", 48, 8000 * MIB), Node("b", 96, 16000 * MIB))
    said = {**SHORT, "nodes": 2, "cores": 48, "memory": "8000 MiB"}
    live = small(LiveQueue("short", nodes, 3600))
    assert against(live, {**said, "largest": {key: value}}) == []
    more = only(against(live, {**said, "largest": {key: above}}))
    assert (more.key, more.grave) == (f"queues.short.largest.{key}", True)
    less = only(against(live, {**said, "largest": {key: below}}))
    assert (less.key, less.grave) == (f"queues.short.largest.{key}", False)


def test_what_the_machine_does_not_tell_is_not_compared(against: Against) -> None:
    assert against(small(LiveQueue("short", None, 3600), array=None)) == []


def test_a_queue_that_is_gone_is_grave_and_a_new_one_is_not(against: Against) -> None:
    gone, new = against(small(queue("long")))
    assert (gone.key, gone.grave) == ("queues.short", True) and "it has long" in str(gone)
    assert (new.key, new.grave) == ("queues.long", False)


def test_a_queue_that_is_told_to_be_gone_and_is_there_is_noted(against: Against) -> None:
    found = only(against(small(queue(), queue("old")), retired_queues={"old": "use short"}))
    assert (found.key, found.grave) == ("retired_queues.old", False)
    assert str(found).startswith("retired_queues.old: the profile says use short (site.yaml:")
    assert str(found).endswith("slurm has a queue of this name")


def test_a_limit_that_is_not_known_is_neither_none_nor_compared(against: Against) -> None:
    said = {**SHORT, "default_walltime": "10m", "max_nodes": 2}
    unknown = ("walltime", "default_walltime", "max_nodes")
    assert against(small(queue(walltime=None, unknown=unknown)), said) == []
    found = against(small(queue(walltime=1800, max_nodes=1, default_walltime=60, unknown=unknown)), said)
    assert [each.key.rpartition(".")[2] for each in found] == ["walltime", "max_nodes", "default_walltime"]


def test_where_jobs_may_not_name_a_queue_its_name_means_nothing(against: Against) -> None:
    assert against(small(queue("long")), rejects=["--queue"]) == []


@pytest.mark.parametrize(("array", "grave"), [(20000, True), (500, False), (None, False)])
def test_arrays(against: Against, array: int | None, grave: bool) -> None:
    found = only(against(small(queue()), limits={"array": array} if array else {}))
    assert (found.key, found.grave) == ("limits.array", grave)


def test_a_machine_without_arrays(against: Against) -> None:
    assert only(against(small(queue(), array=0))).key == "arrays"
    assert against(small(queue(), array=0), arrays=False) == []


@pytest.mark.parametrize(("cluster", "keys"), [("testcluster", []), ("other", ["detect.cluster"])])
def test_the_cluster(against: Against, cluster: str, keys: list[str]) -> None:
    found = against(small(queue()), detect={"cluster": cluster})
    assert [each.key for each in found if each.grave] == keys


def test_another_host_than_the_profiles_is_noted(against: Against) -> None:
    found = only(against(small(queue()), detect={"hostname": r"login\d"}))
    assert (found.key, found.grave) == ("detect.hostname", False)
    assert against(small(queue()), detect={"hostname": r"log\w+"}) == []


ENVIRONMENTS = {
    "smp": Environment(True),
    "mpi": Environment(False),
    "mpi-4": Environment(False, 4),
    "alone": Environment(False, starts_elsewhere=False),
}


@pytest.mark.parametrize(
    ("key", "value", "differs", "grave"),
    [
        ("node", "smp", None, False),
        ("node", "gone", "parallel_environments.node", True),
        ("node", "mpi", "parallel_environments.node", True),
        ("nodes", "mpi", None, False),
        ("nodes", "smp", "parallel_environments.nodes", True),
        ("nodes", {"name": "mpi-4", "slots": 4}, None, False),
        ("nodes", {"name": "mpi-4", "slots": 8}, "parallel_environments.nodes.slots", True),
        ("nodes", {"name": "mpi", "slots": 8}, "parallel_environments.nodes.slots", True),
        ("nodes", "mpi-4", "parallel_environments.nodes.slots", False),
        ("nodes", "alone", "parallel_environments.nodes", True),
        ("node", "alone", "parallel_environments.node", True),
        ("node", "mpi-4", "parallel_environments.node", True),
        ("node", {"name": "mpi-4", "slots": 4}, None, False),
        ("node", {"name": "mpi-4", "slots": 8}, "parallel_environments.node.slots", True),
        ("node", {"name": "smp", "slots": 8}, None, False),
    ],
)
def test_parallel_environments(against: Against, key: str, value: Any, differs: str | None, grave: bool) -> None:
    found = against(small(queue(), environments=ENVIRONMENTS), parallel_environments={key: value})
    assert [(each.key, each.grave) for each in found] == ([(differs, grave)] if differs else [])


def test_where_no_queue_gives_an_environment_each_that_is_named_is_gone(against: Against) -> None:
    named = {"parallel_environments": {"node": "smp", "nodes": "mpi"}}
    found = against(small(queue(), environments={}), **named)
    assert [(each.key, each.grave) for each in found] == [
        ("parallel_environments.node", True),
        ("parallel_environments.nodes", True),
    ]
    assert "has none of this name in a queue; it has none at all" in str(found[0])
    assert against(small(queue(), environments=None), **named) == []
    assert against(small(queue(), environments={})) == []


BOTH = {"short": SHORT, "long": SHORT}


@pytest.mark.parametrize(
    ("queues", "key"),
    [(["short", "long"], None), (["short"], "queues.long"), (["long", "x"], "queues.short"), ([], None)],
)
def test_a_queue_that_does_not_give_the_environment(against: Against, queues: list[str], key: str | None) -> None:
    machine = small(queue(), queue("long"), environments={"smp": Environment(True, queues=frozenset(queues))})
    found = against(machine, queues=BOTH, parallel_environments={"node": "smp"})
    assert [(each.key, each.grave) for each in found] == ([(key, True)] if key else [])
    for each in found:
        assert "the profile says parallel_environments.node is smp (site.yaml:" in str(each)
        assert f"slurm gives it in {', '.join(queues)} alone" in str(each)


def test_a_queue_that_is_gone_is_not_asked_for_environments(against: Against) -> None:
    machine = small(queue(), environments={"smp": Environment(True, queues=frozenset(["short"]))})
    found = only(against(machine, queues=BOTH, parallel_environments={"node": "smp"}))
    assert str(found).startswith("queues.long: the profile says there is one")


def test_a_queue_that_jobs_do_not_name_is_not_asked_for_environments(against: Against) -> None:
    machine = small(queue(), environments={"smp": Environment(True, queues=frozenset(["other"]))})
    assert against(machine, parallel_environments={"node": "smp"}, rejects=["--queue"]) == []


def test_a_queue_that_is_closed_is_told_with_the_reason(against: Against) -> None:
    found = only(against(small(queue(), closed={"old": "Closed:Inact_Adm"}), queues={"short": SHORT, "old": SHORT}))
    assert (found.key, found.grave) == ("queues.old", True)
    assert str(found).endswith("slurm takes no jobs in it: Closed:Inact_Adm")


@pytest.mark.parametrize(
    ("said", "live", "grave"),
    [(4, 4, None), (4, 2, True), (2, 4, False), (None, 4, False), (None, 0, None), (0, 0, None), (4, None, None)],
)
def test_gpus_of_a_node(against: Against, said: int | None, live: int | None, grave: bool | None) -> None:
    found = against(small(queue(gpus=live)), {**SHORT, "gpus": said} if said is not None else SHORT)
    assert [(each.key, each.grave) for each in found] == ([] if grave is None else [("queues.short.gpus", grave)])


@pytest.mark.parametrize(
    ("said", "live", "differs"), [(True, False, 1), (False, True, 1), (True, True, 0), (True, None, 0)]
)
def test_whole_nodes(against: Against, said: bool, live: bool | None, differs: int) -> None:
    found = against(small(queue(exclusive=live)), {**SHORT, "exclusive": said})
    assert [(each.key, each.grave) for each in found] == [("queues.short.exclusive", False)] * differs


def test_a_resource_of_memory(against: Against) -> None:
    machine = small(queue(), resources=frozenset({"h_vmem"}))
    assert against(machine, memory={"resource": "h_vmem"}) == []
    assert only(against(machine, memory={"resource": "mem_free"})).grave
    assert against(small(queue()), memory={"resource": "mem_free"}) == []


@pytest.mark.parametrize(("name", "grave"), [("login", False), ("c1", True), ("c1.example.org", True)])
def test_network_and_scratch_are_certain_on_a_compute_node_alone(against: Against, name: str, grave: bool) -> None:
    host = replace(LOGIN, name=name)
    found = only(against(small(queue()), network={"interface": "hsn0"}, host=host))
    assert (found.key, found.grave) == ("network.interface", grave)
    assert "eth0, ib0" in str(found)
    storage = {"local": "/scratch", "local_kind": "disk"}
    shared = Scratch("/scratch", "shared", "lustre")
    found = only(against(small(queue()), storage=storage, host=host, local=shared))
    assert (found.key, found.grave) == ("storage.local_kind", grave)
    found = only(against(small(queue()), storage=storage, host=host, local=Scratch("/scratch", None, "")))
    assert (found.key, found.grave) == ("storage.local", grave)
    assert against(small(queue()), storage=storage, host=host, local=Scratch("/scratch", None, "aufs")) == []
    expanded = {"local": "$SCRATCH", "local_kind": "disk"}
    found = only(against(small(queue()), storage=expanded, host=host, local=Scratch("/x\n", None, "")))
    assert str(found).partition("profile says ")[2].startswith("$SCRATCH (site.yaml:")
    assert str(found).endswith("has no such directory: /x\\n'")


def test_the_grave_ones_come_first(against: Against) -> None:
    found = against(small(queue(walltime=1800), queue("new")), {**SHORT, "nodes": 2, "cores": 9})
    assert [each.grave for each in found] == sorted((each.grave for each in found), reverse=True)
    assert {each.grave for each in found} == {True, False}


def test_what_a_machine_says_stays_on_its_line(against: Against) -> None:
    found = only(against(small(queue(out="a\nb\x1b[2J"))))
    assert str(found).isprintable()
