"""`workers: none`: a run that is a plain job, on every batch system, and what cannot be so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import DoesNotFit, HpcLaunchError, InvalidConfiguration
from hpc_launch.explain.sentences import described
from hpc_launch.prepare import Prepared
from tests.conftest import SITES
from tests.rendering import GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]

NONE = """
name: mintpy
walltime: 01:00:00
workers: none
environment: {modules: [mintpy]}
workload: {command: smallbaselineApp.py template.txt --num-worker 4, cores: 4, memory: 6 GiB}
"""
SYSTEMS = ["testcluster", "pbscluster", "lsfcluster", "gridcluster"]


@pytest.mark.parametrize("site", SYSTEMS)
def test_the_scripts_are_those_of_a_plain_job(prepared: Prepare, tmp_path: Path, site: str) -> None:
    made = prepared(NONE, site=site)
    for name in ("job.sh", "environment.sh", "workload.sh"):
        rendered = made.rendered.files[name].replace(str(tmp_path), "/home/user/mintpy")
        assert rendered == (GOLDEN / "without-workers" / site / name).read_text(encoding="utf-8"), f"{site}/{name}"
        assert not re.search("dask|scheduler|worker(?!s/)", rendered.replace("--num-worker 4", ""), re.IGNORECASE)
    assert not {"node.sh", "scheduler.sh", "workers.sh"} & made.rendered.files.keys()
    jobside = {name for name in made.rendered.files if name.startswith("jobside/")}
    assert jobside == {f"jobside/{name}.sh" for name in ("attempt", "watch", "modules", "python")}
    assert shellcheck(write(made, tmp_path / "run"), "job.sh", "environment.sh", "workload.sh") == ""


@pytest.mark.parametrize("site", [*SYSTEMS, "local"])
@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_it_asks_for_the_workload_alone_in_both_layouts(prepared: Prepare, site: str, layout: str) -> None:
    made = prepared(NONE, f"layout={layout}", "workload.cores=2", "workload.memory=1GiB", site=site)
    [job] = made.plan.jobs
    asked = (job.file, job.nodes, job.cores_per_node, job.memory_bytes_per_node, job.role, job.group)
    assert asked == ("job.sh", 1, 2, 2**30, "all", None)
    assert (made.plan.groups, made.plan.minimum, made.plan.workers_wanted) == ({}, 0, 0)


def test_it_says_what_it_costs(prepared: Prepare) -> None:
    made = prepared(NONE)
    assert described(made.resolved, made.plan)[:5] == [
        "job.sh: queue short of testcluster, 1 node with workload",
        "cores per node: 4 for the workload = 4",
        "memory per node: 6 GiB for the workload = 6 GiB",
        "walltime: 01:00:00",
        "asked for in all: 4.0 core-hours",
    ]


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["workload.cores=0"], "workload.cores: with `workers: none` the workload's cores are all"),
        (["layout=mpi"], "layout: the ranks of mpi are workers"),
        (["workload=none"], "workers: `workload: none` asks for a standing cluster"),
        (["services.jupyter=true"], "services.jupyter: JupyterLab runs beside a Dask scheduler"),
    ],
)
def test_what_needs_workers_is_refused(prepared: Prepare, assignments: list[str], said: str) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(NONE, *assignments)
    assert said in str(refusal.value)


def test_what_is_of_a_cluster_is_noted_and_left_out(prepared: Prepare) -> None:
    said = "layout: job-array\nscheduler: {cores: 3, dashboard: node}\nsecurity: none\n"
    made = prepared(NONE + said)
    words = [re.sub(" is not used.*", "", note) for note in made.planned.notes if "no Dask cluster" in note]
    assert words == ["profile.yaml:7: layout", "profile.yaml:8: scheduler", "profile.yaml:9: security"]
    assert made.plan.jobs[0].cores_per_node == 4


def test_layers_replace_each_other(prepared: Prepare, tmp_path: Path) -> None:
    of_site = "defaults: {workers: {memory: 1 GB, gpus: 1}, "
    site = (SITES / "testcluster.yaml").read_text().replace("defaults: {", of_site)
    (tmp_path / "site.yaml").write_text(site)
    made = prepared(NONE, site="./site.yaml")
    assert not made.plan.has_workers and "workers: none  # profile.yaml:4" in made.rendered.files["resolved.yaml"]
    user = tmp_path / "home" / ".config" / "hpc-launch" / "config.yaml"
    user.parent.mkdir(parents=True)
    user.write_text("workers: none\n")
    with_some = prepared(NONE.replace("workers: none", "workers: {count: 3, memory: 1 GiB}"))
    assert with_some.plan.workers_wanted == 3
    without = prepared(NONE.replace("workers: none", "workers: {count: 3, memory: 1 GiB}"), "workers=none")
    assert not without.plan.has_workers


def test_a_key_of_workers_that_a_site_requires_is_not_asked_for(prepared: Prepare, tmp_path: Path) -> None:
    site = (SITES / "testcluster.yaml").read_text() + "policy: {required: [workers.memory]}\n"
    (tmp_path / "site.yaml").write_text(site)
    assert prepared(NONE, site="./site.yaml").plan.jobs


@pytest.mark.parametrize(
    ("site", "directive", "key"),
    [
        ("testcluster", "--cpus-per-task=3", "workload.cores"),
        ("testcluster", "--mem=3G", "workload.memory"),
        ("pbscluster", "-l mem=3gb", "workload.memory"),
        ("gridcluster", "-l mem_free=3G", "workload.memory"),
        ("testcluster", "--nodes=2", ""),
        ("lsfcluster", "-n 3", ""),
    ],
)
def test_a_directive_that_is_said_already_names_a_key_that_there_is(
    prepared: Prepare, site: str, directive: str, key: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(NONE, f"directives=['{directive}']", site=site)
    assert "workers." not in str(refusal.value) and (not key or f"set {key} for it" in str(refusal.value))


def test_directives_of_its_queue_are_looked_at(prepared: Prepare, tmp_path: Path) -> None:
    site = (SITES / "testcluster.yaml").read_text().replace("short: {", "short: {directives: [--mem=5G], ")
    (tmp_path / "site.yaml").write_text(site)
    with pytest.raises(InvalidConfiguration, match="--mem is already said"):
        prepared(NONE, site="./site.yaml")


def test_a_refusal_says_what_would_fit(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        prepared(NONE, "workload.cores=4000", "workload.memory=1GiB")
    assert "--set workload.cores=" in str(refusal.value) and "scheduler" not in str(refusal.value)


def test_another_word_than_none_is_refused(prepared: Prepare) -> None:
    with pytest.raises(HpcLaunchError, match="expected a mapping or 'none', got 'nane'") as refusal:
        prepared(NONE, "workers=nane")
    assert "did you mean none?" in str(refusal.value)


def test_the_resolved_profile_is_one_again(prepared: Prepare) -> None:
    first = prepared(NONE)
    again = prepared(first.rendered.files["resolved.yaml"])
    assert again.rendered.files["job.sh"] == first.rendered.files["job.sh"]
    assert json.loads(first.rendered.files["plan.json"])["groups"] == {}
