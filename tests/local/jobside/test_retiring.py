"""Elements leave a real cluster: no task runs twice because of it, and no data are lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from distributed import Nanny, worker_client

from tests.local.jobside.conftest import Cluster, cluster_in, in_time


def append(path: str, name: str, duration: float) -> str:
    """A task that can be seen to begin."""
    with open(path, "a") as file:
        file.write(f"{name}\n")
    time.sleep(duration)
    return name


def begun(path: Path) -> Counter[str]:
    return Counter(path.read_text().split())


def test_no_task_runs_twice_when_an_element_leaves(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        log.touch()
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1, 7, workers=2)
            names = [f"task-{number}" for number in range(24)]
            futures = cluster.client.map(append, [str(log)] * 24, names, [0.7] * 24, pure=False)
            await asyncio.sleep(0.5)
            cluster.retire(7)
            await cluster.until(lambda told: told["draining"].get("7") == "waiting for tasks")
            told = await cluster.until(lambda told: told["ended"] == [7])
            assert told["groups"]["workers"]["elements_connected"] == [0, 1]
            assert await cluster.client.gather(futures) == names
            assert begun(log) == Counter(names)

    in_time(check())


def make(size: int) -> bytes:
    return b"x" * size


MIB = 2**20
LIMITED = 4 * 2**30
"""Of a worker in this process, whose own memory counts as the worker's: far more than that."""


def test_data_move_before_an_element_closes(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1)
            address = cluster.elements[1][0].address
            futures = [cluster.client.submit(make, MIB, workers=[address], pure=False) for _ in range(20)]
            await asyncio.gather(*futures)
            cluster.retire(1)
            await cluster.until(lambda told: told["ended"] == [1])
            assert [len(data) for data in await cluster.client.gather(futures)] == [MIB] * 20
            assert computed(cluster, futures) == 20

    in_time(check())


def computed(cluster: Cluster, futures: list[Any]) -> int:
    """How often these tasks came into memory, again ones included."""
    return sum(prefix.state_counts["memory"] for prefix in cluster.scheduler.task_prefixes.values())


