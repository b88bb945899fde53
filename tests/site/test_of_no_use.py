"""Lines of a site profile that are well-formed, and would break or never make a job's script."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.checks import site as rules
from hpc_launch.config.document import parse_document
from hpc_launch.context import Context
from tests.site.files import site_file

Told = Callable[..., list[str]]

RESOURCES = [
    ("{gpu: '--gres=gpu:{n}'}", "resources.gpu: nothing asks for 'gpu'; did you mean 'gpus'?", "ask for: gpus"),
    ("{GPUs: '--gres=gpu:{n}'}", "resources.GPUs: nothing asks for 'GPUs'; did you mean 'gpus'?", "ask for: gpus"),
    ("{licenses: '-L matlab:{n}'}", "resources.licenses: nothing asks for 'licenses' |", "ask for: gpus"),
    ("{gpus: '--mem=5G'}", "resources.gpus: '--mem=5G' holds neither {n} nor {total}", "write {n} where"),
    ("{gpus: 4}", "resources.gpus: '4' holds neither {n} nor {total}", "write {n} where"),
    ("{gpus: '--gres=gpu:{m}'}", "resources.gpus: '{m}' stands for nothing", "write {n} where"),
    ("{gpus: '--gres=gpu:{n}{$(id)}'}", "resources.gpus: '{$(id)}' stands for nothing", "write {n} where"),
    ("{gpus: '--gres=gpu:{N}'}", "resources.gpus: '{N}' stands for nothing", "write {n} where"),
]


@pytest.mark.parametrize(("value", "words", "hint"), RESOURCES)
def test_a_resource_that_no_job_could_ask_for(told: Told, value: str, words: str, hint: str) -> None:
    (only,) = told(f"resources: {value}")
    assert only.startswith(f"6: {words}") and hint in only.partition(" | ")[2], only


@pytest.mark.parametrize("words", ["--gres=gpu:{n}", "--gpus={total}", '-gpu "num={n}:mode=exclusive_process"'])
def test_a_resource_that_holds_a_number_is_good(told: Told, words: str) -> None:
    assert told(f"resources: {{gpus: '{words}'}}") == []


REFUSED = [
    (["rejects: [--gres]", "resources: {gpus: '--gres=gpu:{n}'}"], "7: resources.gpus: --gres is among rejects, too"),
    (["rejects: [--gpus]", "resources: {gpus: '--gres=gpu:{n}'}"], None),
    (["rejects: [-x, --account]", "account: required"], "6: rejects[1]: --account names the account, and account is"),
    (["rejects: [--account]"], None),
    (["rejects: [--account]", "account: none"], None),
    (["rejects: [-A]", "account: required"], None),  # of Slurm's two names, scripts write the other
]


@pytest.mark.parametrize(("lines", "words"), REFUSED)
def test_a_site_does_not_refuse_what_it_asks_for(told: Told, lines: list[str], words: str | None) -> None:
    found = told(*lines)
    assert len(found) == bool(words) and all(each.startswith(str(words)) for each in found), found


@pytest.mark.parametrize(("system", "option"), [("pbs", "-A"), ("sge", "-P"), ("lsf", "-P"), ("slurm", "--account")])
def test_each_batch_system_has_an_option_of_its_own_for_the_account(told: Told, system: str, option: str) -> None:
    (only,) = told("account: required", f"rejects: [{option}]", system=system)
    assert only == f"7: rejects[0]: {option} names the account, and account is required | " + (
        "keep one of the two: without it, no job has an account"
    )


LARGEST = [
    ("cores: 48, largest: {cores: 9}", ["3: queues.q.largest.cores: 9 is less than cores of the queue, 48"]),
    (
        "memory: 187 GiB, largest: {memory: 7 GB}",
        ["3: queues.q.largest.memory: 7 GB is less than memory of the queue, 187 GiB"],
    ),
    ("memory: 1 GiB, largest: {memory: 1024 MiB}", []),
    ("memory: 1000 MB, largest: {memory: 1 GiB}", []),
    ("memory: lots, largest: {memory: 1 GiB}", []),  # of that the schema tells
    ("cores: 48, largest: {cores: 96, memory: 1 GiB}", []),
    ("largest: {cores: 1}", []),
]


@pytest.mark.parametrize(("keys", "words"), LARGEST)
def test_the_largest_node_is_not_smaller_than_the_others(keys: str, words: list[str]) -> None:
    document = parse_document(f"batch_system: slurm\nqueues:\n  q: {{{keys}}}\n", "x")
    found = [f"{each.origin and each.origin.line}: {each.message}" for each in rules.problems(document)]
    assert found == words


SLOTS = [
    ("{q: {cores: 4}, r: {cores: 6}}", "more than any queue has cores, 6 at most"),
    ("{q: {cores: 4, largest: {cores: 8}}}", None),
    ("{q: {cores: 4}, r: {cores: 8}}", None),
    ("{q: {cores: 4}, r: {}}", None),  # who knows
    ("{q: {}}", None),
]


@pytest.mark.parametrize(("queues", "words"), SLOTS)
@pytest.mark.parametrize("kind", ["node", "nodes"])
def test_no_host_has_more_slots_than_cores(kind: str, queues: str, words: str | None) -> None:
    text = f"batch_system: sge\nqueues: {queues}\nparallel_environments:\n  {kind}: {{name: mpi-8, slots: 8}}\n"
    found = [
        f"{each.origin and each.origin.line}: {each.message}" for each in rules.problems(parse_document(text, "x"))
    ]
    assert found == ([f"4: parallel_environments.{kind}.slots: 8 is {words}"] if words else [])


def test_a_site_is_not_its_own_successor(told: Told, context: Context, tmp_path: Path) -> None:
    (only,) = told("status: retired", "successor: x")
    assert only.startswith("7: successor: 'x' is this site itself | name the one")
    folder = tmp_path / "home/.config/hpc-launch/sites"
    site_file(folder, "old", status="retired", successor="new")
    (folder / "new.yaml").write_text("name: new\nextends: old\nstatus: active\n")
    assert sites.read(folder / "new.yaml", context).site.status == "active"


def test_defaults_choose_no_site(told: Told) -> None:
    (only,) = told("defaults: {site: other, queue: short}")
    assert only.startswith("6: defaults.site: a site is chosen before its defaults are read") and "leave it out" in only
    assert told("defaults: {site: null, queue: short}") == []


TODAY = datetime.date(2026, 11, 22)
TWO = "queues: {a: {walltime: 1h}, b: {max_jobs: 3}}\n"
UNNAMED = "rejects[0]: without {}, jobs name no queue, and limits of queues are checked all the same"
DOUBTS = [
    (f"batch_system: slurm\nrejects: [--partition]\n{TWO}", f"2: {UNNAMED.format('--partition')}"),
    *(
        (f"batch_system: {system}\nrejects: [-q]\n{TWO}parallel_environments: {{node: smp}}\n", f"2: {UNNAMED}")
        for system in ("pbs", "sge", "lsf")
    ),
    (f"batch_system: slurm\nrejects: [--qos, --mem]\n{TWO}", None),
    ("batch_system: slurm\nrejects: [--partition]\nqueues: {a: {walltime: 1h}, b: {cores: 4}}\n", None),
    ("batch_system: slurm\nrejects: [--partition]\nqueues: {a: {walltime: 1h, qos: x}, b: {walltime: 1h}}\n", None),
    (f"batch_system: '../slurm'\nrejects: [--partition]\n{TWO}", None),
    ("batch_system: sge\n", "1: parallel_environments: none is named, and only jobs of one slot can be had"),
    ("batch_system: sge\nparallel_environments: {}\n", "2: parallel_environments: none is named, and only jobs of one"),
    (
        "batch_system: sge\nparallel_environments: {nodes: mpi}\n",
        "2: parallel_environments.node: none is named, and no job on one host can have several slots",
    ),
    ("batch_system: sge\nparallel_environments: {node: smp}\n", None),
    *((f"batch_system: {system}\n", None) for system in ("slurm", "pbs", "lsf", "local", "slrum")),
]


@pytest.mark.parametrize(("text", "words"), DOUBTS)
def test_what_jobs_may_well_lack_is_doubtful(text: str, words: str | None) -> None:
    found = [
        f"{each.origin and each.origin.line}: {each.message}" for each in rules.doubts(parse_document(text, "x"), TODAY)
    ]
    assert len(found) == bool(words), found
    assert all(each.startswith(str(words).format("-q")) for each in found), found
