"""A draft: valid whatever the machine says, the same as the machine, and honest about what was not found."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpc_launch import sites
from hpc_launch.batch.machine import LiveQueue, Machine, Node
from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError
from hpc_launch.prepare import Prepared
from hpc_launch.sites import SiteFile
from hpc_launch.survey import draft as drafting
from hpc_launch.survey.compare import compare
from hpc_launch.survey.findings import Comparison
from hpc_launch.survey.host import Host, Interface
from hpc_launch.survey.scratch import Scratch
from tests.conftest import LEAST
from tests.survey.machines import LOGIN, Make, machine, queue, small

TODAY = datetime.date(2026, 11, 22)
HOSTILE = ["a\nrejects: [-q]", "x: y", "# comment", "'", '"', "{a", "a b", "", "é", "\x1b[31m", "\u2028", "- x", "on"]


@pytest.fixture
def read(tmp_path: Path, context: Context) -> Callable[[str], SiteFile]:
    """A draft as a site profile; raises InvalidConfiguration where it is none."""

    def from_text(text: str) -> SiteFile:
        file = tmp_path / "draft.yaml"
        file.write_text(text, encoding="utf-8")
        return sites.read(file, context)

    return from_text


Read = Callable[[str], SiteFile]


def draft(machine: Machine, host: Host, today: datetime.date) -> str:
    """The draft's text."""
    return drafting.draft(machine, host, today).text


@pytest.mark.parametrize("system", ["slurm", "sge", "pbs", "lsf"])
def test_a_draft_is_valid_and_agrees_with_the_machine_that_it_was_made_of(make: Make, read: Read, system: str) -> None:
    make(system)
    found = machine(system)
    site = read(draft(found, LOGIN, TODAY))
    assert site.site.batch_system == system
    differences = compare(Comparison(site.site, site.document, found, LOGIN))
    of_a_queue_whose_only_host_is_away = ["queues.big.nodes"] if system == "lsf" else []
    assert [each.key for each in differences] == of_a_queue_whose_only_host_is_away
    assert not any(each.grave for each in differences if each.key not in of_a_queue_whose_only_host_is_away)


@pytest.mark.parametrize(
    ("system", "queue", "walltime"), [("slurm", "short", 3600), ("pbs", "workq", 172800), ("lsf", "normal", 172800)]
)
def test_it_names_the_default_queue_with_its_limits(
    make: Make, read: Read, system: str, queue: str, walltime: int
) -> None:
    make(system)
    site = read(draft(machine(system), LOGIN, TODAY)).site
    assert site.defaults == {"queue": queue}
    assert site.queues[queue].walltime == walltime


@pytest.mark.parametrize("system", ["slurm", "sge", "pbs", "lsf"])
def test_a_profile_can_be_planned_on_it(
    make: Make, prepared: Callable[..., Prepared], tmp_path: Path, system: str
) -> None:
    make(system)
    (tmp_path / "draft.yaml").write_text(draft(machine(system), LOGIN, TODAY), encoding="utf-8")
    plan = prepared(LEAST, "walltime=00:10:00", site="./draft.yaml").plan
    assert [job.nodes for job in plan.jobs] == [1]


def test_owner_and_sources_are_left_for_the_admin(make: Make) -> None:
    make("slurm")
    lines = draft(machine("slurm"), LOGIN, TODAY).splitlines()
    maintainers = next(line for line in lines if line.startswith("maintainers:"))
    assert "[]" in maintainers and "not found" in maintainers
    assert any(line.startswith("reviewed: 2026-11-22") for line in lines)
    assert any(line.startswith("sources:") and "yours" in line for line in lines)


def test_what_is_seen_on_a_login_host_is_a_guess_and_on_a_compute_node_is_not() -> None:
    at_login = draft(small(queue()), LOGIN, TODAY)
    assert "network: {interface: ib0}" in at_login and "a guess: not a compute node" in at_login
    assert "\n  # local_kind: disk" in at_login
    on_a_node = draft(small(queue()), replace(LOGIN, name="c2.example.org"), TODAY)
    assert "a guess: not a compute node" not in on_a_node
    assert "\n  local_kind: disk" in on_a_node


def test_a_host_with_nothing_to_see(read: Read) -> None:
    text = draft(small(queue()), Host("login"), TODAY)
    site = read(text).site
    assert (site.network.interface, site.storage.local, site.containers) == (None, "/tmp", None)
    for what in ("network.interface", "containers", "environment.setup", "launchers.mpi"):
        assert any("not found: " in line and what in line for line in text.splitlines()), what


