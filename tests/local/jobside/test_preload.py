"""The files as they travel, loaded into a Dask scheduler."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.render import _jobside
from tests.local.jobside.conftest import PATIENCE, connected
from tests.local.listening import free_range

PRELOADS = "--preload hpc_launch_jobside.within_ports --preload hpc_launch_jobside.pools"
COMMAND = f"jobside with_settings distributed.cli.dask_scheduler {PRELOADS}"
GROUPS = {"workers": {"threads": 1, "resources": {}}}


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory with the files that travel, no package around them; the user has modules of the same names."""
    for directory in ("state/1/elements", "pool", "jobside", "user"):
        (tmp_path / directory).mkdir(parents=True)
    for name, text in _jobside({"scheduler.sh": COMMAND}).items():
        (tmp_path / name).write_text(text)
        (tmp_path / "user" / Path(name).name).write_text("raise SystemExit('a module of the user')")
    (tmp_path / "pool" / "groups.json").write_text(json.dumps({"schema": 1, "groups": GROUPS}))
    return tmp_path


@contextmanager
def scheduler(run: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    ours = {"HPC_LAUNCH_RUN_DIR": str(run), "HPC_LAUNCH_ATTEMPT": "1", "PYTHONPATH": str(run / "user")}
    command = f"{COMMAND} --scheduler-file {run}/scheduler.json"
    with (run / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command.split(), "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
            cwd=run,
            env={**os.environ, **ours, **variables},
            stdout=log,
            stderr=log,
        )
    try:
        file = run / "scheduler.json"
        until(lambda: file.exists() and file.read_text().endswith("}"))
        yield process
    finally:
        process.kill()
        process.wait()


def ends(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE / 3)


def test_it_tells_of_demand_and_ends_when_told(run: Path) -> None:
    (run / "pool" / "lease").touch()
    with scheduler(run) as process:
        until((run / "state/1/demand.json").exists)
        assert json.loads((run / "state/1/demand.json").read_text())["groups"]["workers"]["demand"] == 0
        assert ends(process) == 0


def test_a_file_that_hangs_stops_neither_the_scheduler_nor_its_end(run: Path) -> None:
    os.mkfifo(run / "pool" / "retire.json")
    (run / "pool" / "lease").touch()
    with scheduler(run) as process:
        asyncio.run(is_answered(address_in(run)))
        assert not (run / "state/1/demand.json").exists()  # it does hang
        assert ends(process) == 0


def address_in(run: Path) -> str:
    """Of its scheduler."""
    return str(json.loads((run / "scheduler.json").read_text())["address"])


async def is_answered(address: str) -> None:
    async with connected(address) as client:
        assert await client.ncores() == {}


@pytest.mark.parametrize("fault", ["no groups", "no directory", "broken sibling"])
def test_what_is_broken_here_ends_no_scheduler(run: Path, fault: str) -> None:
    match fault:
        case "no groups":
            (run / "pool" / "groups.json").write_text("{")
        case "no directory":
            shutil.rmtree(run / "pool")
            shutil.rmtree(run / "state")
        case "broken sibling":
            (run / "jobside" / "eyes.py").write_text("raise ValueError('broken')")
    with scheduler(run) as process:
        time.sleep(1)
        assert process.poll() is None
        assert ends(process) == 0


def test_another_cluster_in_the_schedulers_process_listens_as_usual(run: Path) -> None:
    first, last = free_range(4)
    with scheduler(run, HPC_LAUNCH_PORTS=f"{first}-{last}"):
        address = address_in(run)
        without_ports, on_any_port = asyncio.run(others_in_its_process(address))
    assert port_of(address) in range(first, last + 1)
    assert without_ports.startswith("inproc://")
    assert port_of(on_any_port) not in range(first, last + 1)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


async def others_in_its_process(address: str) -> list[str]:
    """The addresses of clusters that a client makes there."""

    async def other(protocol: str) -> str:
        from distributed import LocalCluster

        made: Any = LocalCluster
        options = {"n_workers": 1, "processes": False, "dashboard_address": ":0", "protocol": protocol}
        async with made(asynchronous=True, **options) as cluster:
            return str(cluster.scheduler_address)

    async with connected(address) as client:
        return [await client.run_on_scheduler(other, protocol) for protocol in ("inproc", "tcp")]
