"""How the workers of one job are spread over its nodes, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hpc_launch.explain.sentences import core_hours
from hpc_launch.models.profile import Profile
from hpc_launch.plan.workers import Beside, planned_per_node
from hpc_launch.prepare import Prepared
from hpc_launch.resolve import Resolved

Prepare = Callable[..., Prepared]
HUNDRED = "walltime: 8h\nworkers: {count: 100, memory: 4 GB}\nworkload: {command: x}\n"
SYSTEMS = ["testcluster", "pbscluster", "lsfcluster"]


def nodes(made: Prepared) -> tuple[int, int, int]:
    group = made.plan.groups["workers"]
    return group.nodes, group.per_node, group.on_last_node


def test_a_hundred_workers_on_two_nodes_are_fifty_and_fifty_and_cost_so_much(prepared: Prepare) -> None:
    made = prepared(HUNDRED, site="ceres")
    assert nodes(made) == (2, 50, 50)
    assert core_hours(made.plan) == 800
    assert "spread evenly" in made.planned.reasons["workers", "per_node"].why


def test_packed_fills_node_after_node(prepared: Prepare) -> None:
    made = prepared(HUNDRED, "workers.spread=packed", site="ceres")
    assert nodes(made) == (2, 96, 4)
    assert core_hours(made.plan) == 1536
    assert "as many as fit" in made.planned.reasons["workers", "per_node"].why


@pytest.mark.parametrize("spread", ["even", "packed"])
def test_where_it_is_said_how_many_are_on_a_node_these_are(prepared: Prepare, spread: str) -> None:
    assert nodes(prepared(HUNDRED, "workers.per_node=60", f"workers.spread={spread}", site="ceres")) == (2, 60, 40)


@pytest.mark.parametrize("site", SYSTEMS)
@pytest.mark.parametrize("layout", ["single-job", "mpi"])
def test_every_batch_system_is_asked_for_the_same_of_each_node(prepared: Prepare, site: str, layout: str) -> None:
    made = prepared(HUNDRED, f"layout={layout}", "workers.count=10", "walltime=1h", "workers.memory=1 GB", site=site)
    assert nodes(made) == (2, 5, 5)
    script = made.rendered.files["job.sh"]
    asked = {
        "testcluster": "--cpus-per-task=5\n",
        "pbscluster": f"-l select=2:ncpus=5:mpiprocs={5 if layout == 'mpi' else 1}:",
        "lsfcluster": "-n 10\n",
    }
    assert asked[site] in script
    if site == "lsfcluster":
        assert "span[ptile=5]" in script
    if layout == "single-job":
        assert "workers=5\n" in made.rendered.files["node.sh"]


@pytest.mark.parametrize(("count", "found"), [(7, (1, 7, 7)), (9, (2, 5, 4)), (17, (3, 6, 5)), (20, (3, 7, 6))])
def test_what_cannot_be_divided_leaves_the_last_node_with_fewer(
    prepared: Prepare, count: int, found: tuple[int, int, int]
) -> None:
    made = prepared(HUNDRED, f"workers.count={count}", "walltime=1h", "workers.memory=1 GB")
    assert nodes(made) == found


RESOLVED: dict[str, Resolved] = {}


def with_workers(profile: Profile, **keys: object) -> Profile:
    return profile.model_copy(update={"workers": profile.workers.model_copy(update=keys)})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 5000), most=st.integers(1, 300))
def test_never_more_nodes_than_packed_and_never_more_on_a_node(prepared: Prepare, count: int, most: int) -> None:
    """Whatever fits on a node, of a profile that was resolved once."""
    beside = Beside((), several_nodes=True)
    resolved = RESOLVED.get("once") or RESOLVED.setdefault("once", prepared(HUNDRED, site="ceres").resolved)
    profiles = (with_workers(resolved.profile, count=count, spread=each) for each in ("even", "packed"))
    even, packed = (planned_per_node(replace(resolved, profile=each), most, beside) for each in profiles)
    assume(even != packed)
    fewest = -(-count // packed)
    assert even < packed and -(-count // even) == fewest
    assert -(-count // (even - 1)) > fewest  # nor could they be asked for less


@pytest.mark.parametrize("spread", ["even", "packed"])
def test_worker_jobs_are_alike_and_a_note_says_that_it_has_no_meaning_there(prepared: Prepare, spread: str) -> None:
    made = prepared(HUNDRED, "layout=job-array", f"workers.spread={spread}", site="ceres")
    assert nodes(made) == (2, 96, 4)
    assert any("workers.spread is not used: in job-array" in note for note in made.planned.notes)
    silent = prepared(HUNDRED, "layout=job-array", site="ceres")
    assert not any("spread" in note for note in silent.planned.notes)


def test_how_a_parallel_environment_divides_slots_is_its_own(prepared: Prepare) -> None:
    """One that fills host after host gives 8 + 2 of 10: whole hosts are asked for, as with `packed`."""
    made = prepared(HUNDRED, "workers.count=10", "walltime=1h", "workers.memory=1 GB", site="gridcluster")
    assert nodes(made) == (2, 8, 2)
    assert "-pe mpi 16\n" in made.rendered.files["job.sh"]


def test_fixed_slots_of_each_host_are_not_asked_for_in_part(prepared: Prepare, tmp_path: Path) -> None:
    site = (Path(__file__).parent / "site" / "gridcluster.yaml").read_text()
    fixed = "nodes: {name: mpi, slots: 8}"
    (tmp_path / "fixed.yaml").write_text(site.replace("name: gridcluster", "name: fixed").replace("nodes: mpi", fixed))
    text = HUNDRED.replace("8h", "1h").replace("4 GB", "1 GB")
    made = prepared(text, "workers.count=10", site="./fixed.yaml")
    assert nodes(made) == (2, 5, 5)
    assert "-pe mpi 16\n" in made.rendered.files["job.sh"]