def test_of_unlike_nodes_the_smallest_and_the_largest_are_told(read: Read) -> None:
    nodes = (Node("a", 48, 2**30), Node("b", 96, 2**31))
    text = draft(small(LiveQueue("mixed", nodes)), LOGIN, TODAY)
    found = read(text).site.queues["mixed"]
    assert (found.nodes, found.cores, found.memory) == (2, 48, 2**30)
    assert (found.largest.cores, found.largest.memory) == (96, 2**31)
    assert "unlike nodes: workers are laid out for the smallest" in text
    alike = (Node("a", 48, 2**30), Node("b", 48, 2**31))
    largest = read(draft(small(LiveQueue("mixed", alike)), LOGIN, TODAY)).site.queues["mixed"].largest
    assert (largest.cores, largest.memory) == (None, 2**31)


def test_nodes_that_take_no_jobs_are_not_counted_and_named(read: Read) -> None:
    text = draft(small(queue(out="DRAIN: bad memory")), LOGIN, TODAY)
    assert read(text).site.queues["short"].nodes == 2
    assert "c3 (DRAIN: bad memory)" in text


def test_a_queue_without_nodes_that_take_jobs(read: Read) -> None:
    text = draft(small(queue(nodes=1, out="DOWN")), LOGIN, TODAY)
    assert read(text).site.queues["short"].nodes is None
    assert "not found: queues.short: nodes: no node of it takes jobs just now" in text


def test_without_a_queue_that_takes_jobs_there_is_no_draft() -> None:
    with pytest.raises(BatchSystemError, match="slurm answers, and has no queue that takes jobs: it has no queues"):
        draft(small(), LOGIN, TODAY)
    closed = {"old": "State=DOWN", "staff": "RootOnly=YES"}
    with pytest.raises(BatchSystemError) as told:
        draft(small(queue("a b"), closed=closed), LOGIN, TODAY)
    (problem,) = told.value.problems
    for words in ("old (State=DOWN)", "staff (RootOnly=YES)", "'a b' (no site profile"):
        assert words in problem.message
    assert "`ask queues` told that" in problem.hint


def test_of_two_queues_with_one_name_the_first_counts(read: Read) -> None:
    text = draft(small(queue(nodes=2), queue(nodes=1)), LOGIN, TODAY)
    assert read(text).site.queues["short"].nodes == 2
    assert "a second one" in text


def test_whole_nodes_and_gpus_are_written_where_there_are_some(read: Read) -> None:
    site = read(draft(small(queue("a", exclusive=True, gpus=4), queue("b", exclusive=False, gpus=0)), LOGIN, TODAY))
    assert site.document.data["queues"]["a"]["exclusive"] is True
    assert site.document.data["queues"]["a"]["gpus"] == 4
    assert {"gpus", "exclusive"}.isdisjoint(site.document.data["queues"]["b"])


def test_nodes_of_which_some_have_gpus_are_told(read: Read) -> None:
    nodes = (Node("a", 8, gpus=0), Node("b", 8, gpus=2), Node("c", 8, out="DOWN", gpus=4))
    assert "GPUs from 0 to 2; not on every node" in draft(small(LiveQueue("mixed", nodes)), LOGIN, TODAY)


def test_the_sizes_are_those_of_nodes_that_take_jobs(read: Read) -> None:
    nodes = (Node("a", 48, 2**31), Node("b", 96, 2**30, "DOWN"), Node("c", 24, 2**29, "DRAIN"))
    found = read(draft(small(LiveQueue("q", nodes)), LOGIN, TODAY)).site.queues["q"]
    assert (found.nodes, found.cores, found.memory) == (1, 48, 2**31)
    none_ready = tuple(replace(node, out="DOWN") for node in nodes)
    found = read(draft(small(LiveQueue("q", none_ready)), LOGIN, TODAY)).site.queues["q"]
    assert (found.nodes, found.cores, found.memory) == (None, 24, 2**29)


