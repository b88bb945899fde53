"""The layout job-array on this machine: what is rendered, how many worker jobs run at once, what is too large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import DoesNotFit
from hpc_launch.prepare import Prepared
from tests.rendering import EXAMPLE, GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]
ARRAY = "layout=job-array"
"""Of the tests' machine of 4 cores and 16 GiB."""


@pytest.fixture
def two_at_once(tmp_path: Path) -> str:
    """A site profile for this machine, on which two worker jobs run at once."""
    (tmp_path / "site.yaml").write_text("extends: local\nname: two\nlimits: {running: {jobs: 2}}\n")
    return "./site.yaml"


def test_both_scripts_are_rendered_as_in_the_golden_files(prepared: Prepare, tmp_path: Path) -> None:
    made = prepared(EXAMPLE, ARRAY, "workers.count=22", site="local")
    for file in sorted((GOLDEN / "job-array" / "local").iterdir()):
        rendered = made.rendered.files[file.name].replace(str(tmp_path), "/home/user/monte-carlo-pi")
        assert rendered == file.read_text(encoding="utf-8"), file.name
    assert "jobside/sessions.sh" in made.rendered.files
    directory = write(made, tmp_path / "run")
    assert shellcheck(directory, "scheduler.sh", "workers.sh", "jobside/sessions.sh") == ""


def test_the_number_of_elements_stands_on_the_submit_line(prepared: Prepare) -> None:
    several = prepared(EXAMPLE, ARRAY, "workers.count=22", site="local").submissions()
    assert [one["command"] for one in several] == [
        ["bash", "scheduler.sh", "{run}"],
        ["bash", "workers.sh", "{run}-workers", "--array=6"],
    ]
    assert prepared(EXAMPLE, ARRAY, site="local").submissions()[1]["command"] == ["bash", "workers.sh", "{run}-workers"]


def test_a_note_says_how_many_run_at_once(prepared: Prepare, two_at_once: str) -> None:
    def notes(count: int, site: str) -> tuple[str, ...]:
        return prepared(EXAMPLE, ARRAY, f"workers.count={count}", "workers.per_node=1", site=site).planned.notes

    assert notes(2, two_at_once) == notes(4, "local") == ()
    assert notes(3, two_at_once) == ("3 worker jobs are asked for, two runs 2 worker jobs at once: the others wait",)
    assert notes(5, "local") == (
        "5 worker jobs are asked for, local runs 4 worker jobs at once, one per core: the others wait",
    )


def test_a_minimum_that_is_never_there_at_once_is_refused(prepared: Prepare, two_at_once: str) -> None:
    keys = (ARRAY, "workers.count=8", "workers.per_node=1")
    assert prepared(EXAMPLE, *keys, "workers.minimum=2", site=two_at_once)
    with pytest.raises(DoesNotFit, match="3 worker jobs are needed at once for the first 3 workers") as refused:
        prepared(EXAMPLE, *keys, "workers.minimum=3", site=two_at_once)
    assert "--set workers.minimum=2" in str(refused.value)


def test_an_element_larger_than_the_machine_is_refused(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit, match="5 cores are asked for, this machine has 4"):
        prepared(EXAMPLE, ARRAY, "workers.threads=5", site="local")
    with pytest.raises(DoesNotFit, match="this machine has 16384 MiB"):
        prepared(EXAMPLE, ARRAY, "workers.memory=20 GiB", site="local")
