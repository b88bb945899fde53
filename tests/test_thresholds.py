"""Dask's memory policy: what the profile says of it, and what is left to the user's own settings of Dask."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from hpc_launch.errors import InvalidConfiguration
from hpc_launch.prepare import Prepared

Prepare = Callable[..., Prepared]
SITES = ["local", "testcluster", "pbscluster", "lsfcluster", "gridcluster"]
WORKERS = "workers: {count: 1, memory: 1 GiB%s}\nworkload: {command: x}\nwalltime: 00:05:00\n"


def said(prepared: Prepared, script: str = "node.sh") -> dict[str, str]:
    """Dask's variables that workers are given."""
    pattern = r"^export DASK_DISTRIBUTED__WORKER__MEMORY__(\w+)=(\S+)$"
    return dict(re.findall(pattern, prepared.rendered.files[script], re.M))


def left(prepared: Prepared, script: str = "node.sh") -> list[str]:
    """What holds where the user has no settings."""
    return re.findall(r"distributed\.worker\.memory\.(\w+)=False", prepared.rendered.files[script])


@pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])
@pytest.mark.parametrize("site", SITES)
def test_what_the_profile_says_wins_and_the_rest_is_left_to_the_user(prepared: Prepare, site: str, layout: str) -> None:
    thresholds = ", thresholds: {target: 50%, spill: false, pause: 0.85}"
    made = prepared(WORKERS % thresholds, f"layout={layout}", site=site)
    assert said(made) == {"TARGET": "0.5", "SPILL": "false", "PAUSE": "0.85"} and left(made) == []
    assert said(prepared(WORKERS % "", f"layout={layout}", site=site)) == {}


@pytest.mark.parametrize(
    ("keys", "variables", "usual"),
    [
        ("", {}, ["target", "spill"]),  # decided on the node, by the kind of its local directory
        (", spill: true", {"TARGET": "0.6", "SPILL": "0.7"}, []),
        (", spill: false", {"TARGET": "false", "SPILL": "false"}, []),
        (", thresholds: {target: false}", {"TARGET": "false"}, ["spill"]),
        (
            ", spill: false, thresholds: {terminate: 99%}",
            {"TARGET": "false", "SPILL": "false", "TERMINATE": "0.99"},
            [],
        ),
    ],
)
def test_spilling(prepared: Prepare, keys: str, variables: dict[str, str], usual: list[str]) -> None:
    made = prepared(WORKERS % keys, "workers.local_directory=/somewhere")
    assert (said(made), left(made)) == (variables, usual)


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ("{target: 0.8, spill: 0.7}", "target 80% is more than spill 70%"),
        ("{target: 0.75}", "target 75% is more than spill 70%, Dask's own,"),
        ("{spill: false, pause: 0.5}", "target 60%, Dask's own, is more than pause 50%"),
        ("{pause: 97%}", "pause 97% is more than terminate 95%, Dask's own,"),
    ],
)
def test_each_is_reached_before_the_next(prepared: Prepare, thresholds: str, told: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(WORKERS % f", thresholds: {thresholds}")
    assert str(refused.value).startswith(f"profile.yaml:1: workers.thresholds: {told}")


@pytest.mark.parametrize("value", ["0", "100%", "1.5", "true", "high"])
def test_a_threshold_is_a_share_or_false(prepared: Prepare, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"profile.yaml:1: workers.thresholds.pause: "):
        prepared(WORKERS % f", thresholds: {{pause: {value}}}")


def test_spilling_is_said_in_one_place(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"target beside workers.spill, which decides the same"):
        prepared(WORKERS % ", spill: false, thresholds: {target: 50%}")


def test_a_group_has_thresholds_of_its_own_beside_those_of_all(prepared: Prepare) -> None:
    text = """
layout: job-array
workers:
  memory: 1 GiB
  thresholds: {pause: 85%, terminate: false}
  groups:
    thin: {count: 1}
    fat: {count: 1, thresholds: {pause: 90%, target: 30%}}
workload: {command: x}
"""
    made = prepared(text)
    assert said(made, "node-thin.sh") == {"PAUSE": "0.85", "TERMINATE": "false"}
    assert said(made, "node-fat.sh") == {"PAUSE": "0.9", "TERMINATE": "false", "TARGET": "0.3"}
    with pytest.raises(InvalidConfiguration, match=r"workers.groups.fat.thresholds: target beside workers.spill"):
        prepared(text, "workers.spill=true")
