"""Layers, and everything that is wrong with a profile told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hpc_launch.config.layers import dotted
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.explain import leaves
from hpc_launch.models.profile import Workload
from hpc_launch.prepare import Prepared, prepare

Prepare = Callable[..., Prepared]

FIVE_MISTAKES = """\
schema: 1
queue: shrot
walltime: 90
workers:
  count: six
  memory: 60G
  treads: 2
workload:
  command: [python, work.py]
"""


def test_five_mistakes_are_five_errors_with_their_lines(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(FIVE_MISTAKES)
    assert refusal.value.exit_code == 3
    lines = [problem.origin.line for problem in refusal.value.problems if problem.origin]
    assert lines == [2, 3, 5, 6, 7]
    told = str(refusal.value)
    for words in ("profile.yaml:2", "did you mean 'short'", "60G", "treads", "threads", "whole number"):
        assert words in told


def test_a_missing_key_is_told_at_its_parents_line(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"profile.yaml:2: workers.count is missing"):
        prepared("schema: 1\nworkers:\n  threads: 2\nworkload: {command: x}\n")


def test_a_wrong_site_and_a_wrong_profile_are_told_together(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"(?s)no site profile is called 'nowhere'.*workers.count"):
        prepared("site: nowhere\nworkers: {count: x}\nworkload: {command: x}\n", site=None)


def test_layers_are_merged_in_their_order(prepared: Prepare, context: Context) -> None:
    text = "workers: {count: 2, memory: 1 GiB, threads: 2}\nworkload: {command: x}\n"
    context.configuration.mkdir(parents=True)
    (context.configuration / "config.yaml").write_text("walltime: 20m\nworkers: {threads: 3, per_node: 1}\n")
    profile = prepared(text, "workers.count=1").resolved.profile
    # test cluster: walltime 10m, queue short; the user: walltime, threads, per_node; the profile: threads; --set: count
    assert (profile.walltime, profile.queue) == (1200, "short")
    assert (profile.workers.threads, profile.workers.per_node, profile.workers.count) == (2, 1, 1)


def test_null_means_as_if_no_layer_had_set_it(prepared: Prepare) -> None:
    text = "site: testcluster\nworkers: {count: 2, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(InvalidConfiguration, match="takes away the default of testcluster, short"):
        prepared(text, "queue=null", site=None)
    assert prepared(text, "workers.memory=null").resolved.profile.workers.memory is None


def test_yaml_is_read_as_people_write_it(prepared: Prepare) -> None:
    text = (
        "walltime: 00:40:00\naccount: no\nworkers: {count: 2, memory: 1 GiB, resources: {on: 1}}\n"
        "environment: {variables: {FLAG: off, MODE: 0755}}\nworkload: {command: [echo, 12:00:00, 1]}\n"
    )
    profile = prepared(text, "walltime=1:00:00").resolved.profile
    assert profile.walltime == 3600 and profile.account == "no" and profile.workers.resources == {"on": 1.0}
    assert profile.environment.variables == {"FLAG": "off", "MODE": "0755"}
    assert isinstance(profile.workload, Workload) and profile.workload.command == ["echo", "12:00:00", "1"]


@pytest.mark.parametrize(
    "text",
    [
        "minimum: 3",
        "memory: -1 GiB",
        "count: 0",
        "threads: true",
        "resources: {gpu: 0}",
        "resources: {gpu: .inf}",
        "resources: {gpu: nan}",
        "resources: {gpu: 1e999}",
        "timeout: 10",
        "spill: maybe",
    ],
)
def test_values_that_make_no_sense_are_refused(prepared: Prepare, text: str) -> None:
    key = text.split(":")[0]
    with pytest.raises(InvalidConfiguration, match=key):
        prepared("workers:\n  " + ("count: 2\n  " if key != "count" else "") + f"{text}\nworkload: {{command: x}}\n")


def test_two_python_environments_are_refused(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match="conda and venv"):
        prepared("environment: {conda: a, venv: b}\nworkers: {count: 1}\nworkload: {command: x}\n")


def test_a_profile_from_somewhere_else_runs_where_it_lies(context: Context, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "my run.yaml").write_text(
        "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x, directory: ../data}\n"
    )
    made = prepare(Path("project/my run.yaml"), context, "local")
    assert made.plan.workload.directory == str(tmp_path / "data")
    assert made.plan.name == "my-run"


def test_a_directory_with_a_variable_in_its_name_is_refused(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a$HOME").mkdir()
    (tmp_path / "a$HOME" / "p.yaml").write_text("workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n")
    with pytest.raises(InvalidConfiguration, match="has a variable in its name"):
        prepare(Path("a$HOME/p.yaml"), context, "local")


def test_explain_names_the_layer_and_line_of_each_value(prepared: Prepare, context: Context) -> None:
    context.configuration.mkdir(parents=True)
    config = context.configuration / "config.yaml"
    config.write_text("# mine\naccount: a1\n")
    text = "workers:\n  count: 2\nscheduler: {memory: 1 GiB}\nworkload: {command: x}\n"
    made = prepared(text, "workers.threads=2")
    origins = {dotted(leaf.path): leaf.origin for leaf in leaves(made.resolved, made.planned.reasons)}
    assert origins["workers.count"] == "profile.yaml:2"
    assert origins["scheduler.memory"] == "profile.yaml:3"
    assert origins["account"] == f"{config}:2"
    assert origins["workers.threads"] == "--set workers.threads=2"
    assert "testcluster.yaml:" in origins["queue"] and "testcluster.yaml:" in origins["workers.interface"]
    assert origins["security"] == "built-in default"
    assert origins["workers.memory"].startswith("computed")
    assert origins["environment.python"] == "the one that runs hpc-launch"


def test_the_resolved_profile_holds_every_key_and_its_origin(prepared: Prepare) -> None:
    text = prepared().rendered.files["resolved.yaml"]
    assert "  count: 2  # profile.yaml:1\n" in text
    assert yaml.safe_load(text)["workers"]["memory"] == "1 GiB"


QOS = "name: own\nbatch_system: slurm\ndefaults: {walltime: 1h}\nqueues:\n  a: {cores: 4, memory: 8 GiB, qos: needed}\n"
QOS += "  b: {cores: 4, memory: 8 GiB}\n"
REQUEST = "queue: a\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"


@pytest.mark.parametrize("wrong", ["lnog", "LONG2", "none", "auto"])
def test_a_qos_that_the_site_does_not_list_is_refused_with_those_it_lists(
    prepared: Prepare, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "site.yaml").write_text(f"{QOS}qos: {{long: {{walltime: 9h}}, debug: {{}}, needed: {{}}}}\n")
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(f"name: x\nqos: {wrong}\n{REQUEST}", site="./site.yaml")
    (problem,) = refusal.value.problems
    assert str(problem.origin) == "profile.yaml:2"
    assert problem.message.startswith(f"qos: own has no QOS '{wrong}'")
    assert ("did you mean 'long'?" in problem.message) == (wrong in ("lnog", "LONG2"))
    assert problem.hint == "those of own: long, debug, needed"


@pytest.mark.parametrize("right", ["long", "needed"])
def test_a_qos_that_the_site_lists_is_taken(prepared: Prepare, tmp_path: Path, right: str) -> None:
    (tmp_path / "site.yaml").write_text(f"{QOS}qos: {{long: {{walltime: 9h}}, needed: {{}}}}\n")
    made = prepared(REQUEST, f"qos={right}", f"queue={'a' if right == 'needed' else 'b'}", site="./site.yaml")
    assert f"#SBATCH --qos={right}\n" in made.rendered.files["job.sh"]


def test_a_site_that_lists_no_qos_leaves_it_to_its_batch_system(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(QOS)
    assert prepared(REQUEST, "qos=any", "queue=b", site="./site.yaml").plan.jobs[0].qos == "any"


def test_an_account_that_a_site_has_no_use_for_is_noted_and_left_out(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(f"{QOS}account: none\n")
    made = prepared(REQUEST, "account=a1", "queue=b", site="./site.yaml")
    assert "account is not used: own has no such thing" in made.planned.notes[0]
    assert "--account" not in made.rendered.files["job.sh"]


def test_a_queue_that_needs_one_qos_takes_no_other(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(QOS)
    with pytest.raises(DoesNotFit, match="queue 'a' of own is for the QOS 'needed', not for 'any'") as refusal:
        prepared(REQUEST, "qos=any", "queue=a", site="./site.yaml")
    assert "leave qos out" in str(refusal.value) and "b would take it: --set queue=b" in str(refusal.value)
    assert prepared(REQUEST, "qos=any", "queue=auto", site="./site.yaml").plan.jobs[0].queue == "b"


def test_a_rule_of_the_site_is_told_with_its_place(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(f"{QOS}policy: {{required: [account], forbidden: [mail.to, qos]}}\n")
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(REQUEST, "qos=any", "queue=b", site="./site.yaml")
    rules = QOS.count("\n") + 1
    assert "account: own asks every user to set it\n    add it to the profile, or --set account=…; the rule is at" in (
        str(refusal.value)
    )
    assert f"qos: own does not let users set it\n    leave it out; the rule is at site.yaml:{rules}" in str(
        refusal.value
    )


def test_a_layout_that_is_not_allowed_names_what_is_missing_and_another_one(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("extends: local\nname: own\nlayouts: [single-job]\n")
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(REQUEST, "layout=mpi", "queue=null", site="./site.yaml")
    (problem,) = refusal.value.problems
    assert problem.message == (
        "layout: own does not allow 'mpi', and names no launcher for MPI (launchers.mpi: mpiexec, say)"
    )
    assert problem.hint.startswith("choose another: --set layout=single-job; ")


def test_no_layout_is_offered_where_none_is_allowed(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(REQUEST, "queue=parallel", site="pegasus")
    assert "--set layout" not in str(refusal.value) and "allowed there: none" in str(refusal.value)


def test_a_message_of_the_site_may_have_several_lines(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(f"{QOS}message: |\n  Down on Monday.\n  Ask the help desk.\n")
    assert prepared(REQUEST, site="./site.yaml").rendered.message == "Down on Monday.\nAsk the help desk.\n"
