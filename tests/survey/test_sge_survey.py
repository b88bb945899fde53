"""What is read out of the answers of a real Grid Engine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.machine import Environment, Machine
from hpc_launch.batch.sge.survey import survey
from hpc_launch.units import MIB
from tests.survey.machines import Make, machine, recorded, write


def value(found: Machine, *key: str) -> Any:
    return next((each.value for each in found.more if each.key == key), None)


def changed(recording: str, old: str, new: str) -> Callable[[str, str], str]:
    def edit(name: str, text: str) -> str:
        if name == recording:
            assert old in text
            return text.replace(old, new)
        return text

    return edit


def test_a_real_one(make: Make) -> None:
    make("sge")
    found = machine("sge")
    assert (found.version, found.cluster, found.array, found.submitted) == ("SGE 8.1.9", None, 75000, None)
    (queue,) = found.queues
    assert (queue.name, queue.walltime, queue.cores) == ("all.q", None, (8, 8, 8))
    assert queue.ready == 3
    assert queue.memory == (24105 * MIB,) * 3  # 23.541G, rounded down
    assert value(found, "parallel_environments", "node") == "smp"
    assert value(found, "parallel_environments", "nodes") == {"name": "mpi-4", "slots": 4}
    assert (value(found, "memory", "directive"), value(found, "memory", "resource")) == ("per-slot", "mem_free")


def test_a_disabled_instance_takes_no_jobs(make: Make) -> None:
    make("sge", hosts="hosts-disabled")
    (queue,) = machine("sge").queues
    assert queue.ready == 2 and queue.nodes is not None
    assert [(node.name, node.out) for node in queue.nodes if node.out] == [("c3", "disabled")]


@pytest.mark.parametrize(("state", "ready"), [("", 3), ("a", 3), ("A", 3), ("au", 2), ("E", 2), ("dE", 2), ("C", 2)])
def test_states(make: Make, state: str, ready: int) -> None:
    old = "<queuevalue qname='all.q' name='state_string'>"

    def edit(name: str, text: str) -> str:
        return text.replace(old, old + state, 1) if name == "hosts" else text

    make("sge", edit)
    assert machine("sge").queues[0].ready == ready


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [("0:30:0", 1800), ("1800", 1800), ("24:00:00", 86400), ("INFINITY", None), ("48:00:00,[c1=1:0:0]", 172800)],
)
def test_walltimes(make: Make, limit: str, seconds: int | None) -> None:
    make("sge", changed("queue", "h_rt                  INFINITY", f"h_rt                  {limit}"))
    (queue,) = machine("sge").queues
    assert queue.walltime == seconds
    assert bool(queue.remarks) == ("[" in limit)


def test_the_soft_limit_counts_where_it_is_shorter(make: Make) -> None:
    make("sge", changed("queue", "s_rt                  INFINITY", "s_rt                  0:20:0"))
    assert machine("sge").queues[0].walltime == 1200


def test_memory_that_is_counted_is_preferred_and_its_amount_is_the_hosts_own(make: Make, programs: Path) -> None:
    old = "h_vmem              h_vmem     MEMORY    <=    YES         NO "
    make("sge", changed("complexes", old, old.replace("NO ", "YES")))
    text = (programs / "qconf").read_text(encoding="utf-8")
    own = r"'-se '*) printf 'hostname %s\ncomplex_values slots=8, \\\n    h_vmem=16G\n' $2; exit ;;"
    (programs / "qconf").write_text(text.replace("in\n", f"in\n{own}\n", 1), encoding="utf-8")
    found = machine("sge")
    assert value(found, "memory", "resource") == "h_vmem"
    assert found.queues[0].memory == (16 * 1024 * MIB,) * 3


def test_without_a_memory_to_ask_for_none_is_asked_for(make: Make) -> None:
    make("sge", lambda name, text: text.replace("MEMORY ", "DOUBLE ") if name == "complexes" else text)
    found = machine("sge")
    assert value(found, "memory", "directive") == "omit" and value(found, "memory", "resource") is None


def test_an_environment_without_control_of_its_slaves_starts_nothing_elsewhere(make: Make) -> None:
    make("sge", changed("environment-mpi-4", "control_slaves     TRUE", "control_slaves     FALSE"))
    assert value(machine("sge"), "parallel_environments", "nodes") == "mpi"


@pytest.mark.parametrize(
    ("mpi", "four", "chosen"),
    [
        ("$round_robin", "8", {"name": "mpi-4", "slots": 8}),
        ("$fill_up", "8", {"name": "mpi-4", "slots": 8}),
        ("$fill_up", "4", "mpi"),
        ("$round_robin", "16", "mpi"),  # more than a host has
        ("$round_robin", "1", "mpi"),
        ("$pe_slots", "$pe_slots", None),
    ],
)
def test_which_environment_is_for_several_hosts(make: Make, mpi: str, four: str, chosen: object) -> None:
    rules = {"environment-mpi": ("$round_robin", mpi), "environment-mpi-4": ("rule    4", f"rule    {four}")}
    make("sge", lambda name, text: text.replace(*rules[name]) if name in rules else text)
    found = machine("sge")
    assert value(found, "parallel_environments", "nodes") == chosen
    assert ("parallel_environments.nodes" in found.missing) == (chosen is None)


def test_an_environment_that_no_queue_lists_is_none(make: Make) -> None:
    make("sge", changed("queue", "make smp mpi mpi-4", "make,[@some=mpi-4]"))
    found = machine("sge")
    assert found.environments == {"mpi-4": Environment(False, 4, True, frozenset({"all.q"}))}
    assert value(found, "parallel_environments", "node") is None
    assert "parallel_environments.node" in found.missing


def test_a_queue_for_interactive_jobs_alone_is_none(make: Make) -> None:
    make("sge", changed("queue", "BATCH INTERACTIVE", "INTERACTIVE"))
    found = machine("sge")
    assert found.queues == () and found.closed == {"all.q": "qtype INTERACTIVE"}
    assert found.environments == {}  # none that a job of ours could get


def test_environments(make: Make) -> None:
    make("sge", changed("environment-mpi", "control_slaves     TRUE", "control_slaves     FALSE"))
    all_q = frozenset({"all.q"})
    assert machine("sge").environments == {
        "mpi": Environment(False, None, False, all_q),
        "mpi-4": Environment(False, 4, True, all_q),
        "smp": Environment(True, None, True, all_q),
    }


def test_without_any_parallel_environment_there_are_none_and_that_is_known(make: Make) -> None:
    make("sge", environments="environments-none")
    found = machine("sge")
    assert found.environments == {}
    why = "qconf -spl: there is no parallel environment"
    assert found.missing == {"parallel_environments.node": why, "parallel_environments.nodes": why}


def test_parallel_environments_that_cannot_be_listed_are_no_answer(make: Make) -> None:
    make("sge", environments="environments-away")
    with pytest.raises(NoAnswer, match="got select error"):
        machine("sge")


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [
        ("", "error: no parallel environment defined on this host"),
        ("", ""),
        ("smp", "no parallel environment defined"),
        ("", "denied: no parallel environment defined\nx"),
    ],
)
def test_only_those_very_words_say_that_there_are_none(make: Make, programs: Path, stdout: str, stderr: str) -> None:
    make("sge")
    answer(programs, "-spl", f"printf %s {shlex.quote(stdout)}; printf %s {shlex.quote(stderr)} >&2; exit 1")
    with pytest.raises(NoAnswer):
        machine("sge")


def test_without_any_queue_there_is_none(make: Make) -> None:
    make("sge", queues="queues-none")
    found = machine("sge")
    assert (found.queues, found.closed, found.default_queue, found.environments) == ((), {}, None, {})


def answer(programs: Path, words: str, text: str) -> None:
    """Let qconf, asked this, do that."""
    script = (programs / "qconf").read_text(encoding="utf-8")
    case = f"{shlex.quote(words)}) {text}; exit ;;"
    (programs / "qconf").write_text(script.replace("in\n", f"in\n{case}\n", 1), encoding="utf-8")


def second_queue(programs: Path, **fields: str) -> None:
    """A queue zz.q beside all.q, listed before it, with other fields."""
    text = recorded("sge/queue").stdout.replace("all.q", "zz.q")
    for name, value in fields.items():
        text = re.sub(rf"^{name} .*$", f"{name} {value}", text, flags=re.M)
    answer(programs, "-sql", "printf 'zz.q\nall.q\n'")
    answer(programs, "-sq zz.q", f"printf %s {shlex.quote(text)}")


@pytest.mark.parametrize(
    ("fields", "chosen", "words"),
    [
        ({}, "zz.q", "of 2 the first that is open to all"),
        ({"user_lists": "staff"}, "all.q", "of 2 the first that is open to all"),
        ({"projects": "physics"}, "all.q", "of 2 the first that is open to all"),
        ({"qtype": "INTERACTIVE"}, "all.q", "there is no other"),
    ],
)
def test_the_default_queue_is_a_guess_among_several(
    make: Make, programs: Path, fields: dict[str, str], chosen: str, words: str
) -> None:
    make("sge")
    second_queue(programs, **fields)
    found = machine("sge")
    assert (found.default_queue, words in found.default_reason) == (chosen, True)
    assert found.default_reason.startswith("a guess: ") is (words != "there is no other")


def test_the_environment_is_one_that_the_default_queue_gives(make: Make, programs: Path) -> None:
    make("sge")
    second_queue(programs, pe_list="mpi", slots="4")
    found = machine("sge")
    assert found.environments is not None
    assert found.environments["mpi"].queues == {"zz.q", "all.q"} and found.environments["mpi-4"].queues == {"all.q"}
    assert (found.default_queue, value(found, "parallel_environments", "nodes")) == ("zz.q", "mpi")
    only = found.said("parallel_environments", "node")
    assert only is not None and only.value == "smp" and "the default queue does not give it" in only.source


def test_what_was_chosen_among_several_is_a_guess(make: Make) -> None:
    make("sge")
    found = machine("sge")
    for key, guess in ((("parallel_environments", "node"), False), (("parallel_environments", "nodes"), True)):
        said = found.said(*key)
        assert said is not None and said.source.startswith("a guess: ") is guess
    memory = found.said("memory", "resource")
    assert memory is not None and memory.source.startswith("a guess: ")


def test_a_host_that_does_not_tell_its_memory_is_no_answer(make: Make) -> None:
    old = "h_vmem              h_vmem     MEMORY    <=    YES         NO "
    make("sge", changed("complexes", old, old.replace("NO ", "YES")))  # `qconf -se` fails: it was not recorded
    with pytest.raises(NoAnswer):
        machine("sge")


def test_xml_that_is_none_is_no_answer(make: Make, programs: Path) -> None:
    make("sge")
    write(programs / "qhost", "echo '<qhost><host'")
    with pytest.raises(NoAnswer, match="not understood"):
        survey(batch.get("sge"))


def test_a_host_without_slots_in_a_queue_is_no_node_of_it(make: Make) -> None:
    slots = "<queuevalue qname='all.q' name='slots'>"
    make("sge", lambda name, text: text.replace(f"{slots}8", f"{slots}0", 1) if name == "hosts" else text)
    (queue,) = machine("sge").queues
    assert queue.ready == 2 and [node.name for node in queue.nodes or ()] == ["c2", "c3"]
