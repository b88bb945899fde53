"""What demand.json says of a real scheduler."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.jobside import dask_private, eyes
from hpc_launch.jobside.idle import Idle, idle_since
from hpc_launch.jobside.pool_files import SELDOM
from tests.local.jobside.conftest import Cluster, cluster_in, connected, in_time

GROUPS: dict[str, dict[str, Any]] = {"cpu": {}, "gpu": {"resources": {"GPU": 1.0}}}


def nap(duration: float, number: int = 0) -> int:
    time.sleep(duration)
    return number


def finished(told: dict[str, Any]) -> dict[str, int]:
    return {name: group["tasks_finished"] for name, group in told["groups"].items()}


def test_tasks_that_wait_want_workers_of_the_group_that_can_do_them(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run", **GROUPS) as cluster:
            cluster.submitted(1, "cpu", 0, 4)
            cluster.submitted(2, "gpu", 4, 4)
            plain = cluster.client.submit(nap, 0.1)
            fat = cluster.client.submit(nap, 0.1, 1, resources={"GPU": 1})
            never = cluster.client.map(nap, [0.1] * 3, range(2, 5), resources={"licence": 1})
            told = await cluster.until(lambda told: told.get("unsatisfiable"))
            assert {name: group["demand"] for name, group in told["groups"].items()} == {"cpu": 1, "gpu": 1}
            assert told["unsatisfiable"] == [{"resources": {"licence": 1}, "tasks": 3}]
            await cluster.add(0)
            await cluster.add(4, resources={"GPU": 1})
            assert await cluster.client.gather([plain, fat]) == [0, 1]
            told = await cluster.until(lambda told: finished(told) == {"cpu": 1, "gpu": 1})
            assert {name: group["elements_connected"] for name, group in told["groups"].items()} == {
                "cpu": [0],
                "gpu": [4],
            }
            assert told["longest_task_seconds"] >= 0.1
            assert (told["spare"], told["held_by_data"]) == (
                [4],
                [0],
            )  # the dearest group first; one must keep the data
            assert {future.status for future in never} == {"pending"}

    in_time(check())


def test_tasks_bound_to_workers_that_are_not_there_want_none(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            future = cluster.client.submit(nap, 0.1, workers=["elsewhere"])
            told = await cluster.until(lambda told: told.get("tasks_for_absent_workers"))
            assert (told["tasks_for_absent_workers"], told["groups"]["workers"]["demand"]) == (1, 0)
            assert future.status == "pending"

    in_time(check())


def test_many_tasks_want_few_workers_until_their_duration_is_known(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run", workers={"threads": 2}) as cluster:
            futures = cluster.client.map(nap, [0.5] * 5000, range(5000))
            told = await cluster.until(lambda told: told["groups"] and told["groups"]["workers"]["demand"])
            assert told["groups"]["workers"]["demand"] == 1
            await cluster.add(0, nthreads=2)
            told = await cluster.until(lambda told: told["groups"]["workers"]["demand"] > 1)
            assert told["groups"]["workers"]["threads_busy"] == 2
            told = await cluster.until(lambda told: finished(told)["workers"] > 4)
            assert 35 <= told["groups"]["workers"]["demand"] <= 90  # 2,500 s of work in 30 s with two threads each: 42
            await cluster.client.cancel(futures)

    in_time(check())


def test_elements_with_tasks_are_not_spared(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1, 2)
            future = cluster.client.submit(nap, 1.5, workers=[cluster.elements[1][0].address])
            await cluster.until(lambda told: told["spare"] == [0, 2])
            await future
            told = await cluster.until(lambda told: told["held_by_data"])
            assert (told["spare"], told["held_by_data"]) == ([0, 2], [1])

    in_time(check())


def test_idle_is_who_has_no_task_no_client_and_no_data(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            assert idle_since(cluster.scheduler, None) is None  # the client of this test
            await cluster.client.close()
            assert (began := idle_since(cluster.scheduler, None)) is not None
            async with connected(cluster.scheduler.address, name="hpc-launch"):
                assert idle_since(cluster.scheduler, began) == began
            async with connected(cluster.scheduler.address):
                assert idle_since(cluster.scheduler, began) is None
            assert idle_since(cluster.scheduler, began) == began

    in_time(check())


def test_a_clock_that_is_set_ends_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.client.close()
            idle = Idle(cluster.scheduler, 3600, str(tmp_path / "idle"))
            idle.look()
            assert idle.since is not None
            tomorrow = time.time() + 86400
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda: tomorrow)
                idle.look()
            assert not hasattr(idle, "end")
            idle.since -= 3600
            idle.look()
            await idle.end
            assert (tmp_path / "idle").exists()

    in_time(check())


def test_a_poke_has_everything_looked_at_now(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.until(lambda told: told["spare"] == [0])
            cluster.eyes.files.quiet_every = cluster.eyes.look_every = 3600
            await asyncio.sleep(1)
            before = cluster.told()["time"]
            cluster.retire(0)
            assert await cluster.client.scheduler.hpc_launch_poke() == "OK"
            assert (await cluster.until(lambda told: told["time"] > before))["draining"].keys() <= {"0"}
            await cluster.until(lambda told: cluster.eyes.retiring.drains)

    in_time(check())


def test_little_is_done_to_files_while_nothing_changes(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.until(lambda told: told["spare"] == [0])
            await asyncio.sleep(1)
            turns, began = count_file_work(cluster), time.monotonic()
            await asyncio.sleep(3)
            assert "write" in turns
            assert len(turns) <= (time.monotonic() - began) / cluster.eyes.files.quiet_every + 1

    in_time(check())


def test_without_a_keeper_only_what_people_are_told_is_written(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run", False) as cluster:
            cluster.submitted(1, "workers", 0, 4)
            await cluster.add(0)
            told = await cluster.until(lambda told: told["groups"]["workers"]["connected"] == 1)
            assert told.keys() == {"schema", "time", "groups", "unsatisfiable"}
            cluster.retire(0)
            await asyncio.sleep(SELDOM * cluster.eyes.files.quiet_every)  # until then a keeper is expected
            turns, began = count_file_work(cluster), time.monotonic()
            await asyncio.sleep(4)
            assert len(turns) <= (time.monotonic() - began) / (SELDOM * cluster.eyes.files.quiet_every) + 1
            assert "write" not in turns and not cluster.eyes.retiring.drains

    in_time(check())


@pytest.mark.parametrize("poked", [True, False])
def test_a_keeper_that_begins_is_told_everything_and_obeyed(tmp_path: Path, poked: bool) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run", False) as cluster:
            cluster.submitted(1, "workers", 0, 4)
            await cluster.add(0)
            await cluster.until(lambda told: told["groups"]["workers"]["connected"] == 1)
            cluster.eyes.files.quiet_every = 3600 if poked else cluster.eyes.files.quiet_every
            cluster.retire(0)
            await asyncio.sleep(2.5)
            if poked:
                assert await cluster.client.scheduler.hpc_launch_poke() == "OK"
                await asyncio.sleep(0.5)  # it begins a little later
            (cluster.run / "pool" / "lease").touch()
            await cluster.until(lambda told: told.get("spare") is not None and "draining" in told)
            await cluster.until(lambda told: cluster.eyes.retiring.drains)
            (cluster.run / "pool" / "lease").unlink()
            cluster.eyes.files.poke()
            await cluster.until(lambda told: "spare" not in told)

    in_time(check())


def count_file_work(cluster: Cluster) -> list[str]:
    """Every reading and writing from now on."""
    done: list[str] = []
    reader, files = cluster.eyes.files.reader, cluster.eyes.files
    read, write = reader.read, files.write

    def counted_read(unresolved: bool, kept: bool) -> Any:
        done.append("read and more" if unresolved else "read")
        return read(unresolved, kept)

    def counted_write(text: str) -> None:
        done.append("write")
        write(text)

    reader.read, files.write = counted_read, counted_write  # type: ignore[method-assign]
    return done


def test_an_element_that_cannot_be_told_at_first_is_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system may be slow for longer than files are looked at each time."""
    monkeypatch.setattr(eyes, "SOON", 0.2)
    monkeypatch.setattr(eyes, "LATER", 1.0)

    async def check() -> None:
        async with cluster_in(tmp_path / "run", **GROUPS) as cluster:
            await cluster.add(4, resources={"GPU": 1})
            told = await cluster.until(lambda told: told["unknown_workers"] == 1)
            assert told["groups"]["gpu"]["elements_connected"] == []
            await asyncio.sleep(1)
            done = count_file_work(cluster)
            await cluster.until(lambda told: {"read", "read and more"} <= set(done))  # not each time
            cluster.submitted(1, "gpu", 4, 4)
            told = await cluster.until(lambda told: told["unknown_workers"] == 0)
            assert told["groups"]["gpu"]["elements_connected"] == [4]

    in_time(check())


