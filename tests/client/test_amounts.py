"""How many workers dask-jobqueue's words mean."""

from __future__ import annotations

from typing import Any

import pytest

from hpc_launch.client import amounts
from hpc_launch.errors import UsageError
from hpc_launch.runs.scale import Group, Target

GROUP = Group("workers", per_node=2, cores=20, memory_bytes=60 * 10**9, kept_by_job=True)


@pytest.mark.parametrize(
    ("n", "jobs", "cores", "memory", "workers"),
    [
        (12, None, None, None, 12),
        (0, None, None, None, 0),
        (None, 6, None, None, 12),
        (None, None, 240, None, 12),
        (None, None, 241, None, 13),
        (None, None, None, "600 GB", 10),
        (None, None, None, "601GB", 11),
        (3, 1, None, "240 GB", 4),
    ],
)
def test_all_that_is_asked_for_will_be_there(n: Any, jobs: Any, cores: Any, memory: Any, workers: int) -> None:
    assert amounts.fixed(GROUP, n, jobs, cores, memory) == Target(workers=workers)


@pytest.mark.parametrize(
    ("words", "bounds"),
    [
        ({"minimum": 1, "maximum": 9}, (1, 9)),
        ({"minimum_jobs": 1, "maximum_jobs": 9}, (2, 18)),
        ({"minimum_cores": 30, "maximum_cores": 59}, (2, 2)),
        ({"maximum": 9, "maximum_memory": "240 GB"}, (0, 4)),
    ],
)
def test_bounds_hold_for_each_of_the_words(words: dict[str, Any], bounds: tuple[int, int]) -> None:
    target = amounts.adaptive(GROUP, **words)
    assert (target.minimum, target.maximum) == bounds


def test_the_pace_of_dask_is_passed_on() -> None:
    target = amounts.adaptive(GROUP, maximum=3, interval="500ms", wait_count=5)
    assert target.as_json() == {"minimum": 0, "maximum": 3, "interval": 0.5, "wait_count": 5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "at most"),
        ({"minimum": 3, "maximum": 2}, "3 workers, is more than the maximum, 2"),
        ({"maximum": "many"}, "'many' is no number"),
        ({"maximum": -1}, "-1 is no number"),
        ({"maximum_memory": "60G"}, "60"),
        ({"maximum": 1, "interval": "soon"}, "no time"),
        ({"maximum": 1, "maximun_jobs": 3}, "maximun_jobs"),
    ],
)
def test_what_is_no_bound_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        amounts.adaptive(GROUP, **words)


def test_nothing_asked_for_is_refused() -> None:
    with pytest.raises(UsageError, match="how many"):
        amounts.fixed(GROUP, None, None, None, None)
