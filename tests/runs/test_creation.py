"""Whether a run directory could be made is tried, and nothing is left of the trial."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hpc_launch.errors import UsageError
from hpc_launch.runs import creation


@contextmanager
def no_more_files() -> Iterator[None]:
    """Directories can be made meanwhile, but nothing can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.dup(0)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nothing_is_left_where_it_could_be_made(tmp_path: Path) -> None:
    creation.try_out(tmp_path / "runs" / "pi-1")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_it_cannot_be_looked_at(tmp_path: Path) -> None:
    creation.try_out(tmp_path / "runs" / "pi-1")  # modules are imported by now
    with no_more_files(), pytest.raises(UsageError, match=r"cannot make the run directory .*: Too many open files"):
        creation.try_out(tmp_path / "runs" / "pi-1")
    assert list(tmp_path.iterdir()) == []
