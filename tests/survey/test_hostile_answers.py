"""Whatever the commands of a batch system print, what is read out of it is a machine, or there is no answer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hpc_launch import batch
from hpc_launch.batch import asking
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.lsf import survey as lsf_survey
from hpc_launch.batch.machine import LiveQueue, Machine, Node, clock, count
from hpc_launch.batch.pbs import limits as pbs_limits
from hpc_launch.batch.pbs import survey as pbs_survey
from hpc_launch.batch.sge import survey as sge_survey
from hpc_launch.batch.slurm import survey as slurm_survey
from hpc_launch.units import MIB
from tests.conftest import TIMES
from tests.survey.machines import ANSWERS, INSTEAD, recorded

NASTY = [
    *["", " ", "\n", "\t", "\r", "\0", "\x1b[2J", "\x85", "\u2028", "\ud800", "٣", "²", "½", "-", "~", ".", "1.2.3"],
    *["9" * 20, "9" * 5000, "-1", "0", "1e999", "nan", "inf", "infinity", "UNLIMITED", "(null)", "N/A", "=", "a=b c=d"],
    *["gpu:", "gpu:" + "9" * 4400, "gpu:a:b:c", "min", ". min", "1.2.3 min of x", "RUNLIMIT", "QUEUE:", "HOSTS:", "/"],
    *["+3", "~all", "others", "\\\n", "[", "]", "[@a=", "{", "}", "<", "&", "&x;", "<queue/>", "null", "[]", '"'],
]
WORDS = st.sampled_from(NASTY) | st.text("0123456789.:-+kKmMgGtTbwD ,=()[]~/\n", max_size=12) | st.text(max_size=8)
TEXTS = st.lists(WORDS, max_size=4).map(" ".join) | st.lists(WORDS, max_size=4).map("".join)


def is_number(value: object) -> bool:
    """An amount of something, or that it is not known."""
    return value is None or (type(value) is int and value >= 0)


@given(TEXTS)
def test_times_and_numbers(text: str) -> None:
    assert is_number(clock(text)) and clock(text) != 0
    assert is_number(count(text))


@given(TEXTS)
@example("9" * 18 + "tw")
def test_sizes_are_whole_mebibytes(text: str) -> None:
    for size in (lsf_survey._size(text), pbs_limits.size(text), sge_survey._size(text)):
        assert is_number(size) and size != 0 and (size or 0) % MIB == 0


@given(TEXTS)
@example("gpu:" + "9" * 4400)
def test_fields_of_slurm(text: str) -> None:
    for name, value in slurm_survey._fields(text).items():
        assert name and not set(name) & set(" =\n") and value == value.strip()
    assert is_number(slurm_survey._gpus(text))
    found = slurm_survey._node({"NodeName": "a", "Gres": text, "RealMemory": text, "CPUTot": text, "State": text})
    assert is_number(found.cores) and is_number(found.memory) and is_number(found.gpus)


@given(TEXTS, TEXTS)
@example(" RUNLIMIT", " .")
@example(" RUNLIMIT", " 1.2.3 min of x")
@example(" CPULIMIT RUNLIMIT", " 1 min 2 min")
def test_run_limits_of_lsf(header: str, value: str) -> None:
    seconds, known = lsf_survey._run_limit(f"{header}\n{value}\n")
    assert is_number(seconds) and seconds != 0
    assert known or seconds is None


@given(TEXTS, st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3), max_size=2))
@example("all ~a", {})
@example("g/ ~b", {"g": ["a", "b"]})
def test_hosts_of_a_queue_of_lsf_are_hosts_that_there_are_each_once(listed: str, groups: dict[str, list[str]]) -> None:
    hosts = {name: Node(name) for name in ("a", "b")}
    found = lsf_survey._members(listed, hosts, groups)
    assert found is None or (set(found) <= set(hosts) and len(set(found)) == len(found))


@given(TEXTS)
@example("a [b=c\\\n d]")
def test_fields_of_grid_engine(text: str) -> None:
    for name, value in sge_survey._fields(text).items():
        assert name and len(name.split()) == 1 and value == value.strip()
    assert not any(set(name) & set(" ,") for name in sge_survey._names(text))


JSON = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
KEYS = ["ncpus", "mem", "ngpus", "Qlist", "state", "comment", "sharing", "queue", "resources_available"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON), st.booleans())
def test_nodes_of_pbs(node: dict[str, object], has: dict[str, object], has_gpus: bool) -> None:
    found = pbs_survey._node("n", {**node, "resources_available": has}, has_gpus)
    assert is_number(found.cores) and is_number(found.memory) and is_number(found.gpus)
    assert isinstance(found.out, str)
    assert is_number(pbs_limits.per_user(has.get("ncpus")))


# All of an answer


def answers(system: str) -> Mapping[str, str]:
    """Command as typed → what it printed, as it was recorded."""
    names = [file.stem for file in sorted((ANSWERS / system).glob("*.txt"))]
    plain = [recorded(f"{system}/{name}") for name in names if not name.endswith(INSTEAD) and name != "down"]
    return {shlex.join(each.command): each.stdout for each in plain}


SYSTEMS = ["slurm", "pbs", "lsf", "sge"]
RECORDED = {system: answers(system) for system in SYSTEMS}


@pytest.mark.parametrize("system", SYSTEMS)
@settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_answer_with_something_else_in_it(monkeypatch: pytest.MonkeyPatch, system: str, data: st.DataObject) -> None:
    told = dict(RECORDED[system])
    for command in data.draw(st.lists(st.sampled_from(sorted(told)), min_size=1, max_size=3, unique=True)):
        told[command] = changed(told[command], data)
    ask(monkeypatch, system, told)


def ask(monkeypatch: pytest.MonkeyPatch, system: str, told: Mapping[str, str]) -> None:
    """Have a batch system read these answers."""

    def run(words: tuple[str, ...], **_: object) -> Answer:
        command = shlex.join(words)
        return Answer(words, 0 if command in told else 1, told.get(command, ""), "" if command in told else "?")

    monkeypatch.setattr(asking, "run", run)
    monkeypatch.setattr(f"hpc_launch.batch.{system}.survey.locate", lambda program: program)
    try:
        found = batch.get(system).survey()
    except NoAnswer as silent:
        assert all(problem.message for problem in silent.problems)
        return
    assert found is not None and is_sound(found)


def changed(text: str, data: st.DataObject) -> str:
    """An answer with something else in place of a part of it; no UTF-8 is replaced, as where answers are read."""
    begin = data.draw(st.integers(0, len(text)))
    end = begin + data.draw(st.sampled_from([0, 1, 4, 40, len(text)]))
    return text[:begin] + data.draw(TEXTS).encode(errors="replace").decode() + text[end:]


ODD = [None, True, 7, -1, 1e300, "", "9" * 5000, "\x1b[2J", [], ["a"], {}, {"a": 1}]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_a_value_of_another_kind_anywhere_in_an_answer_of_pbs(monkeypatch: pytest.MonkeyPatch, odd: object) -> None:
    for command, text in RECORDED["pbs"].items():
        for place in places(json.loads(text)):
            told = json.loads(text)
            inner = told
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = odd
            ask(monkeypatch, "pbs", {**RECORDED["pbs"], command: json.dumps(told)})


def places(told: object) -> Iterator[tuple[str, ...]]:
    """The keys that lead to each value."""
    for key, value in told.items() if isinstance(told, dict) else ():
        yield (key,)
        yield from ((key, *further) for further in places(value))


def is_sound(machine: Machine) -> bool:
    """Whether all that is said to be a number, a name or a list is one."""
    numbers = [machine.array, machine.submitted, *(number for queue in machine.queues for number in numbers_of(queue))]
    names = [queue.name for queue in machine.queues]
    return all(map(is_number, numbers)) and all(isinstance(name, str) for name in names)


def numbers_of(queue: LiveQueue) -> list[object]:
    sizes = [number for node in queue.nodes or () for number in (node.cores, node.memory, node.gpus)]
    return [queue.walltime, queue.default_walltime, queue.max_nodes, queue.gpus, *sizes]
