"""`queue: [a, b]`: whichever lets the job start first; what is asked for fits in each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpc_launch.client.request import prepared as for_a_notebook
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration, UsageError
from hpc_launch.explain import as_json
from hpc_launch.explain.sentences import described
from hpc_launch.export import jobqueue
from hpc_launch.models.plan import Plan, Planned
from hpc_launch.models.stored_plan import read_plan, stored
from hpc_launch.prepare import Prepared, try_to_plan
from hpc_launch.resolve import resolve
from hpc_launch.sites import find
from hpc_launch.survey.try_small_jobs import problems as mistakes
from tests.conftest import SITES, TIMES

Prepare = Callable[..., Prepared]
QUEUES = {
    "small": {"nodes": 6, "cores": 8, "memory": "16000 MiB", "walltime": "04:00:00"},
    "large": {"nodes": 4, "cores": 16, "memory": "64000 MiB", "walltime": "02:00:00"},
}
PROFILE = "queue: [large, small]\nwalltime: 1h\nworkers: {count: 4, memory: 1 GiB}\nworkload: {command: x}\n"
LINES = {
    "testcluster": "#SBATCH --partition=large,small",
    "lsfcluster": '#BSUB -q "large small"',
    "gridcluster": "#$ -q large,small",
}
LAYOUTS = ["single-job", "job-array", "mpi"]


@pytest.fixture
def sited(tmp_path: Path) -> Callable[..., str]:
    """A site profile with these queues in place of its own: ``sited("pbscluster", small={"max_nodes": 2})``."""

    def written(base: str = "testcluster", **more: dict[str, Any]) -> str:
        site = yaml.safe_load((SITES / f"{base}.yaml").read_text())
        site |= {"queues": {name: keys | more.get(name, {}) for name, keys in QUEUES.items()}, "detect": {}}
        site["defaults"] = {"account": "proj01"} if site["account"] == "required" else {}
        site["launchers"] = {"mpi": "mpiexec"} | site.get("launchers", {})
        site["layouts"] = LAYOUTS
        (tmp_path / "site.yaml").write_text(yaml.safe_dump(site, sort_keys=False))
        return "./site.yaml"

    return written


def lines_of(files: dict[str, str], start: str) -> list[str]:
    return [line for text in files.values() for line in text.splitlines() if line.startswith(start)]


def of_one(plan: Plan) -> tuple[object, ...]:
    """How workers and jobs are laid out."""
    groups = [(name, group.count, group.per_node, group.nodes) for name, group in plan.groups.items()]
    jobs = [(job.file, job.nodes, job.cores_per_node, job.memory_bytes_per_node, job.array) for job in plan.jobs]
    return groups, jobs


# Rendered, on each system


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("base", LINES)
def test_each_job_names_them_all(prepared: Prepare, sited: Callable[..., str], base: str, layout: str) -> None:
    made = prepared(PROFILE, f"layout={layout}", site=sited(base))
    scripts = [job.file for job in made.plan.jobs]
    assert len(scripts) == (2 if layout == "job-array" else 1)
    start = LINES[base].rpartition("large")[0].rstrip('"')
    for file in scripts:
        assert lines_of({file: made.rendered.files[file]}, start) == [LINES[base]]
    assert {job.queue for job in made.plan.jobs} == {"large,small"}


@pytest.mark.parametrize("base", LINES)
def test_a_list_of_one_is_as_the_word(prepared: Prepare, sited: Callable[..., str], base: str) -> None:
    as_list = prepared(PROFILE, "queue=[small]", site=sited(base))
    as_word = prepared(PROFILE, "queue=small", site=sited(base))
    assert as_list.plan == as_word.plan
    assert as_list.rendered.files["job.sh"] == as_word.rendered.files["job.sh"]


@pytest.mark.parametrize("base", LINES)
def test_workers_and_groups_have_their_own(prepared: Prepare, sited: Callable[..., str], base: str) -> None:
    text = (
        "queue: small\nwalltime: 1h\nlayout: job-array\nworkload: {command: x}\n"
        "workers: {memory: 1 GiB, queue: [small, large], groups: {a: {count: 2}, b: {count: 1, queue: [large]},"
        " c: {count: 1, queue: [large, small]}}}\n"
    )
    made = prepared(text, site=sited(base))
    assert {job.group: job.queue for job in made.plan.jobs} == {
        None: "small",
        "a": "small,large",
        "b": "large",
        "c": "large,small",
    }
    assert LINES[base] in made.rendered.files["workers-c.sh"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pbs_takes_one(prepared: Prepare, sited: Callable[..., str], layout: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared(PROFILE, f"layout={layout}", site=sited("pbscluster"))
    [problem] = refused.value.problems
    assert problem.message == "queue: a job on pbs names one queue, not several ('large' and 'small')"
    assert problem.hint.startswith("name one of them\nsmall, large would take it: ")
    assert "site.yaml" not in str(problem.origin)


def test_pbs_takes_one_for_workers_too(prepared: Prepare, sited: Callable[..., str]) -> None:
    workers = "workers={memory: 1 GiB, groups: {a: {count: 2, queue: [large, small]}}}"
    text = PROFILE.replace("workers: {count: 4, memory: 1 GiB}\n", "")
    with pytest.raises(DoesNotFit, match=r"workers\.groups\.a\.queue: a job on pbs names one queue") as refused:
        prepared(text, "queue=small", "layout=job-array", workers, site=sited("pbscluster"))
    assert refused.value.problems[0].hint == "name one: --set workers.groups.a.queue=large"


def test_this_machine_has_none_as_with_a_word(prepared: Prepare) -> None:
    of_list, of_word = (prepared(PROFILE, *more, site="local") for more in ([], ["queue=small"]))
    assert of_list.planned.notes == ("profile.yaml:1: queue is not used: local has no such thing",)
    assert of_list.plan == of_word.plan


# What fits


@pytest.mark.parametrize(
    ("more", "asked", "message"),
    [
        ({"small": {"walltime": "00:30:00"}}, [], "queue 'small' of testcluster allows 00:30:00"),
        ({"large": {"walltime": "00:30:00"}}, [], "queue 'large' of testcluster allows 00:30:00"),
        ({}, ["workers.threads=9"], "a node of queue 'small' of testcluster has 8"),
        ({}, ["workers.memory=40 GiB"], "a node of queue 'small' of testcluster has 16000 MiB"),
        ({}, ["workers.count=40"], "a job in queue 'large' of testcluster may have 4"),
        ({"small": {"max_nodes": 1}}, ["workers.count=16"], "a job in queue 'small' of testcluster may have 1"),
        ({"small": {"max_cores": 3}}, [], "a job in queue 'small' of testcluster may have 3 cores"),
        ({"large": {"max_memory": "2 GiB"}}, [], "a job in queue 'large' of testcluster may have 2.0 GiB"),
        ({"large": {"least": {"cores": 5}}}, [], "a job in queue 'large' of testcluster has to have 5 cores"),
        ({"large": {"max_user_cores": 3}}, [], "a user may have 3 cores at once in queue 'large' of testcluster"),
        (
            {"large": {"exclusive": True, "max_cores": 15}},
            [],
            "16 cores are asked for, a job in queue 'large' of testcluster may have 15 cores",
        ),
        (
            {"small": {"max_submitted": 2}},
            ["layout=job-array", "workers.per_node=1"],
            "a user may have 2 in queue 'small' of testcluster",
        ),
    ],
)
def test_a_limit_of_one_of_them_refuses_and_names_it(
    prepared: Prepare, sited: Callable[..., str], more: dict[str, Any], asked: list[str], message: str
) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared(PROFILE, *asked, site=sited(**more))
    assert [problem for problem in refused.value.problems if message in problem.message]
    other = {"small": "large", "large": "small"}[message.partition("queue '")[2].partition("'")[0]]
    assert f"queue {other!r} of" not in "".join(problem.message for problem in refused.value.problems)


def test_workers_are_laid_out_for_the_smallest_node(prepared: Prepare, sited: Callable[..., str]) -> None:
    plan = prepared(PROFILE, "workers.count=16", "workers.memory=null", site=sited(small={"memory": "8000 MiB"})).plan
    alone = prepared(
        PROFILE, "workers.count=16", "workers.memory=null", "queue=small", site=sited(small={"memory": "8000 MiB"})
    ).plan
    assert of_one(plan) == of_one(alone)
    assert plan.groups["workers"].per_node == 8


def test_gpus_are_those_of_the_queue_with_the_fewest(
    prepared: Prepare, sited: Callable[..., str], context: Context
) -> None:
    site = sited(small={"gpus": 1}, large={"gpus": 4})
    with pytest.raises(DoesNotFit, match="testcluster does not say how GPUs are asked for"):
        prepared(PROFILE, "workers.gpus=1", site=site)
    with (context.directory / site).open("a") as file:
        file.write("resources: {gpus: '--gres=gpu:{n}'}\n")
    plan = prepared(PROFILE, "workers.gpus=1", site=site).plan
    assert (plan.groups["workers"].per_node, plan.main.resources) == (1, ("--gres=gpu:1",))
    with pytest.raises(DoesNotFit, match=r"2 GPUs are asked for on each node, a node of queue 'small' .* has 1"):
        prepared(PROFILE, "workers.gpus=1", "workers.per_node=2", site=site)


def test_the_shortest_default_is_the_walltime(prepared: Prepare, sited: Callable[..., str]) -> None:
    text = PROFILE.replace("walltime: 1h\n", "")
    site = sited(small={"default_walltime": "00:40:00"}, large={"default_walltime": "00:20:00"})
    made = prepared(text, site=site)
    assert made.plan.main.walltime_seconds == 1200
    assert ":" in made.planned.reasons["walltime",].why  # at a line of the site profile
    with pytest.raises(DoesNotFit, match="neither the profile nor the site gives one"):
        prepared(text, site=sited())


def test_whole_nodes_and_preemption_are_told_of_the_queue_that_has_them(
    prepared: Prepare, sited: Callable[..., str]
) -> None:
    made = prepared(PROFILE, site=sited(large={"exclusive": True}, small={"preemptible": True}))
    told = "\n".join(made.planned.notes)
    assert "queue 'large' of testcluster gives whole nodes: job.sh uses 4 of the 16 cores of each" in told
    assert "jobs in queue 'small' of testcluster may be killed for others" in told
    assert len(made.planned.notes) == 2
    assert made.plan.main.charged_cores_per_node == 16


def test_what_one_of_them_has_no_room_for_may_start_in_another(prepared: Prepare, sited: Callable[..., str]) -> None:
    asked = ["layout=job-array", "workers.count=40", "workers.per_node=4"]
    made = prepared(PROFILE, *asked, site=sited(small={"max_jobs": 5}))
    asked_for = "11 jobs are asked for, a user may run 5 jobs at once in queue 'small' of testcluster: the others wait"
    assert made.planned.notes == (f"{asked_for}, or start in another queue",)
    assert f"{asked_for}" in prepared(PROFILE, *asked, "queue=small", site=sited(small={"max_jobs": 5})).planned.notes


def test_a_run_without_workers_has_no_use_for_an_interface(prepared: Prepare, sited: Callable[..., str]) -> None:
    alone = ["workers=none", "workload={command: x, cores: 1}"]
    assert prepared(PROFILE, *alone, site=sited(large={"interface": "ib1"})).plan.main.queue == "large,small"


def test_of_worker_jobs_no_more_are_submitted_than_each_of_them_takes(
    prepared: Prepare, sited: Callable[..., str]
) -> None:
    site = sited(small={"max_submitted": 9}, large={"max_submitted": 7})
    plan = prepared(PROFILE, "layout=job-array", "workers.queue=[small, large]", "queue=small", site=site).plan
    assert plan.most_in_queues == {"small": 8, "large": 7}
    assert plan.element_limits == [(["workers"], 8), (["workers"], 7)]
    assert read_plan(stored(plan)).element_limits == plan.element_limits


# One script for all


@pytest.mark.parametrize(
    ("more", "mends", "words"),
    [
        ({"directives": ["--foo=1"]}, None, "differ in their directives (--foo=1, none)"),
        ({"qos": "high"}, ["qos=high"], "differ in the QOS (high, none)"),
        ({"interface": "ib1"}, ["scheduler.interface=eth0", "workers.interface=eth0"], "interface (ib1, ib0)"),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_the_script_takes_from_its_queue_may_not_differ(
    prepared: Prepare, sited: Callable[..., str], layout: str, more: dict[str, Any], mends: list[str] | None, words: str
) -> None:
    site = sited(large=more)
    with pytest.raises(DoesNotFit) as refused:
        prepared(PROFILE, f"layout={layout}", site=site)
    [problem] = refused.value.problems
    assert problem.message.startswith("queue: 'large' and 'small' of testcluster differ in ")
    assert words in problem.message
    assert problem.message.endswith("and a job has one script")
    if mends:
        assert prepared(PROFILE, f"layout={layout}", *mends, site=site).plan.main.queue == "large,small"
    if layout == "job-array":
        with pytest.raises(DoesNotFit, match=r"workers\.queue: 'large' and 'small'"):
            prepared(PROFILE, "layout=job-array", "queue=small", "workers.queue=[large, small]", site=site)


def test_what_all_of_them_have_is_said_once(prepared: Prepare, sited: Callable[..., str]) -> None:
    alike: dict[str, Any] = {"directives": ["--foo=1"], "qos": "high", "interface": "ib1"}
    made = prepared(PROFILE, site=sited(small=alike, large=alike))
    assert lines_of({"": made.rendered.files["job.sh"]}, "#SBATCH --foo") == ["#SBATCH --foo=1"]
    assert (made.plan.main.qos, made.plan.scheduler.interface) == ("high", "ib1")


def test_another_qos_than_one_of_them_needs_is_refused(prepared: Prepare, sited: Callable[..., str]) -> None:
    with pytest.raises(DoesNotFit, match="queue 'large' of testcluster is for the QOS 'high', not for 'low'"):
        prepared(PROFILE, "qos=low", site=sited(large={"qos": "high"}))


# As it is written


@pytest.mark.parametrize("key", ["queue", "workers.queue"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("[]", "{}: expected a list of at least 1, got an empty list"),
        ("[small, small]", "{}: 'small' is in the list twice"),
        ("[small, auto]", "{}: 'auto' stands alone, in no list with others"),
        ("[small, lagre]", "{}[1]: testcluster has no queue 'lagre'; did you mean 'large'?"),
        ("['small,large', small]", "{}[0]: 'small,large': a comma stands between queues"),
        ("'small,large'", "{}: testcluster has no queue 'small,large'"),
        ("{small: 1}", "{}: expected a list or text, got a mapping"),
    ],
)
def test_what_is_no_list_of_queues_is_told(
    prepared: Prepare, sited: Callable[..., str], key: str, value: str, words: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(PROFILE, "layout=job-array", f"{key}={value}", site=sited())
    assert any(problem.message.startswith(words.format(key)) for problem in refused.value.problems)


def test_auto_in_a_list_of_one_is_auto(prepared: Prepare, sited: Callable[..., str]) -> None:
    assert prepared(PROFILE, "queue=[auto]", site=sited()).plan.main.queue == "small"


def test_a_queue_of_a_site_has_no_comma_in_its_name(
    prepared: Prepare, sited: Callable[..., str], context: Context
) -> None:
    file = context.directory / sited()
    file.write_text(file.read_text().replace("  small:", "  s,x:"))
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(PROFILE, "queue=large", site="./site.yaml")
    [problem] = refused.value.problems
    assert problem.message.startswith("the name of queues.'s,x': 's,x': a comma stands between queues")
    assert problem.origin is not None
    assert problem.origin.text.startswith("  s,x:")


def test_a_default_may_be_a_list(prepared: Prepare, sited: Callable[..., str], context: Context) -> None:
    file = context.directory / sited()
    text = file.read_text()
    file.write_text(text.replace("defaults: {}", "defaults: {queue: [small, large]}"))
    assert prepared(PROFILE.partition("\n")[2], site="./site.yaml").plan.main.queue == "small,large"
    with pytest.raises(InvalidConfiguration, match="takes away the default of testcluster, small, large"):
        prepared(PROFILE, "queue=null", site="./site.yaml")
    with pytest.raises(UsageError, match="testcluster has several default queues"):
        jobqueue(find("./site.yaml", context, Origin("--site"), context.directory))
    file.write_text(text.replace("defaults: {}", "defaults: {queue: [small, lagre]}"))
    with pytest.raises(InvalidConfiguration, match=r"defaults\.queue\[1\]: there is no queue 'lagre'"):
        prepared(PROFILE, site="./site.yaml")


@pytest.mark.parametrize(
    ("base", "large", "words"),
    [
        ("testcluster", {}, None),
        ("testcluster", {"directives": ["--foo=1"]}, "defaults: queue: 'small' and 'large' of testcluster differ in"),
        ("pbscluster", {}, "defaults: queue: a job on pbs names one queue"),
    ],
)
def test_a_list_that_is_a_default_is_tried_with_the_site(
    sited: Callable[..., str], context: Context, base: str, large: dict[str, Any], words: str | None
) -> None:
    file = context.directory / sited(base, large=large)
    site = yaml.safe_load(file.read_text())
    site["defaults"]["queue"] = ["small", "large"]
    file.write_text(yaml.safe_dump(site, sort_keys=False))
    told = mistakes(find("./site.yaml", context, Origin("--site"), context.directory), context)
    assert [problem.message[: len(words or "")] for problem in told] == ([words] if words else [])


@pytest.mark.parametrize(
    "more",
    [
        ["workers=none", "workload={command: x, cores: 1}"],
        ["workload=none", "layout=job-array", "workers={count: 0, memory: 1 GiB}"],
        ["layout=job-array", "workers.adapt={minimum: 1, maximum: 8}"],
    ],
)
def test_runs_of_every_kind_take_it(prepared: Prepare, sited: Callable[..., str], more: list[str]) -> None:
    made = prepared(PROFILE, *more, site=sited())
    kinds = made.plan.kinds_of_jobs
    assert {job.queue for job in kinds} == {"large,small"}
    for job in kinds:
        assert LINES["testcluster"] in made.rendered.files[job.file]


def test_explain_shows_the_list(prepared: Prepare, sited: Callable[..., str]) -> None:
    made = prepared(PROFILE, "layout=job-array", site=sited())
    values = {each["key"]: each for each in as_json(made.resolved, made.planned)["values"]}
    assert values["queue"]["value"] == ["large", "small"]
    assert (values["workers.queue"]["value"], values["workers.queue"]["origin"]) == (["large", "small"], "the run's")
    assert described(made.resolved, made.plan)[0].startswith("scheduler.sh: queue large or small of testcluster")
    resolved = yaml.safe_load(made.rendered.files["resolved.yaml"])
    assert resolved["queue"] == resolved["workers"]["queue"] == ["large", "small"]


def test_a_notebook_says_it_too(sited: Callable[..., str], context: Context) -> None:
    words = {"queue": ["large", "small"], "cores": 4, "memory": "4 GiB", "walltime": "1h"}
    made = for_a_notebook(None, sited(), words, context)
    assert "#SBATCH --partition=large,small" in made.rendered.files["scheduler.sh"]
    with pytest.raises(InvalidConfiguration, match=r"HPCCluster\(queue=…\)|HPCCluster\(queue\[1\]='x'\)"):
        for_a_notebook(None, sited(), {**words, "queue": ["large", "x"]}, context)


def test_other_queues_that_would_take_a_run_are_single_ones(prepared: Prepare, sited: Callable[..., str]) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared(PROFILE, "workers.memory=40 GiB", "workers.count=1", site=sited())
    assert "large would take it: --set queue=large" in refused.value.problems[-1].hint


# What fits several fits each, and the other way round

sizes = st.fixed_dictionaries(
    {"cores": st.sampled_from([2, 4, 8]), "memory": st.sampled_from(["4 GiB", "8 GiB", "16 GiB"])},
    optional={
        "nodes": st.integers(1, 6),
        "walltime": st.sampled_from(["00:30:00", "02:00:00"]),
        "gpus": st.integers(0, 3),
        "exclusive": st.booleans(),
        "largest": st.fixed_dictionaries({"cores": st.just(16), "memory": st.just("32 GiB")}),
        "max_nodes": st.integers(1, 4),
        "max_cores": st.integers(2, 24),
        "max_memory": st.sampled_from(["4 GiB", "20 GiB"]),
        "max_submitted": st.integers(1, 6),
        "max_user_nodes": st.integers(1, 4),
        "max_user_cores": st.integers(2, 24),
        "least": st.fixed_dictionaries({"cores": st.integers(1, 4)}),
        "qos": st.just("high"),
    },
)
asked = st.fixed_dictionaries(
    {
        "layout": st.sampled_from(["single-job", "job-array"]),
        "walltime": st.sampled_from(["20m", "1h"]),
        "qos": st.just("high"),
        "workers": st.fixed_dictionaries(
            {"count": st.integers(1, 12), "memory": st.sampled_from(["256 MiB", "1 GiB", "3 GiB"])},
            optional={"per_node": st.integers(1, 6), "threads": st.integers(1, 3), "gpus": st.integers(0, 2)},
        ),
    }
)


@settings(max_examples=150 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=sizes, b=sizes, keys=asked)
def test_what_fits_several_fits_each_of_them_with_the_same_layout(
    context: Context, a: dict[str, Any], b: dict[str, Any], keys: dict[str, Any]
) -> None:
    site = {"name": "x", "batch_system": "slurm", "resources": {"gpus": "--gres=gpu:{n}"}, "queues": {"a": a, "b": b}}
    site["limits"] = {"running": {"cores": 24}}
    profile = {**keys, "queue": ["a", "b"], "workload": {"command": "x", "memory": "1 GiB"}}
    (context.directory / "site.yaml").write_text(yaml.safe_dump(site))
    (context.directory / "p.yaml").write_text(yaml.safe_dump(profile))

    def planned(*assignments: str) -> Plan | None:
        made = try_to_plan(resolve(Path("p.yaml"), context, "./site.yaml", assignments), context)
        return made.plan if isinstance(made, Planned) else None

    together = planned()
    if together is not None:
        layout = [f"workers.per_node={together.groups['workers'].per_node}"]
        alone = [planned(f"queue={name}", *layout) for name in "ab"]
        assert [plan and of_one(plan) for plan in alone] == [of_one(together)] * 2
    elif "per_node" in keys["workers"]:  # otherwise each may be laid out in its own way
        assert None in [planned(f"queue={name}") for name in "ab"]
