"""Standing clusters and runs that begin without workers: what is planned, rendered, said and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.cli import main
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.explain.sentences import described, submitted
from hpc_launch.prepare import Prepared
from hpc_launch.runs.submit import submit
from tests.rendering import GOLDEN, shellcheck, write
from tests.runs.jobs import IDS, batch_commands

Prepare = Callable[..., Prepared]
STANDS = "name: stand\nworkers: {count: 20, memory: 500 MB}\nworkload: none\n"
ARRAY = "layout=job-array"
NONE = "layout: job-array\nworkers: {count: 0, memory: 500 MB, per_node: 4}\nworkload: {command: [python, work.py]}\n"
LAYOUTS = pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])


@LAYOUTS
def test_its_script_is_rendered_as_in_the_golden_file(prepared: Prepare, layout: str) -> None:
    (golden,) = (GOLDEN / "standing" / layout).iterdir()
    files = prepared(STANDS, f"layout={layout}").rendered.files
    assert files[golden.name] == golden.read_text(encoding="utf-8")
    assert "workload.sh" not in files and {"jobside/standing.sh", "jobside/idle.py"} <= files.keys()


@LAYOUTS
def test_its_scripts_are_clean(prepared: Prepare, tmp_path: Path, layout: str) -> None:
    made = prepared(STANDS, f"layout={layout}")
    scripts = [name for name in ("job.sh", "scheduler.sh", "workers.sh", "node.sh") if name in made.rendered.files]
    assert shellcheck(write(made, tmp_path / "run"), *scripts) == ""


def test_without_workers_the_script_for_them_is_the_same(prepared: Prepare, tmp_path: Path) -> None:
    made, some = prepared(NONE), prepared(NONE, "workers.count=8")
    assert made.rendered.files["workers.sh"] == some.rendered.files["workers.sh"]
    assert [job["file"] for job in made.submissions()] == ["scheduler.sh"]
    assert shellcheck(write(made, tmp_path / "run"), "scheduler.sh", "workers.sh", "node.sh", "workload.sh") == ""


@pytest.mark.parametrize(
    ("changes", "minimum"),
    [((), 20), ((ARRAY,), 0), ((ARRAY, "workers.count=0"), 0), ((ARRAY, "workers.minimum=3"), 3)],
)
def test_how_many_workers_it_waits_for(prepared: Prepare, changes: tuple[str, ...], minimum: int) -> None:
    plan = prepared(STANDS, *changes).plan
    assert (plan.minimum, plan.scheduler.idle_timeout_seconds) == (minimum, 3600)


@pytest.mark.parametrize(
    ("changes", "minimum"), [((), 0), (("workers.count=1",), 1), (("workers.count=5", "workers.minimum=0"), 0)]
)
def test_how_many_a_workload_waits_for(prepared: Prepare, changes: tuple[str, ...], minimum: int) -> None:
    plan = prepared(NONE, *changes).plan
    assert (plan.minimum, plan.scheduler.idle_timeout_seconds) == (minimum, None)


def test_groups_without_workers_are_waited_for_by_nobody(prepared: Prepare) -> None:
    groups = "workers: {memory: 500 MB, groups: {cpu: {count: 0}, fat: {count: 0, memory: 1 GB}}}"
    made = prepared(f"layout: job-array\n{groups}\nworkload: {{command: [python, work.py]}}\n")
    assert made.plan.minimum == 0 and [job.group for job in made.plan.on_demand] == ["cpu", "fat"]
    assert prepared(f"layout: job-array\n{groups}\nworkload: none\n", "workers.groups.cpu.count=3").plan.minimum == 0


def test_without_workers_as_many_come_with_a_job_as_fit(prepared: Prepare) -> None:
    (group,) = prepared(NONE, "workers.per_node=null").plan.groups.values()
    assert (group.count, group.per_node, group.nodes) == (0, 8, 0)


@pytest.mark.parametrize("layout", ["single-job", "mpi"])
@pytest.mark.parametrize("key", ["count", "minimum"])
def test_where_all_come_with_one_job_there_are_some(prepared: Prepare, layout: str, key: str) -> None:
    with pytest.raises(InvalidConfiguration, match=rf"workers.{key}: 0 is no number of workers for {layout}") as told:
        prepared(STANDS, f"layout={layout}", f"workers.{key}=0")
    assert "--set layout=job-array" in str(told.value)


def test_an_idle_time_is_for_standing_clusters_alone(prepared: Prepare) -> None:
    assert prepared(STANDS, "scheduler.idle_timeout=10m").plan.scheduler.idle_timeout_seconds == 600
    with pytest.raises(InvalidConfiguration, match=r"--set .*a run with a workload ends when that does, idle or not"):
        prepared(NONE, "scheduler.idle_timeout=10m")


def test_one_that_a_site_sets_for_them_hurts_no_other_run(prepared: Prepare, tmp_path: Path) -> None:
    usual = "defaults: {queue: short, walltime: 10m, scheduler: {idle_timeout: 5m}}"
    (tmp_path / "own.yaml").write_text(f"schema: 1\nname: own\nextends: testcluster\n{usual}\n")
    assert prepared(NONE, site="./own.yaml").plan.scheduler.idle_timeout_seconds is None
    assert prepared(STANDS, site="./own.yaml").plan.scheduler.idle_timeout_seconds == 300


def test_a_site_may_have_none_of_them(prepared: Prepare, tmp_path: Path) -> None:
    rule = "policy: {required: [workload.command]}"
    (tmp_path / "own.yaml").write_text(f"schema: 1\nname: own\nextends: testcluster\n{rule}\n")
    assert prepared(NONE, site="./own.yaml").plan.jobs
    with pytest.raises(InvalidConfiguration, match=r"workload\.command: own asks every user to set it"):
        prepared(STANDS, site="./own.yaml")


def test_a_worker_job_that_nothing_is_submitted_of_yet_has_to_fit(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match=r"16 cores per node are asked for.* has 8 \(4 workers × 4 threads\)") as told:
        prepared(NONE, "workers.threads=4")
    assert "--set workers.per_node=2" in str(told.value) and "workers.count" not in str(told.value)


@pytest.mark.parametrize(
    ("changes", "said", "hours"),
    [
        (
            ("workers.per_node=4", ARRAY),
            "21.0 core-hours in each hour that it stands: 1.0 also without workers, and 4.0",
            (21, 1),
        ),
        (
            ("workers.count=0", "workers.per_node=4", ARRAY),
            "1.0 core-hours in each hour that it stands: 1.0 also",
            (1, 1),
        ),
        ((), "21.0 core-hours in each hour that it stands", (21, 21)),
    ],
)
def test_what_it_costs_is_said(
    prepared: Prepare, changes: tuple[str, ...], said: str, hours: tuple[float, float]
) -> None:
    made = prepared(STANDS, *changes)
    assert f" as job 36, a standing cluster: {said}" in submitted(made.plan, "36", Path("run"))
    told = "\n".join(described(made.resolved, made.plan))
    assert said in told and "until it was idle for 1 h" in told
    standing = made.as_json()["standing"]
    names = ("core_hours_per_hour", "core_hours_per_hour_without_workers")
    assert tuple(standing[name] for name in names) == hours and standing["idle_timeout_seconds"] == 3600


def test_on_this_machine_nobody_charges_for_it(prepared: Prepare) -> None:
    made = prepared(STANDS, "workers.count=2", site="local")
    assert made.as_json()["standing"]["core_hours_per_hour"] is None
    assert "as job 36, a standing cluster; run" in submitted(made.plan, "36", Path("run"))
    assert prepared(NONE, site="local").as_json()["standing"] is None


def test_one_word_in_place_of_a_workload_is_another_mistake(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"workload: expected a mapping or 'none', got 'non'"):
        prepared(STANDS, "workload=non")


def test_what_a_keeper_has_submitted_of_them_is_in_the_record(
    prepared: Prepare, context: Context, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a group that began without workers its worker jobs are known from the plan alone."""
    made = prepared(NONE, f"site={site_with(batch_commands(tmp_path, submit=IDS), tmp_path)}", site=None)
    directory, record = submit(made.rendered, context, Path("run"))
    assert [job.name for job in record.jobs] == ["scheduler"]
    assert json.loads((directory / "pool/groups.json").read_text())["groups"]["workers"]["file"] == "workers.sh"
    later = {"schema": 1, "number": 1, "group": "workers", "first": 0, "size": 2, "array": 2, "workers": 8}
    later |= {"job_name": f"{record.main.job_name}-workers-1", "by": "keeper", "job_id": "37", "refused": None}
    (directory / "pool/1.json").write_text(json.dumps({**later, "submitted": 1_800_000_000.0}))
    main(["status", str(directory), "--json"])
    jobs = json.loads(capfd.readouterr().out)["jobs"]
    assert [(job["name"], job["id"]) for job in jobs] == [("scheduler", "36"), ("workers-1", "37")]


def site_with(commands: dict[str, list[str]], tmp_path: Path) -> str:
    known = json.dumps({name: commands[name] for name in ("submit", "status", "cancel")})
    (tmp_path / "own.yaml").write_text(f"schema: 1\nname: own\nextends: testcluster\ncommands: {known}\n")
    return "./own.yaml"