@pytest.mark.parametrize(
    ("what", "begins"),
    [
        ("queue", "defaults: {queue: short}"),
        ("interface", "network: {interface: ib1}"),
        ("scratch", "  local: /local"),
        ("container", "containers: apptainer"),
    ],
)
def test_what_was_chosen_among_several_is_a_guess(what: str, begins: str) -> None:
    interfaces = (Interface("ib0", "10.0.0.1", 1000), Interface("ib1", "10.0.0.2", 100000))
    scratch = (Scratch("/local", "disk", "xfs"), Scratch("/tmp", "disk", "ext4"))
    both = {"apptainer": "/usr/bin/apptainer", "singularity": "/usr/bin/singularity"}
    host = Host("c1", interfaces, scratch, both)  # a compute node: nothing is a guess for another reason
    found = small(queue(), queue("long"), default_queue="short", default_reason="a guess: the first")
    (chosen,) = (text for text in draft(found, host, TODAY).splitlines() if text.startswith(begins))
    assert "a guess: " in chosen


def test_what_is_missing_is_data_too() -> None:
    made = drafting.draft(small(queue("plain"), queue("a b"), missing={"memory.unit": "why: not"}), LOGIN, TODAY)
    assert made.not_found == tuple(
        text.partition("not found: ")[2]
        for text in made.text.splitlines()
        if "# not found: " in text or "; not found: " in text
    )
    assert "memory.unit: why: not" in made.not_found
    assert any(each.startswith("queues: 'a b'") for each in made.not_found)


def test_words_of_the_machine_are_not_taken_for_missing_keys() -> None:
    made = drafting.draft(small(queue(remarks=("not found: everything",))), LOGIN, TODAY)
    assert not any("everything" in each for each in made.not_found)


def test_what_is_missing_is_whole_where_its_comment_is_cut() -> None:
    made = drafting.draft(small(queue(), missing={"memory.unit": "word " * 99}), LOGIN, TODAY)
    assert f"memory.unit: {'word ' * 99}" in made.not_found
    assert max(map(len, made.text.splitlines())) < 250


def test_no_arrays(read: Read) -> None:
    site = read(draft(small(queue(), array=0), LOGIN, TODAY)).site
    assert site.arrays is False and site.layouts == ["single-job", "job-array", "mpi"]


def test_without_arrays_workers_come_as_plain_jobs(prepared: Callable[..., Prepared], tmp_path: Path) -> None:
    (tmp_path / "draft.yaml").write_text(draft(small(queue(), array=0), LOGIN, TODAY), encoding="utf-8")
    plan = prepared(LEAST, "layout=job-array", "walltime=10m", "workers.per_node=1", site="./draft.yaml").plan
    assert [(job.name, job.array) for job in plan.jobs] == [("scheduler", None), ("workers", None), ("workers-2", None)]


def test_what_is_not_known_is_not_told_to_be_none() -> None:
    made = drafting.draft(small(queue(walltime=None, unknown=("walltime",)), mpi=()), LOGIN, TODAY)
    assert "there is no longest one" not in made.text
    assert "queues.short: walltime: the batch system does not tell the longest one" in made.not_found
    assert "defaults.queue: ask queues marks no queue as the default" in made.not_found
    assert "launchers.mpi: nobody says which ones go with slurm" in made.not_found
    assert "# walltime: there is no longest one" in draft(small(queue(walltime=None)), LOGIN, TODAY)


@pytest.mark.parametrize("word", HOSTILE)
def test_nothing_that_a_machine_says_leaves_its_place(read: Read, word: str) -> None:
    live = replace(queue(word, out=word), remarks=(word,))
    found: Any = small(queue("plain"), live, cluster=word, default_queue=word, missing={word: word, "memory.x": word})
    found = replace(found, version=word, commands={"queues": word, "config": word}, mpi=((word, word),))
    host = replace(LOGIN, name=word, programs={"apptainer": word}, modules=(word,), has_modules=True)
    site = read(draft(found, host, TODAY)).site
    assert set(site.queues) <= {"plain", word}
    assert site.rejects == [] and site.status == "active"
    assert site.queues["plain"].nodes == 3


def test_a_name_that_is_no_queue_name_is_told(read: Read) -> None:
    text = draft(small(queue("plain"), queue("a b")), LOGIN, TODAY)
    assert list(read(text).site.queues) == ["plain"]
    assert "# not found: queues: 'a b'" in text


def test_a_machine_is_unchanged_by_its_draft() -> None:
    found: Machine = small(queue())
    assert draft(found, LOGIN, TODAY) == draft(found, LOGIN, TODAY)
