"""Whatever a machine says, its draft is a valid site profile that holds it, or it is refused with a sentence."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hpc_launch import sites
from hpc_launch.batch.machine import LiveQueue, Machine, Node, Said
from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError
from hpc_launch.survey.draft import draft
from hpc_launch.survey.host import Host, Interface
from hpc_launch.survey.scratch import Scratch
from tests.conftest import TIMES

TODAY = datetime.date(2026, 11, 22)
NASTY = [
    *["", " ", "a b", "'", '"', "a'b\"c", "x: y", "x:", ":x", "#", "# x", "a #b", "a\nrejects: [-q]", "\r", "\t", "\0"],
    *[
        "\x1b[2J",
        "\x85",
        "\u2028",
        "\ufeff",
        "é",
        "漢字",
        "\U0001f600",
        "\ud800",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "[",
        "]",
    ],
    *[
        "[a",
        "{a",
        "}",
        "a,b",
        "&a",
        "*a",
        "!a",
        "!!str",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "?",
        "? a",
        "-",
        "- x",
        "--",
        "---",
    ],
    *["...", "-x", "~", "null", "Null", "yes", "no", "on", "true", "False", "1", "007", "0x1F", "0o17", "1_000", "1e3"],
    *[".5", ".inf", ".nan", "1:30", "12:00:00", "2026-11-22", "=", "<<", "x" * 300, "auto", "a.b", "a@b", "a%b", "q+1"],
]
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.from_regex(r"[a-z0-9_.:+@%=-]{1,6}", fullmatch=True))
NUMBERS = st.one_of(st.none(), st.sampled_from([0, 1, 2, 10**6, 10**15, 10**15 + 1]), st.integers(0, 10**15))
TEXTS_OR_NONE = st.none() | TEXTS
NODES = st.builds(Node, TEXTS, NUMBERS, NUMBERS, TEXTS, NUMBERS)
REMARKS = st.lists(TEXTS, max_size=2).map(tuple)
QUEUES = st.builds(
    LiveQueue,
    TEXTS,
    st.none() | st.lists(NODES, max_size=3).map(tuple),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.none() | st.booleans(),
    NUMBERS,
    REMARKS,
)
KEYS = st.sampled_from(
    [
        *[
            ("launchers", "node"),
            ("launchers", "mpi"),
            ("parallel_environments", "node"),
            ("account",),
            ("submit_stdin",),
        ],
        *[("parallel_environments", "nodes"), ("memory", "directive"), ("memory", "resource"), ("storage", "local")],
        *[("resources", "gpus"), ("resources", "a b"), ("nothing",), ("memory", "nothing"), ("memory",)],
    ]
)
NAMED = st.fixed_dictionaries({"name": TEXTS, "slots": NUMBERS})
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans(), NAMED, st.sampled_from(["per-node", "smp", "/tmp", "required"]))
SAID = st.builds(Said, KEYS, VALUES, TEXTS)
WORDS = st.dictionaries(TEXTS, TEXTS, max_size=3)
MACHINES = st.builds(
    Machine,
    st.sampled_from(["slurm", "sge", "pbs", "lsf"]),
    TEXTS,
    st.lists(QUEUES, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(["queues", "nodes", "config", "cluster"]), TEXTS, max_size=4),
    TEXTS,
    cluster=TEXTS_OR_NONE,
    default_queue=TEXTS_OR_NONE,
    default_reason=TEXTS,
    closed=WORDS,
    array=NUMBERS,
    submitted=NUMBERS,
    mpi=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    more=st.lists(SAID, max_size=4, unique_by=lambda said: said.key).map(tuple),
    missing=st.dictionaries(
        st.sampled_from(["memory.x", "parallel_environments.node", "defaults.queue"]) | TEXTS, TEXTS
    ),
)
HOSTS = st.builds(
    Host,
    TEXTS,
    st.lists(st.builds(Interface, st.sampled_from(["ib0", "eth0", "ibé"]) | TEXTS, TEXTS, NUMBERS), max_size=2).map(
        tuple
    ),
    st.lists(st.builds(Scratch, st.just("/tmp"), st.sampled_from(["disk", "memory", None]), TEXTS), max_size=2).map(
        tuple
    ),
    st.dictionaries(st.sampled_from(["apptainer", "singularity", "mpiexec"]) | TEXTS, TEXTS, max_size=3),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.booleans(),
)
PLAIN = Host("login")


def plain(*queues: LiveQueue) -> Machine:
    return Machine("slurm", "", queues, {}, "-q", array=1)


@settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MACHINES, HOSTS)
@example(replace(plain(LiveQueue("q", None)), cluster="x" * 300, commands={"config": " "}), PLAIN)
@example(replace(plain(LiveQueue("q", None)), cluster="null", version="x\n"), PLAIN)
@example(plain(LiveQueue("12:00:00", None, 10**15, 10**15, 10**15, True, 10**15)), PLAIN)
@example(
    plain(LiveQueue("null", (Node("a", 10**15, 10**15 + 1, "", 0),), 0, 0, 0, None, 0), LiveQueue("on", ())), PLAIN
)
@example(
    plain(LiveQueue("0x1F", None), LiveQueue("0o17", None), LiveQueue("1_000", None), LiveQueue("1e3", None)), PLAIN
)
def test_a_draft_is_valid_or_refused(tmp_path: Path, context: Context, machine: Machine, host: Host) -> None:
    try:
        made = draft(machine, host, TODAY)
    except BatchSystemError as refused:
        assert all(problem.message.isprintable() and problem.hint for problem in refused.problems)
        return
    file = tmp_path / "draft.yaml"
    file.write_text(made.text, encoding="utf-8")
    site = sites.read(file, context).site
    assert set(site.queues) <= {queue.name for queue in machine.queues} and site.queues
    assert (site.batch_system, site.rejects, site.directives, site.status) == (machine.batch_system, [], [], "active")
    first = {queue.name: queue for queue in reversed(machine.queues)}
    for name, said in site.queues.items():
        live = first[name]
        assert said.nodes in (None, live.ready) and said.cores in (None, min(live.cores, default=None))
        assert said.memory in (None, min(live.memory, default=None))
        assert said.walltime in (None, live.walltime) and said.default_walltime in (None, live.default_walltime)
        assert said.max_nodes in (None, live.max_nodes) and said.exclusive is bool(live.exclusive)
    assert site.defaults.get("queue") in (None, machine.default_queue)
    assert all(each.isprintable() and ": " in each for each in made.not_found)


@pytest.mark.parametrize("name", [name for name in NASTY if name not in ("", "\ud800")])
def test_a_queue_of_any_name_is_written_under_it_or_told_of(tmp_path: Path, context: Context, name: str) -> None:
    made = draft(plain(LiveQueue("plain", None), LiveQueue(name, None)), PLAIN, TODAY)
    file = tmp_path / "draft.yaml"
    file.write_text(made.text, encoding="utf-8")
    there = name in sites.read(file, context).site.queues
    assert there is not any("no site profile can name" in each for each in made.not_found)


@pytest.mark.parametrize("name", ["", "a b", "sge\nx: y", "null", "theirs"])
def test_a_batch_system_that_no_profile_can_name_is_refused(name: str) -> None:
    with pytest.raises(BatchSystemError, match="no site profile can name") as told:
        draft(Machine(name, "", (LiveQueue("q", None),), {}, "-q"), PLAIN, TODAY)
    assert all(problem.message.isprintable() for problem in told.value.problems)


@pytest.mark.parametrize("name", ["a b", "a\nb", "", "-x", "é", "#"])
def test_a_parallel_environment_that_no_directive_can_carry_is_told(
    tmp_path: Path, context: Context, name: str
) -> None:
    said = Said(("parallel_environments", "nodes"), {"name": name, "slots": 4}, "")
    machine = Machine("sge", "", (LiveQueue("q", None),), {}, "-q", more=(said,))
    made = draft(machine, PLAIN, TODAY)
    file = tmp_path / "draft.yaml"
    file.write_text(made.text, encoding="utf-8")
    assert sites.read(file, context).site.parallel_environments.nodes is None
    assert any(each.startswith("parallel_environments.nodes: ") for each in made.not_found)
