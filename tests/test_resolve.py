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
    with pytest.raises(DoesNotFit, match="no queue was given"):
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
    assert profile.workload.command == ["echo", "12:00:00", "1"]


@pytest.mark.parametrize(
    "text",
    [
        "minimum: 3",
        "memory: -1 GiB",
        "count: 0",
        "threads: true",
        "resources: {gpu: 0}",
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
    origins = {dotted(leaf.path): leaf.origin for leaf in leaves(made.resolved, made.plan)}
    assert origins["workers.count"] == "profile.yaml:2"
    assert origins["scheduler.memory"] == "profile.yaml:3"
    assert origins["account"] == f"{config}:2"
    assert origins["workers.threads"] == "--set workers.threads=2"
    assert "testcluster.yaml:" in origins["queue"] and "testcluster.yaml:" in origins["workers.interface"]
    assert origins["security"] == "built-in default"
    assert origins["workers.memory"].startswith("computed")
    assert origins["environment.python"] == "the interpreter that runs hpc-launch"


def test_the_resolved_profile_holds_every_key_and_its_origin(prepared: Prepare) -> None:
    text = prepared().rendered.files["resolved.yaml"]
    assert "  count: 2  # profile.yaml:1\n" in text
    assert yaml.safe_load(text)["workers"]["memory"] == "1 GiB"
