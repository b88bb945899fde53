"""Where every value came from: whatever layer sets whatever key, explain names that layer and its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpc_launch.config.layers import dotted
from hpc_launch.context import Context
from hpc_launch.explain import Leaf, leaves
from hpc_launch.prepare import Prepared, prepare
from tests.conftest import TIMES

Prepare = Callable[..., Prepared]
KEYS: dict[tuple[str, ...], list[Any]] = {
    ("account",): ["a1", "a2", "a3", "a4"],
    ("queue",): ["short", "long", "short", "long"],
    ("walltime",): ["00:05:00", "00:06:00", "00:07:00", "00:08:00"],
    ("security",): ["none", "tls", "none", "tls"],
    ("mail", "to"): ["a@b.org", "c@d.org", "e@f.org", "g@h.org"],
    ("mail", "on"): [["begin"], ["end"], ["fail"], []],
    ("directives",): [["--licenses=a"], ["--licenses=b"], ["--licenses=c"], []],
    ("workers", "count"): [1, 2, 3, 4],
    ("workers", "threads"): [2, 3, 4, 5],
    ("workers", "memory"): ["1 GiB", "2 GB", "300 MB", "1000 MB"],
    ("workers", "minimum"): [1, 1, 1, 1],
    ("workers", "spill"): [True, False, True, False],
    ("workers", "lifetime"): ["1h", "2h", "3h", "auto"],
    ("workers", "resources", "subprocess_slots"): [1, 2, 3, 4],
    ("workers", "options"): [["--preload", "a"], ["--preload", "b"], [], ["--preload", "c"]],
    ("scheduler", "cores"): [0, 1, 2, 1],
    ("scheduler", "dashboard"): [True, False, True, False],
    ("environment", "modules"): [["gcc"], ["gcc/12"], [], ["mpi"]],
    ("environment", "variables", "TITLE"): ["a", "b", "c", "d: e"],
    ("workload", "command"): [["a"], ["b"], "c | d", ["e"]],
    ("workload", "directory"): [".", "$HOME", "/x", "y"],
}
"""Keys, and a value for each layer."""
LAYERS = ["site.yaml", "config.yaml", "profile.yaml", "--set"]
ALWAYS: dict[tuple[str, ...], Any] = {("workers", "count"): 1, ("workload", "command"): ["true"]}


def written(values: dict[tuple[str, ...], Any], above: tuple[str, ...] = ()) -> tuple[str, dict[tuple[str, ...], int]]:
    """YAML in which each key has a line of its own, and the number of that line."""
    lines: list[str] = []
    places: dict[tuple[str, ...], int] = {}
    open_path: tuple[str, ...] = ()
    for path, value in sorted(values.items()):
        full = (*above, *path)
        common = next((n for n, pair in enumerate(zip(full[:-1], open_path, strict=False)) if pair[0] != pair[1]), None)
        start = min(len(full) - 1, len(open_path)) if common is None else common
        lines += [f"{'  ' * depth}{full[depth]}:" for depth in range(start, len(full) - 1)]
        open_path = full[:-1]
        text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
        lines.append(f"{'  ' * (len(full) - 1)}{full[-1]}: {text}")
        places[path] = len(lines)
    return "\n".join(lines) + "\n", places


def prepared_from(layers: list[dict[tuple[str, ...], Any]], context: Context) -> tuple[Prepared, list[dict[Any, int]]]:
    """The profile that these layers make, and the lines of each of their keys."""
    site, config, profile, options = layers
    directory = context.directory
    defaults, site_lines = written(site, ("defaults",))
    head = "schema: 1\nname: here\nextends: testcluster\n"
    (directory / "site.yaml").write_text(head + (defaults if site else ""))
    text, user_lines = written(config)
    context.configuration.mkdir(parents=True, exist_ok=True)
    (context.configuration / "config.yaml").write_text(text)
    text, own_lines = written({**ALWAYS, **profile})
    (directory / "profile.yaml").write_text(text)
    words = [f"{'.'.join(path)}={yaml.safe_dump(value, default_flow_style=True)}" for path, value in options.items()]
    words = [word.removesuffix("...\n").strip() for word in words]
    shifted = {path: line + head.count("\n") for path, line in site_lines.items()}
    return prepare(Path("profile.yaml"), context, "./site.yaml", words), [shifted, user_lines, own_lines, {}]


def leaf_of(made: Prepared, path: tuple[str, ...]) -> Leaf:
    return next(leaf for leaf in leaves(made.resolved, made.planned.reasons) if leaf.path == path)


@settings(max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(sorted(KEYS)), chosen=st.sets(st.integers(0, 3), min_size=1), data=st.data())
def test_explain_names_the_highest_layer_that_set_a_key_and_its_line(
    context: Context, path: tuple[str, ...], chosen: set[int], data: st.DataObject
) -> None:
    around = data.draw(st.sets(st.sampled_from(sorted(KEYS)), max_size=4)) - {path}
    layers: list[dict[tuple[str, ...], Any]] = [{}, {}, {}, {}]
    for other in around:
        layers[data.draw(st.integers(0, 3))][other] = KEYS[other][1]
    for layer in chosen:
        layers[layer][path] = KEYS[path][layer]
    highest = max(chosen)
    if path in ALWAYS and highest < 2:
        highest = 2  # the profile has it anyway
    profile: dict[tuple[str, ...], Any] = {**ALWAYS, **layers[2]}
    expected = profile[path] if highest == 2 else KEYS[path][highest]
    made, lines = prepared_from(layers, context)
    leaf = leaf_of(made, path)
    if expected in (None, "auto"):  # the value is computed then
        assert "computed" in leaf.origin
        return
    assert leaf.value == expected
    if highest == 3:
        assert leaf.origin.startswith(f"--set {dotted(path)}=")
    else:
        assert leaf.origin.endswith(f"{LAYERS[highest]}:{lines[highest][path]}")


def test_a_key_that_nobody_set_has_the_built_in_default(prepared: Prepare) -> None:
    made = prepared("workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n")
    assert leaf_of(made, ("workers", "threads")) == Leaf(("workers", "threads"), 1, "built-in default")


def test_null_uncovers_nothing_below(prepared: Prepare) -> None:
    made = prepared("account: a1\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n", "account=null")
    assert leaf_of(made, ("account",)).origin == "built-in default"


def test_changed_are_those_that_differ_from_the_built_in_defaults(prepared: Prepare) -> None:
    text = "workers: {count: 1, threads: 1, memory: 1 GiB}\nworkload: {command: x}\nsecurity: none\n"
    made = prepared(text, "scheduler.dashboard=true")
    changed = {leaf.path for leaf in leaves(made.resolved, made.planned.reasons) if leaf.changed}
    given = {("workers", "count"), ("workers", "memory"), ("workload", "command"), ("security",)}
    assert changed == given | {("site",), ("queue",), ("walltime",)}  # the last two by the site's defaults


def test_a_queue_that_was_left_to_auto_is_among_the_changed(prepared: Prepare) -> None:
    made = prepared("queue: auto\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n")
    assert leaf_of(made, ("queue",)) == Leaf(("queue",), "short", "the first that fits", changed=True)


@pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])
def test_what_is_explained_adds_up(prepared: Prepare, layout: str) -> None:
    from hpc_launch.explain.sentences import core_hours, described

    made = prepared("workers: {count: 3, per_node: 2, memory: 1 GiB}\nworkload: {command: x}\n", f"layout={layout}")
    jobs = made.plan.jobs
    assert core_hours(made.plan) == sum(j.nodes * (j.array or 1) * j.cores_per_node for j in jobs) * 600 / 3600
    told = "\n".join(described(made.resolved, made.plan))
    for job in jobs:
        assert f"{job.file}: " in told and f"= {job.cores_per_node}\n" in told