def test_the_last_element_is_held_by_its_data_until_there_is_another(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            future = cluster.client.submit(make, MIB)
            await future
            cluster.retire(0)
            await cluster.until(lambda told: told["draining"] == {"0": "moving data"})
            assert cluster.told()["held_by_data"] == [0]
            await asyncio.sleep(2.5)  # the attempt is repeated
            assert cluster.told()["held_by_data"] == [0]
            await cluster.add(1)
            await cluster.until(lambda told: told["ended"] == [0])
            assert len(await future) == MIB
            assert computed(cluster, [future]) == 1

    in_time(check())


def test_an_element_whose_time_is_up_closes_and_its_data_are_computed_anew(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            held = cluster.client.submit(append, str(log), "held", 0)
            await held
            busy = cluster.client.submit(append, str(log), "busy", 4.0)
            cluster.retire(0, close_at=time.time() + 3)
            await cluster.until(lambda told: told["draining"] == {"0": "waiting for tasks"})
            await cluster.until(lambda told: told["ended"] == [0])
            await cluster.add(1)
            assert await cluster.client.gather([held, busy]) == ["held", "busy"]
            assert begun(log) == {"held": 2, "busy": 2}
            assert cluster.scheduler.tasks[busy.key].suspicious == 0

    in_time(check())


def test_data_are_not_moved_where_they_have_no_room(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, memory_limit=400 * MIB)  # this process takes most of it
            await cluster.add(1)
            future = cluster.client.submit(make, 300 * MIB, workers=[cluster.elements[1][0].address])
            await future
            cluster.retire(1)
            await cluster.until(lambda told: told["draining"] == {"1": "moving data"})
            await asyncio.sleep(2.5)  # it is tried again
            assert cluster.told()["held_by_data"] == [1]
            assert len(cluster.scheduler.workers) == 2
            cluster.retire()
            told = await cluster.until(lambda told: not told["draining"])
            assert told["held_by_data"] == [1]  # it could not be spared either
            assert await takes_tasks(cluster, 1)

    in_time(check())


async def takes_tasks(cluster: Cluster, number: int) -> bool:
    address = cluster.elements[number][0].address
    return bool(await cluster.client.submit(lambda: True, workers=[address], pure=False) is True)


def test_an_element_without_data_may_be_the_last_one(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.until(lambda told: told["spare"] == [0])
            cluster.retire(0)
            told = await cluster.until(lambda told: told["ended"] == [0])
            assert told["groups"]["workers"]["connected"] == 0

    in_time(check())


def test_retiring_is_called_off_in_the_middle(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1)
            address = cluster.elements[1][0].address
            future = cluster.client.submit(append, str(log), "long", 2.0, workers=[address])
            await asyncio.sleep(0.2)
            cluster.retire(1)
            await cluster.until(lambda told: told["draining"] == {"1": "waiting for tasks"})
            cluster.retire()
            await cluster.until(lambda told: not told["draining"])
            assert await future == "long"
            assert await takes_tasks(cluster, 1)
            assert begun(log) == {"long": 1}

    in_time(check())


def test_after_its_grace_an_element_leaves_with_tasks(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1)
            workers = [element[0].address for element in cluster.elements.values()]
            future = cluster.client.submit(append, str(log), "long", 4.0, workers=workers[1], allow_other_workers=True)
            await asyncio.sleep(0.5)
            cluster.retire(1, grace=0.5)
            await cluster.until(lambda told: told["ended"] == [1])
            assert not future.done()
            assert await future == "long"
            assert begun(log) == {"long": 2}

    in_time(check())


def test_a_worker_that_crashes_while_it_drains_is_drained_again(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.add(1, kind=Nanny)
            nanny = cluster.elements[1][0]
            first = nanny.worker_address
            future = cluster.client.submit(append, str(log), "long", 3.0, workers=[first], allow_other_workers=True)
            await asyncio.sleep(0.5)
            cluster.retire(1)
            await cluster.until(lambda told: told["draining"] == {"1": "waiting for tasks"})
            os.kill(nanny.pid, signal.SIGKILL)
            await cluster.until(lambda told: told["ended"] == [1])
            assert nanny.worker_address != first or nanny.process is None
            assert cluster.eyes.rejoins == {1: 1}
            assert await future == "long"

    in_time(check())


def test_an_element_that_hangs_stops_no_other_one(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 2)
            await cluster.add(1, kind=Nanny)
            nanny = cluster.elements[1][0]
            future = cluster.client.submit(make, MIB, workers=[nanny.worker_address])
            await future
            os.kill(nanny.pid, signal.SIGSTOP)
            try:
                cluster.retire(1, 2)
                told = await cluster.until(lambda told: told["ended"] == [2])
                assert told["draining"] == {"1": "waiting for tasks"}
            finally:
                os.kill(nanny.pid, signal.SIGCONT)
            await cluster.until(lambda told: told["ended"] == [1, 2])
            assert len(await future) == MIB
            assert computed(cluster, [future]) == 1

    in_time(check())


def in_two_parts(path: str, number: int) -> list[str]:
    """A task that gives its thread back and waits for tasks of its own."""
    append(path, "parent", 0)
    with worker_client() as client:
        names = [f"part-{part}" for part in range(number)]
        return list(client.gather(client.map(append, [path] * number, names, [0.5] * number)))


def test_a_task_that_waits_for_tasks_of_its_own_is_waited_for(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.add(1, kind=Nanny)
            address = cluster.elements[1][0].worker_address
            future = cluster.client.submit(in_two_parts, str(log), 8, workers=[address])
            while not log.exists() or "part" not in log.read_text():
                await asyncio.sleep(0.05)
            cluster.retire(1)
            assert len(await future) == 8
            await cluster.until(lambda told: told["ended"] == [1])
            assert len(await future) == 8
            assert set(begun(log).values()) == {1}

    in_time(check())


def test_tasks_that_only_the_leaving_element_can_do_wait(tmp_path: Path) -> None:
    async def check() -> None:
        log = tmp_path / "log"
        async with cluster_in(tmp_path / "run", fat={"resources": {"fat": 1}}) as cluster:
            await cluster.add(0, resources={"fat": 1})
            futures = cluster.client.map(
                append, [str(log)] * 3, ["a", "b", "c"], [1.0] * 3, resources={"fat": 1}, pure=False
            )
            await asyncio.sleep(0.3)
            cluster.retire(0)
            await cluster.until(lambda told: told["draining"] or told["ended"])
            await cluster.add(1, resources={"fat": 1})
            assert await cluster.client.gather(futures) == ["a", "b", "c"]
            await cluster.until(lambda told: told["ended"] == [0])
            assert begun(log) == {"a": 1, "b": 1, "c": 1}

    in_time(check())