def test_workers_that_come_back_are_counted_until_they_finish_a_task(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1)
            await cluster.until(lambda told: told["groups"]["workers"]["connected"] == 2)
            stopped = []
            for _ in range(2):
                stopped.append(cluster.elements[1][0])
                await stopped[-1].close()
                await cluster.add(1)
                await cluster.until(lambda told: told["rejoins"] == {"1": len(stopped)})
            other, looping = (cluster.elements[number][0].address for number in (0, 1))
            await cluster.client.submit(nap, 0.01, 1, workers=[other])
            await cluster.until(lambda told: finished(told) == {"workers": 1})
            assert cluster.told()["rejoins"] == {"1": 2}
            await cluster.client.submit(nap, 0.01, 2, workers=[looping])
            await cluster.until(lambda told: told["rejoins"] == {})

    in_time(check())


def test_a_list_that_cannot_be_read_calls_nothing_off(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0)
            await cluster.client.submit(nap, 0.01)
            future = cluster.client.submit(nap, 0.01, 1)
            await future
            cluster.retire(0)
            await cluster.until(lambda told: told["draining"] == {"0": "moving data"})
            for text in ('{"schema": 1', '{"schema": 2, "elements": {}}', '{"schema": 1, "elements": []}', ""):
                (cluster.run / "pool" / "retire.json").write_text(text)
                await asyncio.sleep(0.5)
                assert cluster.told()["draining"] == {"0": "moving data"}
            (cluster.run / "pool" / "retire.json").unlink()
            await asyncio.sleep(0.5)
            assert cluster.told()["draining"] == {"0": "moving data"}

    in_time(check())


def test_all_of_dask_that_is_promised_to_nobody_is_there(tmp_path: Path) -> None:
    async def check() -> None:
        async with cluster_in(tmp_path / "run") as cluster:
            await cluster.add(0, 1)
            futures = cluster.client.map(nap, [0.2] * 8, range(8), pure=False)
            await asyncio.sleep(0.3)
            cluster.retire(0)
            await cluster.client.gather(futures)
            await cluster.until(lambda told: told["ended"] == [0])
            dask_private.forget_retiring(cluster.scheduler, [cluster.elements[1][0].address])
        assert dask_private.missed == set()

    in_time(check())
