"""Groups of workers: what is planned, rendered and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, HpcLaunchError, InvalidConfiguration
from hpc_launch.prepare import Prepared, prepare
from hpc_launch.runs.submit import submit
from tests.conftest import TIMES
from tests.rendering import GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]
PROFILE = """
name: pieces
layout: job-array
walltime: 00:40:00
directives: [--comment=first]
workers:
  threads: 2
  memory: 1 GB
  resources: {slot: 1}
  directives: [--comment=workers]
  groups:
    cpu:
      count: 5
      per_node: 2
      adapt: {minimum: 1, maximum: 9}
    fat:
      count: 2
      memory: 6 GB
      per_node: 1
      queue: long
      walltime: 00:20:00
      resources: {fat: 1}
      directives: [--exclusive]
      at_once: 1
workload: {command: [python, work.py]}
"""

ON_GRIDENGINE = {"--comment=first": "-js 1", "--comment=workers": "-js 2", "--exclusive": "-js 3", "long": "all.q"}


def with_groups(**groups: object) -> str:
    least = {"layout": "job-array", "workload": {"command": ["python", "work.py"]}}
    return yaml.safe_dump({**least, "workers": {"memory": "1 GiB", "groups": groups}}, sort_keys=False)


def refusal(prepared: Prepare, text: str, *assignments: str, site: str = "testcluster") -> str:
    with pytest.raises((InvalidConfiguration, DoesNotFit)) as refused:
        prepared(text, *assignments, site=site)
    return str(refused.value)


def test_a_group_takes_what_it_does_not_set_itself(prepared: Prepare) -> None:
    plan = prepared(PROFILE).plan
    cpu, fat = plan.groups["cpu"], plan.groups["fat"]
    assert (cpu.threads, fat.threads) == (2, 2)
    assert (cpu.memory_bytes, fat.memory_bytes) == (10**9, 6 * 10**9)
    assert (dict(cpu.resources), dict(fat.resources)) == ({"slot": 1}, {"slot": 1, "fat": 1})
    assert (cpu.at_once, fat.at_once, fat.adapt) == (None, 1, None)
    assert plan.workers_wanted == 7


def test_each_has_jobs_of_its_own_and_elements_are_counted_through(prepared: Prepare) -> None:
    plan = prepared(PROFILE).plan
    told = [(job.name, job.file, job.array, job.first_element, job.queue, job.walltime_seconds) for job in plan.jobs]
    assert told == [
        ("scheduler", "scheduler.sh", None, 0, "short", 2400),
        ("cpu", "workers-cpu.sh", 3, 0, "short", 2400),
        ("fat-2", "workers-fat.sh", None, 3, "long", 1200),  # one at a time
    ]
    assert [job.directives for job in plan.jobs] == [("--comment=first",), ("--comment=workers",), ("--exclusive",)]


@pytest.mark.parametrize("system", ["testcluster", "gridcluster"])
def test_scripts_are_as_in_the_golden_files(prepared: Prepare, tmp_path: Path, system: str) -> None:
    text = PROFILE
    for said, instead in ON_GRIDENGINE.items() if system == "gridcluster" else ():
        text = text.replace(said, instead)
    made = prepared(text, site=system)
    for file in sorted((GOLDEN / "worker-groups" / system).iterdir()):
        rendered = made.rendered.files[file.name].replace(str(tmp_path), "/home/user/pieces")
        assert rendered == file.read_text(encoding="utf-8"), f"{system}/{file.name}"
    scripts = ("scheduler.sh", "workers-cpu.sh", "workers-fat.sh", "node-cpu.sh", "node-fat.sh")
    assert {*scripts} <= made.rendered.files.keys() and not {"workers.sh", "node.sh"} & made.rendered.files.keys()
    assert shellcheck(write(made, tmp_path / "run"), *scripts) == ""


def test_the_resolved_profile_is_one_that_plans_the_same(prepared: Prepare) -> None:
    made = prepared(PROFILE)
    again = prepared(made.rendered.files["resolved.yaml"])
    assert again.plan.jobs == made.plan.jobs
    for name, group in made.plan.groups.items():
        for key in ("count", "memory_bytes", "threads", "resources", "adapt", "at_once"):
            assert getattr(again.plan.groups[name], key) == getattr(group, key)
    lines = made.rendered.files["resolved.yaml"].splitlines()
    assert "      threads: 2  # profile.yaml:7" in lines and '      memory: "6 GB"  # profile.yaml:18' in lines


def test_the_pool_tells_of_each_group(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    answer.write_text("#!/bin/bash\necho 36\n")
    answer.chmod(0o755)
    lines = ("schema: 1", "name: s", "extends: testcluster", f"commands: {{submit: [{answer}]}}")
    (tmp_path / "site.yaml").write_text("\n".join((*lines, "limits: {submitted: {jobs: 9}}", "")))
    place, record = submit(prepared(PROFILE, site="./site.yaml").rendered, context, tmp_path / "run")
    told = json.loads((place / "pool/groups.json").read_text())
    assert list(told["groups"]) == ["cpu", "fat"]  # the cheapest first
    assert told["groups"]["cpu"]["adapt"] == {"minimum": 1, "maximum": 9}
    assert [told["groups"][name]["most_elements"] for name in ("cpu", "fat")] == [None, 1]
    assert told["limits"] == [{"groups": ["cpu", "fat"], "elements": 8}]
    pools = [json.loads((place / f"pool/{number}.json").read_text()) for number in (1, 2)]
    assert [(each["group"], each["first"], each["size"], each["workers"]) for each in pools] == [
        ("cpu", 0, 3, 5),
        ("fat", 3, 1, 1),
    ]
    run = record.main.job_name
    assert [job.job_name for job in record.jobs] == [run, f"{run}-cpu", f"{run}-fat-2"]
    assert json.loads((place / "control/scale.json").read_text())["groups"] == {}  # a keeper begins with it


@pytest.mark.parametrize("key", ["count: 3", "at_once: 2", "adapt: {maximum: 4}"])
def test_what_each_group_has_for_itself_is_not_said_of_all(prepared: Prepare, key: str) -> None:
    said = refusal(prepared, PROFILE.replace("  threads: 2\n", f"  {key}\n"))
    name = key.partition(":")[0]
    assert f"profile.yaml:7: workers.{name}: where there are groups each has its own" in said
    assert f"set workers.groups.cpu.{name}" in said


@pytest.mark.parametrize("layout", ["single-job", "mpi"])
def test_other_layouts_refuse_groups_and_say_why(prepared: Prepare, layout: str) -> None:
    said = refusal(prepared, PROFILE, f"layout={layout}")
    assert f"profile.yaml:11: workers.groups: in {layout} all workers come with the one job" in said
    assert "--set layout=job-array" in said
    for key in ("adapt: {maximum: 4}", "at_once: 1"):
        least = f"layout: {layout}\nworkers: {{count: 2, memory: 1 GiB, {key}}}\nworkload: {{command: x}}\n"
        assert "it cannot grow or shrink" in refusal(prepared, least)


def test_one_group_at_most_adapts_within_bounds_around_its_count(prepared: Prepare) -> None:
    both = {"adapt": {"maximum": 4}, "count": 2}
    assert "a and b both have adapt" in refusal(prepared, with_groups(a=both, b=both))
    said = refusal(prepared, with_groups(a={"count": 5, "adapt": {"maximum": 4}}))
    assert "workers.groups.a: count 5 is not within the bounds of adapt, 0 to 4" in said


def test_a_problem_names_its_group_and_line(prepared: Prepare) -> None:
    text = PROFILE.replace("memory: 6 GB", "memory: 60 GB").replace("queue: long", "queue: lnog")
    assert "workers.groups.fat.queue: testcluster has no queue 'lnog'; did you mean 'long'?" in refusal(prepared, text)
    said = refusal(prepared, PROFILE.replace("memory: 6 GB", "memory: 60 GB"))
    assert "profile.yaml:18: group fat: " in said and "--set workers.groups.fat.memory=" in said
    said = refusal(prepared, PROFILE.replace("--exclusive", "--nodes=3"))
    assert "profile.yaml:23: workers.groups.fat.directives: --nodes is already said" in said


def test_keys_of_no_use_are_told_with_the_group_that_has_them(prepared: Prepare) -> None:
    notes = prepared(PROFILE.replace("at_once: 1", "qos: q"), site="local").planned.notes
    told = [note.partition(" is not used")[0] for note in notes if " is not used" in note]
    key = "workers.groups.fat"
    assert told == [
        "profile.yaml:5: directives",
        "profile.yaml:10: workers.directives",
        f"profile.yaml:20: {key}.queue",
        f"profile.yaml:24: {key}.qos",
        f"profile.yaml:23: {key}.directives",
    ]


def test_where_jobs_may_not_submit_it_is_told_who_does(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("schema: 1\nname: s\nextends: testcluster\nsubmit_from_compute: false\n")
    assert any("`hpc-launch keep RUN`" in note for note in prepared(PROFILE, site="./site.yaml").planned.notes)
    assert not any("keep RUN" in note for note in prepared(PROFILE).planned.notes)


def test_the_first_workers_may_come_from_any_group(prepared: Prepare, tmp_path: Path) -> None:
    """What one user may have at once is too little for a worker of one group, and enough for the other's."""
    site = "schema: 1\nname: s\nextends: testcluster\nlimits: {running: {memory: 8 GiB}}\n"
    (tmp_path / "site.yaml").write_text(site)
    thin, fat = {"count": 2, "per_node": 1}, {"count": 2, "per_node": 1, "memory": "6 GiB"}
    assert prepared(with_groups(fat=fat, thin=thin), site="./site.yaml").plan.minimum == 1
    said = refusal(prepared, with_groups(fat=fat), site="./site.yaml")
    assert "are needed at once for the first worker" in said
    said = refusal(prepared, with_groups(fat=fat, thin=thin), "workers.minimum=4", site="./site.yaml")
    assert "are needed at once for the first 4 workers" in said


