"""`adapt.maximum` beyond what a site ever lets be there at one time is noted, with what can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.prepare import Prepared

Prepare = Callable[..., Prepared]

SITE = "name: machine\nbatch_system: {system}\nqueues: {{main: {{cores: 8, walltime: 2h, memory: 64 GB{queue}}}}}\n"
PROFILE = """
layout: job-array
walltime: 1h
workers: {count: 2, memory: 1 GB, threads: 2, per_node: 2, adapt: {maximum: 100}}
workload: {command: x}
"""
TOLD = re.compile(r"(.+): (workers\S*\.adapt\.maximum): (\d+) workers are never there at one time: (.*); (smallest .*)")


@pytest.fixture
def noted(tmp_path: Path, prepared: Prepare) -> Callable[..., list[tuple[str, ...]]]:
    """Place, key, number, rule and advice of each such note."""

    def notes(*assignments: str, site: str = "", queue: str = "", text: str = PROFILE) -> list[tuple[str, ...]]:
        (tmp_path / "site.yaml").write_text(SITE.format(system="slurm", queue=queue) + site)
        made = prepared(text, *assignments, site="./site.yaml")
        return [match.groups() for note in made.planned.notes if (match := TOLD.fullmatch(note))]

    return notes


LIMITS = [
    ("limits: {submitted: {jobs: 11}}", "", "a user of machine may have 11 jobs", 20),
    ("", ", max_submitted: 11", "a user may have 11 jobs in queue 'main' of machine", 20),
    ("limits: {running: {jobs: 6}}", "", "a user of machine may run 6 jobs at once", 10),
    ("limits: {running: {cores: 30}}", "", "a user of machine may use 30 cores at once", 14),
    ("limits: {running: {memory: 40 GB}}", "", "a user of machine may use 37.3 GiB of memory at once", 32),
    ("", ", max_jobs: 6", "a user may run 6 jobs at once in queue 'main' of machine", 10),
    ("", ", max_user_nodes: 6", "a user may have 6 nodes at once in queue 'main' of machine", 10),
    ("", ", max_user_cores: 30", "a user may have 30 cores at once in queue 'main' of machine", 14),
    ("", ", nodes: 4", "queue 'main' of machine has room for 8 jobs at once", 16),
    ("qos: {few: {jobs: 6}}\ndefaults: {qos: few}", "", "the QOS 'few' of machine allows 6 jobs", 10),
]


@pytest.mark.parametrize(("site", "queue", "rule", "most"), LIMITS)
def test_what_is_advised_is_the_most_that_there_can_be(
    noted: Callable[..., list[tuple[str, ...]]], site: str, queue: str, rule: str, most: int
) -> None:
    ((place, key, number, told, advice),) = noted(site=site, queue=queue)
    assert (place, key, number, told) == ("profile.yaml:4", "workers.adapt.maximum", "100", rule)
    assert advice == f"smallest change: --set workers.adapt.maximum={most}"
    assert noted(f"workers.adapt.maximum={most}", site=site, queue=queue) == []
    assert len(noted(f"workers.adapt.maximum={most + 1}", site=site, queue=queue)) == 1


def test_nothing_is_said_where_there_is_no_limit_or_where_at_once_keeps_to_it(
    noted: Callable[..., list[tuple[str, ...]]],
) -> None:
    assert noted() == []
    assert noted("workers.at_once=10", site="limits: {submitted: {jobs: 11}}") == []


@pytest.mark.parametrize(("site", "queue", "rule", "most"), LIMITS)
def test_a_run_keeps_the_same_number_for_who_scales_it_later(
    tmp_path: Path, prepared: Prepare, site: str, queue: str, rule: str, most: int
) -> None:
    (tmp_path / "site.yaml").write_text(SITE.format(system="slurm", queue=queue) + site)
    assert prepared(PROFILE, site="./site.yaml").rendered.ceilings == {"workers": (most, rule)}


def test_of_a_group_the_number_holds_whatever_becomes_of_the_others(tmp_path: Path, prepared: Prepare) -> None:
    (tmp_path / "site.yaml").write_text(SITE.format(system="slurm", queue="") + "limits: {submitted: {jobs: 11}}")
    text = PROFILE.replace("count: 2, ", "groups: {a: {count: 4}, b: {count: 2}}, ").replace(
        ", adapt: {maximum: 100}", ""
    )
    ceilings = prepared(text, site="./site.yaml").rendered.ceilings
    assert {name: ceiling.workers for name, ceiling in ceilings.items()} == {"a": 20, "b": 20}


def test_of_groups_it_is_told_which_one(noted: Callable[..., list[tuple[str, ...]]]) -> None:
    groups = "groups: {a: {count: 4}, b: {count: 0, adapt: {maximum: 50}}}"
    text = PROFILE.replace("count: 2, ", f"{groups}, ").replace(", adapt: {maximum: 100}", "")
    ((_, key, _, _, advice),) = noted(text=text, site="limits: {submitted: {jobs: 11}}")
    assert key == "workers.groups.b.adapt.maximum" and advice.endswith("--set workers.groups.b.adapt.maximum=16")
    assert noted(f"{key}=16", text=text, site="limits: {submitted: {jobs: 11}}") == []
