"""What a path of jobs is on this host, where that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.models.site import Site, Storage
from hpc_launch.survey.compare_host import scratch_here

NASTY = "a b$(id)\\n'\""


@pytest.mark.parametrize(
    ("said", "environment", "place"),
    [
        ("/scratch", {}, "/scratch"),
        ("$TMPDIR", {"TMPDIR": "/tmp/1"}, "/tmp/1"),
        ("$TMPDIR", {}, None),
        ("${SCRATCH}/$USER/x", {"SCRATCH": "/s"}, "/s/user/x"),
        ("${SCRATCH}/$JOB", {"SCRATCH": "/s"}, None),
        ("$TMPDIR", {"TMPDIR": f"/{NASTY}"}, f"/{NASTY}"),
        ("$TMPDIR", {"TMPDIR": ""}, None),
        ("$TMPDIR", {"TMPDIR": "relative"}, None),
        ("scratch", {}, None),
        ("~/scratch", {}, "HOME/scratch"),
        ("$HOME/scratch", {"HOME": "/other"}, "HOME/scratch"),
    ],
)
def test_on_a_compute_node_a_path_is_expanded_as_jobs_do(
    context: Context, said: str, environment: Mapping[str, str], place: str | None
) -> None:
    site = Site(name="x", batch_system="x", queues={}, storage=Storage(local=said))
    here = replace(context, environment=environment)
    found = scratch_here(site, here, on_a_node=True)
    assert (found and found.path) == (place and place.replace("HOME", str(context.home)))
    elsewhere = scratch_here(site, here, on_a_node=False)
    assert (elsewhere and elsewhere.path) == ("/scratch" if said == "/scratch" else None)


def test_what_is_there_is_looked_at(context: Context, tmp_path: Path) -> None:
    site = Site(name="x", batch_system="x", queues={}, storage=Storage(local="$TMPDIR"))
    for directory, there in ((tmp_path, True), (tmp_path / "gone", False)):
        found = scratch_here(site, replace(context, environment={"TMPDIR": str(directory)}), on_a_node=True)
        assert found is not None and bool(found.filesystem) is there