def test_a_minimum_that_cannot_be_there_at_one_time_is_refused(prepared: Prepare) -> None:
    said = refusal(prepared, with_groups(a={"count": 6, "per_node": 1, "at_once": 2}), "workers.minimum=3")
    assert "3 workers are needed to begin, at_once lets 2 be there at one time" in said
    assert prepared(with_groups(a={"count": 6, "per_node": 2, "at_once": 2}), "workers.minimum=3").plan.minimum == 3


def test_what_a_site_forbids_no_group_says(prepared: Prepare, tmp_path: Path) -> None:
    site = "schema: 1\nname: s\nextends: testcluster\npolicy: {forbidden: [directives, workers.queue]}\n"
    (tmp_path / "site.yaml").write_text(site)
    said = refusal(prepared, PROFILE, site="./site.yaml")
    for key in ("directives", "workers.directives", "workers.groups.fat.directives", "workers.groups.fat.queue"):
        assert f": {key}: s does not let users set it" in said


@pytest.mark.parametrize("name", ["a-b", "2nd", "a b", "a.b", "", "ä", "$(x)", "a" * 33, "scheduler", "workers", "a\n"])
def test_names_that_could_not_be_told_from_others_are_refused(prepared: Prepare, name: str) -> None:
    said = refusal(prepared, with_groups(**{name: {"count": 1}}))
    assert "profile.yaml:" in said and "workers.groups" in said


@settings(max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=st.lists(st.text(max_size=40), min_size=1, max_size=4, unique=True))
def test_whatever_a_group_is_called_it_is_refused_or_its_jobs_are_told_apart(
    tmp_path: Path, context: Context, names: list[str]
) -> None:
    text = with_groups(**{name: {"count": 3, "per_node": 1} for name in names})
    (tmp_path / "profile.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        plan = prepare(Path("profile.yaml"), context, "testcluster").plan
    except HpcLaunchError as refused:
        assert "profile.yaml:" in str(refused)
        return
    assert list(plan.groups) == names
    for place, job in enumerate(plan.jobs[1:], 1):
        last = job.named("run").rpartition("-")[2]  # as a job of it finds its number
        assert (int(last) if last.isdecimal() else 1) == place
    assert len({job.log for job in plan.jobs}) == len(plan.jobs)
