"""What the tests share: a fixed outside world, and the way from a profile's text to files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from hpc_launch.advice.changes import Problems
from hpc_launch.context import Context
from hpc_launch.models.plan import Planned
from hpc_launch.prepare import Prepared, prepare, try_to_plan
from hpc_launch.resolve import Resolved

ROOT = Path(__file__).resolve().parent.parent
SITES = ROOT / "tests" / "site"
TORQUE = ROOT / "tests" / "torque"
"""A batch system from outside the package, as a third party would write it."""
GIB = 2**30

LEAST = "workers: {count: 2, memory: 1 GiB}\nworkload: {command: [python, work.py]}\n"
"""The shortest profile."""

TIMES = int(os.environ.get("HPC_LAUNCH_TIMES", "1"))
"""How many times as many examples properties are tried with; `make test-long` sets it."""
settings.register_profile("here", max_examples=100 * TIMES, deadline=None)
settings.load_profile("here")

# A shell that starts this in the background lets it, and all that it starts, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A login host of 4 cores and 16 GiB; its user has no configuration and works in an empty directory."""
    return Context(
        directory=tmp_path,
        home=tmp_path / "home",
        environment={"HPC_LAUNCH_SITE_PATH": str(SITES), "HOME": str(tmp_path / "home")},
        hostname="login.example.org",
        user="user",
        cores=4,
        memory_bytes=16 * GIB,
        interpreter="/opt/analysis/bin/python",
    )


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Resolved]:
    """Every run that is planned, also those that are only tried for what a refusal says."""
    made: list[Resolved] = []

    def noted(resolved: Resolved, context: Context) -> Planned | Problems:
        made.append(resolved)
        return try_to_plan(resolved, context)

    monkeypatch.setattr("hpc_launch.prepare.try_to_plan", noted)
    return made


@pytest.fixture
def torque(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in is installed."""
    monkeypatch.syspath_prepend(TORQUE)


@pytest.fixture
def prepared(tmp_path: Path, context: Context) -> Callable[..., Prepared]:
    """Write a profile and prepare it: ``prepared(text, "workers.count=3", site="local")``."""

    def from_text(text: str = LEAST, *assignments: str, site: str | None = "testcluster") -> Prepared:
        (tmp_path / "profile.yaml").write_text(text, encoding="utf-8")
        return prepare(Path("profile.yaml"), context, site, assignments)

    return from_text
