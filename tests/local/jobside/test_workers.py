"""The workers of a node are forks of one process that has imported everything once."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster

from hpc_launch.jobside import workers
from hpc_launch.locations import JOBSIDE
from hpc_launch.security import create
from tests.local.jobside.conftest import PATIENCE
from tests.sessions import in_session

WORKERS = 2
USUAL = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver",
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",  # so that tasks may make pools
}


class Node:
    """The process that was started, and a client that sees its workers."""

    def __init__(self, process: subprocess.Popen[bytes], client: Any, log: Path) -> None:
        self.process, self.client, self.log = process, client, log

    def on_workers(self, function: Callable[[], Any]) -> list[Any]:
        """What it gives on each worker, once all are there."""
        self.client.wait_for_workers(WORKERS, timeout=PATIENCE)
        return list(self.client.run(function).values())

    @property
    def server(self) -> int:
        (server,) = set(self.on_workers(os.getppid))
        return int(server)


def told_by_the_shell(run: Path) -> dict[str, str]:
    """What node.sh has set and written, when it becomes the Python of a node."""
    starting = run / "state/1/starting-here-1"
    for name in ("fit", "unfit"):
        (run / "state/1" / name).mkdir(parents=True)
    starting.write_text("Python does not run\n")
    told = {"RUN_DIR": str(run), "ATTEMPT": "1", "STARTING": str(starting), "FIT": f"{run} is disk"}
    return {f"HPC_LAUNCH_{name}": value for name, value in told.items()}


def tls(directory: Path) -> dict[str, str]:
    """Settings of a run's TLS. The scheduler of these tests has none, but what workers make ready for it is made."""
    names = {"CA_FILE": "ca.pem", "WORKER__CERT": "ca.pem", "WORKER__KEY": "key.pem"}
    return {f"DASK_DISTRIBUTED__COMM__TLS__{key}": str(directory / name) for key, name in names.items()}


def told_of_the_node(run: Path) -> list[str]:
    """What is told in ``state/`` of whether it is fit: files of one line, and anything that was left lying."""
    files = [file for file in sorted((run / "state/1").rglob("*")) if file.is_file()]
    return [f"{file.parent.name}/{file.name}: {file.read_text().strip()}" for file in files]


@contextmanager
def started(directory: Path, **variables: str) -> Iterator[Node]:
    """Workers, started as on a node of a run, in a directory with modules of a user's."""
    (directory / "room.py").write_text("NAME = 'a module of the user, who knows nothing of ours'\n")
    (directory / "begins_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
    )
    create(directory / "tls")
    words = ["--nworkers", str(WORKERS), "--nthreads", "1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    words += ["--preload-nanny", "hpc_launch_jobside.told_once", "--local-directory", str(directory)]
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        open(directory / "log", "wb") as log,
    ):
        process = subprocess.Popen(
            [sys.executable, str(JOBSIDE), "workers", cluster.scheduler_address, *words],
            cwd=directory,
            env={**os.environ, **USUAL, **tls(directory / "tls"), **told_by_the_shell(directory), **variables},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield Node(process, client, directory / "log")
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with started(tmp_path_factory.mktemp("node")) as node:
        yield node


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it did not come to be"
        time.sleep(0.1)


def lives(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


def test_they_are_forks_of_a_fork_of_the_first_process(node: Node) -> None:
    def grandparent() -> int:
        return int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])

    assert set(node.on_workers(grandparent)) == {node.process.pid}
    assert command(node.server) == command(node.process.pid), "it was not started anew"
    assert "hpc-launch:" not in node.log.read_text()
    assert "Run preload setup: hpc_launch_jobside.told_once" in node.log.read_text()


def test_what_tidies_up_after_processes_is_a_fork_too(node: Node) -> None:
    assert node.on_workers(os.getpid)
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
    assert {command(int(child)) for child in children} == {command(node.process.pid)} and len(children) == 2


def test_a_node_that_is_fit_is_told_to_be(node: Node) -> None:
    assert node.on_workers(os.getpid)
    run = node.log.parent
    assert told_of_the_node(run) == [f"fit/{os.uname().nodename}: {run} is disk"]


