"""A plan is a value: nothing of it can be appended to, and it is stored with the run and read back equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.context import Context
from hpc_launch.models.plan import Plan
from hpc_launch.models.stored_plan import read_plan, stored
from hpc_launch.prepare import Prepared
from hpc_launch.runs.submit import submit
from tests.built_in_sites import BUILT_IN, REQUEST, allowed, asked, site_of
from tests.conftest import TORQUE
from tests.rendering import EXAMPLE, FULL, GOLDEN

Prepare = Callable[..., Prepared]
SYSTEMS = ("testcluster", "pbscluster", "lsfcluster", "gridcluster")
LEAST = "workers: {count: 3, per_node: 2, memory: 1 GiB}\nworkload: {command: x}\n"


def golden_runs() -> list[tuple[str, str, tuple[str, ...]]]:
    """Profile, site and assignments of each run whose scripts are golden."""
    runs: list[tuple[str, str, tuple[str, ...]]] = [(EXAMPLE, "local", ()), (FULL, "ceres", ())]
    runs += [(EXAMPLE, site, ("workers.count=24",)) for site in (*SYSTEMS, "ceres")]
    runs += [(EXAMPLE, site, ("layout=job-array", "workers.count=22")) for site in SYSTEMS]
    return runs + [(EXAMPLE, site, ("layout=mpi", "workers.count=20")) for site in SYSTEMS]


def read_back(made: Prepared) -> Plan:
    return read_plan(made.rendered.files["plan.json"])


@pytest.mark.parametrize(("text", "site", "assignments"), golden_runs())
def test_the_plan_of_a_golden_run_is_read_back_equal(
    prepared: Prepare, text: str, site: str, assignments: tuple[str, ...]
) -> None:
    made = prepared(text, *assignments, site=site)
    assert read_back(made) == made.plan


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_plan_of_a_golden_header_is_read_back_equal(
    prepared: Prepare, context: Context, tmp_path: Path, name: str
) -> None:
    site = site_of(name, context)
    made = prepared(REQUEST, *asked(site), site=allowed(site, tmp_path))
    assert read_back(made) == made.plan


@pytest.mark.parametrize("assignments", [(), ("layout=job-array",)])
def test_the_plan_for_a_plug_in_is_read_back_equal(
    torque: None, prepared: Prepare, assignments: tuple[str, ...]
) -> None:
    made = prepared(EXAMPLE, "workers.count=22", *assignments, site=str(TORQUE / "torquecluster.yaml"))
    assert read_back(made) == made.plan


def test_hostile_words_and_small_numbers_are_read_back_equal(prepared: Prepare) -> None:
    command = "workload.command=[a, 'b\"c{é}']"
    made = prepared(FULL, "workers.resources.fast=0.0000001", command, site="ceres")
    assert read_back(made) == made.plan
    assert stored(read_back(made)) == made.rendered.files["plan.json"]


def test_the_stored_plan_is_the_golden_one(prepared: Prepare, tmp_path: Path) -> None:
    made = prepared(EXAMPLE, "layout=job-array", "workers.count=22", site="testcluster")
    shown = made.rendered.files["plan.json"].replace(str(tmp_path), "/home/user/monte-carlo-pi")
    assert shown == (GOLDEN / "job-array" / "testcluster" / "plan.json").read_text(encoding="utf-8")


def test_another_schema_is_no_plan_of_ours(prepared: Prepare) -> None:
    text = prepared(LEAST).rendered.files["plan.json"]
    for other in ("2", "null"):
        with pytest.raises(ValueError, match="no plan of schema 1"):
            read_plan(text.replace('"schema": 1', f'"schema": {other}'))
    with pytest.raises(ValueError):
        read_plan("[]")


def within(value: Any) -> list[Any]:
    """A value, and all that is in it."""
    inner: list[Any] = []
    if is_dataclass(value):
        inner = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, tuple | list | set):
        inner = list(value)
    return [value, *(deeper for each in inner for deeper in within(each))]


@pytest.mark.parametrize(("text", "site", "assignments"), golden_runs()[:2] + golden_runs()[7:8])
def test_nothing_of_what_planning_gives_can_be_appended_to(
    prepared: Prepare, text: str, site: str, assignments: tuple[str, ...]
) -> None:
    everything = within(prepared(text, *assignments, site=site).planned)
    assert not [value for value in everything if isinstance(value, list | set)]
    dataclasses = [value for value in everything if is_dataclass(value)]
    for value in dataclasses:
        with pytest.raises(FrozenInstanceError):
            setattr(value, fields(value)[0].name, None)
    assert {"Planned", "Plan", "Job", "Share", "WorkerGroup"} <= {type(value).__name__ for value in dataclasses}


@pytest.mark.parametrize(
    ("layout", "roles"),
    [
        ("single-job", [("job", "all", "workers")]),
        ("mpi", [("job", "all", "workers")]),
        ("job-array", [("scheduler", "scheduler", None), ("workers", "workers", "workers")]),
    ],
)
def test_each_job_says_what_it_is_for(prepared: Prepare, layout: str, roles: list[tuple[str, str, str | None]]) -> None:
    plan = prepared(LEAST, f"layout={layout}").plan
    assert [(job.name, job.role, job.group) for job in plan.jobs] == roles
    assert list(plan.groups) == ["workers"] and plan.workers_wanted == 3
    assert plan.main is plan.jobs[0]


def test_what_a_node_holds_adds_up_to_what_it_is_asked_for(prepared: Prepare) -> None:
    for layout in ("single-job", "mpi", "job-array"):
        for job in prepared(LEAST, f"layout={layout}", "workload.cores=2").plan.jobs:
            assert sum(share.number * share.cores for share in job.holds) == job.cores_per_node
            assert sum(share.number * share.memory_bytes for share in job.holds) <= 0.95 * job.memory_bytes_per_node
            assert {share.of for share in job.holds} == {
                "all": {"workers", "scheduler", "workload"},
                "scheduler": {"scheduler", "workload"},
                "workers": {"workers"},
            }[job.role]


def test_the_run_directory_holds_the_plan_of_its_run(prepared: Prepare, context: Context) -> None:
    made = prepared(LEAST, "workers.count=1", "workers.memory=100 MB", site="local")
    directory, record = submit(made.rendered, context)
    assert read_plan((directory / "plan.json").read_text(encoding="utf-8")) == made.plan
    written = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert [(job["role"], job["group"]) for job in written["jobs"]] == [("all", "workers")]
    assert record.main.role == "all"


def test_reasons_are_of_what_the_profile_leaves_open_alone(prepared: Prepare) -> None:
    open_ = prepared("workers: {count: 3}\nworkload: {command: x}\n").planned.reasons
    given = prepared("workers: {count: 3, memory: 1 GiB, per_node: 2, minimum: 1}\nworkload: {command: x}\n")
    keys = {("workers", "memory"), ("workers", "per_node"), ("workers", "minimum")}
    assert keys <= set(open_) and not keys & set(given.planned.reasons)
    assert open_["workers", "per_node"].value == 3 and "cores and memory" in open_["workers", "per_node"].why


def test_a_queue_is_told_with_why_it_was_taken(prepared: Prepare) -> None:
    auto = prepared("queue: auto\n" + LEAST, "walltime=2h").planned
    assert (auto.reasons["queue",].value, auto.reasons["queue",].why) == ("long", "the first that fits")
    assert auto.plan.main.queue == "long"
