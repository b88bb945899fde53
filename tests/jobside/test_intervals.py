"""HPC_LAUNCH_INTERVALS is read on both sides, which share no file: both take it in the same way."""

from __future__ import annotations

import pytest

from hpc_launch.jobside.intervals import seconds
from hpc_launch.keeper import intervals

TEXTS = [
    "",
    "look=0.2,quiet=1",
    " look = 0.2 ,quiet=x",
    "look=0",
    "look=-3,other=2",
    "look=1,look=7",
    "look",
    "=,look=1e1",
]


@pytest.mark.parametrize("text", TEXTS)
def test_both_sides_read_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPC_LAUNCH_INTERVALS", text)
    usual, read = intervals.Intervals(), intervals.read()
    assert (read.look, read.quiet) == (seconds("look", usual.look), seconds("quiet", usual.quiet))