def test_where_nothing_can_be_told_they_begin_all_the_same(tmp_path: Path) -> None:
    told = told_by_the_shell(tmp_path)
    (tmp_path / "state/1/fit").rmdir()
    words = [sys.executable, str(JOBSIDE), "workers", "--version"]
    done = subprocess.run(words, env={**os.environ, **told}, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (["--interface", "ib99"], {}, "there is no network interface ib99 (there are: "),
        ([], {"IMPORTS": "dask no_such_module.part"}, "cannot import no_such_module.part (workers.imports)"),
        ([], {"PORTS": "1-3", "PORTS_NEEDED": "2 2"}, "too few of the ports 1-3 (network.ports) are free on this node"),
    ],
)
def test_one_that_is_not_fit_is_told_before_dask_is_imported(
    tmp_path: Path, words: list[str], variables: dict[str, str], sentence: str
) -> None:
    further = {f"HPC_LAUNCH_{name}": value for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(JOBSIDE), "workers", *words],
        env={**os.environ, **told_by_the_shell(tmp_path), **further},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 70
    (told,) = told_of_the_node(tmp_path)
    assert told.startswith(f"unfit/{os.uname().nodename}: ") and sentence in told
    assert told.partition(": ")[2] in done.stderr.splitlines()
    assert not [line for line in done.stderr.splitlines() if line.split("|")[-1].strip() in ("dask", "distributed")]


def test_modules_are_found_where_the_workers_run(node: Node) -> None:
    def name() -> str:
        import room  # type: ignore[import-not-found]

        return str(room.NAME)

    assert set(node.on_workers(name)) == {"a module of the user, who knows nothing of ours"}


def test_no_two_have_the_same_random_numbers(node: Node) -> None:
    def numbers() -> tuple[float, float, bytes]:
        import random
        import ssl

        import numpy

        return float(numpy.random.rand()), random.random(), ssl.RAND_bytes(8)

    for found in zip(*node.on_workers(numbers), strict=True):
        assert len(set(found)) == WORKERS


def test_openssl_is_made_ready_by_a_whole_handshake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[ssl.SSLObject] = []
    usual = ssl.SSLContext.wrap_bio

    def wrap_bio(*words: Any, **options: Any) -> ssl.SSLObject:
        sides.append(usual(*words, **options))
        return sides[-1]

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", wrap_bio)
    workers.shake_hands_with_itself()
    assert sides == []  # where there is no TLS
    create(tmp_path / "tls")
    with dask.config.set(
        {
            "distributed.comm.tls.ca-file": str(tmp_path / "tls/ca.pem"),
            "distributed.comm.tls.worker.cert": str(tmp_path / "tls/ca.pem"),
            "distributed.comm.tls.worker.key": str(tmp_path / "tls/key.pem"),
        }
    ):
        workers.shake_hands_with_itself()
    assert [side.version() for side in sides] == ["TLSv1.3", "TLSv1.3"]


def test_no_socket_of_the_first_process_is_held_by_the_others(node: Node) -> None:
    def sockets(process: int) -> set[str]:
        return {name for each in Path(f"/proc/{process}/fd").iterdir() if (name := os.readlink(each))[:7] == "socket:"}

    others = [node.server, *node.on_workers(os.getpid)]
    first = sockets(node.process.pid)
    assert first
    for process in others:
        assert not first & sockets(process)


@pytest.mark.parametrize("how", ["spawn", "forkserver", "fork"])
def test_tasks_may_use_pools_of_processes(node: Node, how: str) -> None:
    def pool() -> list[int]:
        import multiprocessing

        with multiprocessing.get_context(how).Pool(2) as made:
            return made.map(abs, [-1, -2])

    assert node.client.submit(pool).result(timeout=PATIENCE) == [1, 2]


def test_a_worker_that_is_killed_comes_back(node: Node) -> None:
    killed, other = node.on_workers(os.getpid)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not lives(killed))
    there = node.on_workers(os.getpid)
    assert killed not in there and other in there and len(there) == WORKERS


def test_a_forkserver_that_is_killed_comes_back_with_its_workers(node: Node) -> None:
    server, before = node.server, node.on_workers(os.getpid)
    os.kill(server, signal.SIGKILL)
    until(lambda: not any(map(lives, before)))
    assert node.client.submit(abs, -1).result(timeout=PATIENCE) == 1
    assert node.server != server


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OMP_NUM_THREADS": "2"}, "everything is imported twice, at the same time: OMP_NUM_THREADS is not 1"),
        ({"HPC_LAUNCH_IMPORTS": "begins_a_thread"}, "everything is imported twice: 1 thread runs"),
    ],
)
def test_what_must_not_be_forked_is_not_and_nothing_outlives_the_first_process(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    with started(tmp_path, **variables) as node:
        assert node.on_workers(os.getpid)
        assert "multiprocessing.forkserver" in command(node.server)
        assert said in node.log.read_text()
        node.process.terminate()
        node.process.wait(PATIENCE)
        assert in_session(node.process.pid) == []
