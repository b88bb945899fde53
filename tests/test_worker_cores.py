"""Cores of a worker apart from its threads: what the batch system is asked for, and what each task may use."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.client.amounts import fixed
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.jobside import workers
from hpc_launch.models.stored_plan import read_plan, stored
from hpc_launch.models.worker_group import THREAD_VARIABLES
from hpc_launch.prepare import Prepared
from hpc_launch.runs.scale import Group
from tests.rendering import shellcheck, write

Prepare = Callable[..., Prepared]
TEXT = """
layout: single-job
workers: {count: 4, cores: 4, threads: 2, memory: 1 GB}
workload: {command: [python, work.py]}
"""
ON_TWO_NODES = {
    "testcluster": "--cpus-per-task=8\n",
    "pbscluster": "-l select=2:ncpus=8:mpiprocs=",
    "lsfcluster": "-n 16\n",
    "gridcluster": "-pe mpi 16\n",
}
ON_ONE_NODE = {
    "testcluster": "--cpus-per-task=8\n",
    "pbscluster": "-l select=1:ncpus=8:mpiprocs=1",
    "lsfcluster": "-n 8\n",
    "gridcluster": "-pe smp 8\n",
}


def test_the_job_side_which_cannot_ask_us_knows_the_same_variables() -> None:
    assert workers.THREADS == THREAD_VARIABLES


@pytest.mark.parametrize("site", ON_TWO_NODES)
@pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])
def test_the_batch_system_is_asked_for_them(prepared: Prepare, site: str, layout: str) -> None:
    made = prepared(TEXT, f"layout={layout}", site=site)
    script = made.rendered.files["workers.sh" if layout == "job-array" else "job.sh"]
    assert (ON_ONE_NODE if layout == "job-array" else ON_TWO_NODES)[site] in script
    assert "--nthreads 2 " in made.rendered.files["node.sh"]
    if layout == "mpi" and site == "testcluster":
        assert "--ntasks-per-node=2 --cpus-per-task=4 " in script


def test_memory_that_was_left_out_is_their_share_of_a_node(prepared: Prepare) -> None:
    text = TEXT.replace(", memory: 1 GB", "")
    with_cores, with_threads = prepared(text), prepared(text, "workers.cores=null", "workers.threads=4")
    assert with_cores.plan.groups["workers"].memory_bytes == with_threads.plan.groups["workers"].memory_bytes


def test_fewer_than_threads_are_refused_where_they_stand(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(TEXT, "workers.threads=8")
    assert "profile.yaml:3: workers.cores: 4 for 8 threads" in str(refused.value)
    assert "--set workers.cores=8" in str(refused.value)


def test_of_a_group_too(prepared: Prepare) -> None:
    groups = "{one: {count: 1, cores: 8}, two: {count: 1, threads: 3}}"
    text = f"layout: job-array\nworkers: {{memory: 1 GB, cores: 2, groups: {groups}}}\nworkload: {{command: x}}\n"
    with pytest.raises(InvalidConfiguration, match=r"workers\.groups\.two\.cores: 2 for 3 threads") as refused:
        prepared(text)
    assert "--set workers.groups.two.cores=3" in str(refused.value)
    plan = prepared(text, "workers.groups.two.cores=3").plan
    assert {job.group: job.cores_per_node for job in plan.jobs} == {None: 1, "one": 8, "two": 3}


@pytest.mark.parametrize("site", ["testcluster", "pbscluster", "lsfcluster", "gridcluster", "local"])
def test_what_a_node_does_not_have_is_refused_with_the_largest_number_that_it_has(prepared: Prepare, site: str) -> None:
    most = 4 if site == "local" else 8
    with pytest.raises(DoesNotFit) as refused:
        prepared(TEXT, "workers.cores=9", "workers.count=1", site=site)
    assert f"has {most} (1 worker × 9 cores" in str(refused.value)
    assert f"smallest change: --set workers.cores={most}" in str(refused.value)


def test_no_change_is_told_that_leaves_a_thread_without_a_core(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared(TEXT, "workers.cores=12", "workers.threads=10", "workers.count=1")
    assert not re.search(r"workers.cores=\d(?!\d)", str(refused.value))


@pytest.mark.parametrize(("site", "by_itself"), [("testcluster", ""), ("pbscluster", "OMP_NUM_THREADS=8")])
@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ("{}", "4 4 4"),
        ("{variables: {OMP_NUM_THREADS: 1}}", "1 4 4"),
        ("{setup: export MKL_NUM_THREADS=2}", "4 2 4"),
    ],
)
def test_each_task_has_its_part_of_them_unless_the_environment_says_otherwise(
    prepared: Prepare, tmp_path: Path, site: str, by_itself: str, environment: str, told: str
) -> None:
    """The shell's own lines, with what the batch system has set; before any Python starts."""
    made = prepared(f"{TEXT}environment: {environment}\n", "workers.cores=8", "workers.count=1", site=site)
    script = made.rendered.files["node.sh"]
    start, threads = script.index("unset OMP_NUM_THREADS"), re.search(r"^export OMP_NUM_THREADS=.*$", script, re.M)
    assert threads and start < script.index("fit.sh", start) < threads.start() < script.index("/jobside workers")
    (tmp_path / "environment.sh").write_text(made.rendered.files["environment.sh"])
    lines = [script[start : script.index("\n", start)], '. "$HPC_LAUNCH_RUN_DIR/environment.sh"', threads[0]]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    lines.append(f"bash -c 'echo {' '.join(f'${name}' for name in names)}'")
    words = ["env", "-i", f"HPC_LAUNCH_RUN_DIR={tmp_path}", *by_itself.split(), "PATH=/usr/bin:/bin", "bash", "-c"]
    done = subprocess.run([*words, "\n".join(lines)], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split("\n")[-2] == told, done


def test_without_the_key_each_task_has_one(prepared: Prepare) -> None:
    """As nannies say it anyway."""
    assert 'OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"' in prepared(TEXT, "workers.cores=null").rendered.files["node.sh"]


def test_what_pbs_sets_for_a_whole_job_does_not_reach_workers(prepared: Prepare, tmp_path: Path) -> None:
    """Without chunks there is no `ompthreads`."""
    site = (Path(__file__).parent / "site" / "pbscluster.yaml").read_text()
    (tmp_path / "old.yaml").write_text(site.replace("name: pbscluster", "name: old\nrequest: totals"))
    assert (
        "\nunset OMP_NUM_THREADS" in prepared(TEXT, "workers.cores=null", site="./old.yaml").rendered.files["node.sh"]
    )


def test_the_script_is_clean(prepared: Prepare, tmp_path: Path) -> None:
    assert shellcheck(write(prepared(TEXT), tmp_path / "run"), "node.sh") == ""


def test_explain_says_what_they_are_when_left_out(prepared: Prepare) -> None:
    reasons = prepared(TEXT, "workers.cores=null").planned.reasons
    assert (reasons["workers", "cores"].value, reasons["workers", "cores"].why) == (2, "computed: one for each thread")


def test_a_plan_of_an_earlier_version_has_as_many_as_threads(prepared: Prepare) -> None:
    plan = prepared(TEXT, "workers.cores=null").plan
    data = json.loads(stored(plan))
    del data["groups"]["workers"]["cores"]
    old = read_plan(json.dumps(data))
    assert old == plan
    group = replace(old.groups["workers"], threads=3)
    assert group.cores_of_each == 3


def test_a_cluster_is_scaled_by_the_cores_that_are_asked_for() -> None:
    group = Group("workers", per_node=2, cores=8, memory_bytes=10**9, kept_by_job=True)
    assert fixed(group, None, None, 24, None).workers == 3
