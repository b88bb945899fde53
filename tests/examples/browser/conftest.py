"""One browser, and one run with JupyterLab beside its scheduler, for all tests of this directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.examples.browser.devtools import Page, chromium
from tests.local.runs import Here, Run, until

INTERVALS = "look=0.2,quiet=0.5,ask=1,submit=0.5"
NO_NEWS = ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
CELL = """\
import time
from dask.distributed import Client

def square(x):
    time.sleep(0.05)
    return x * x

client = Client()
print("computed", sum(client.gather(client.map(square, range(100)))))"""


@dataclass
class Served:
    """A run whose pages are there."""

    run: Run

    def status(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = self.run.status()[name]
        return told

    def token(self, name: str) -> str:
        return Path(self.status(name)["token_file"]).read_text()

    def url(self, name: str, path: str = "") -> str:
        """With its token."""
        return f"{self.status(name)['url']}{path}?token={self.token(name)}"


@pytest.fixture(scope="session")
def new_page() -> Iterator[Callable[[], Page]]:
    with chromium() as new:
        yield new


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A standing cluster of one worker, which can grow."""
    place = tmp_path_factory.mktemp("served")
    project, home = place / "project", place / "home"
    for directory in (project, (home / NO_NEWS).parent):
        directory.mkdir(parents=True)
    (home / NO_NEWS).write_text('{"fetchNews": "false"}')
    (project / "squares.ipynb").write_text(json.dumps(notebook(CELL)))
    here = Here(project, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPC_LAUNCH_INTERVALS", INTERVALS)
        beside = {"scheduler": {"memory": "200 MB", "cores": 0}, "services": {"jupyter": {"memory": "1 GB"}}}
        done = here.command("submit", here.profile([], layout="job-array", workload="none", **beside))
    assert done.returncode == 0, done.stderr
    run = Run(here, done.stdout.strip())
    try:
        until(lambda: (run.status()["jupyter"] or {}).get("url"), "JupyterLab")
        until(lambda: run.status()["workers"]["connected"] == 1, "the worker")
        yield Served(run)
    finally:
        here.end_all()


def notebook(cell: str) -> dict[str, Any]:
    """One of a single cell."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    of_code: dict[str, Any] = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [{**of_code, "source": cell}]
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
