"""Whole runs with real Dask that go well: two, at which many tests look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local.runs import Here, Run

HOSTILE = "a b'c\"d$(touch pwned)`touch pwned`;é\\"
"""Of the project's directory."""
SCRATCH = "a b'c\"d;touch pwned;é\\"
"""Of the directory beside it, to which workers spill."""
PLACE = '../runs\' $HOME "x" $(touch pwned)'
WORK = """
import dask, json, os, time
from dask.distributed import Client, LocalCluster

if __name__ == "__main__":
    told = {"names": sorted(name for name in os.environ if name.startswith("HPC_LAUNCH_")), "directory": os.getcwd()}
    with Client() as client:
        told["sum"] = client.submit(sum, [1, 2, 3]).result()
        told["address"] = client.scheduler.address
        [worker] = client.scheduler_info(n_workers=-1)["workers"].values()
        told["worker"] = {key: worker[key] for key in ("nthreads", "memory_limit", "resources", "local_directory")}
        keys = ["distributed.worker.memory.spill", "distributed.worker.multiprocessing-method"]
        told["configured"] = [list(client.run(dask.config.get, key).values()) for key in keys]
    with Client(os.environ["DASK_SCHEDULER_ADDRESS"].split("://")[1]) as client:
        told["without a scheme"] = client.scheduler.address
    with LocalCluster(1, processes=False, dashboard_address=":0") as own, Client(own) as client:
        told["own"] = client.submit(sum, [2, 3, 4]).result()
    Client().retire_workers()
    time.sleep(2)  # the job's shell looks twice a second
    told["went on"] = True
    print(json.dumps(told))
"""
WORKERS = {"threads": 2, "memory": "0.25 GiB", "resources": {"subprocess_slots": 1, "x": 2.5}}


@dataclass(frozen=True)
class Good:
    """A run that is over, what its workload told, and what `render` makes of its profile."""

    run: Run
    told: dict[str, Any]
    rendered: dict[str, bytes]

    @property
    def here(self) -> Here:
        return self.run.here


def user_at(directory: Path) -> Here:
    for name in (HOSTILE, "home"):
        (directory / name).mkdir()
    return Here(directory / HOSTILE, directory / "home")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Good]:
    here = user_at(tmp_path_factory.mktemp("good"))
    profile = here.profile(
        here.script(WORK), workers={**WORKERS, "local_directory": str(here.project.parent / SCRATCH)}
    )
    assert here.command("render", profile, "--output", "rendered").returncode == 0
    shown = here.project / "rendered"
    rendered = {str(file.relative_to(shown)): file.read_bytes() for file in shown.rglob("*") if file.is_file()}
    done = here.command("submit", profile, "--run-dir", PLACE, "--wait")
    assert done.returncode == 0, done.stderr
    run = Run(here, done.stdout.strip())
    run.ended_as("succeeded", 0)
    yield Good(run, json.loads(run.log()), rendered)
    here.end_all()


def test_the_workload_finds_its_cluster_with_a_bare_client(good: Good) -> None:
    assert good.told["sum"] == 6 and good.told["address"].startswith("tls://127.0.0.1:")
    names = {"HPC_LAUNCH_RUN_DIR", "HPC_LAUNCH_ATTEMPT", "HPC_LAUNCH_SCHEDULER_FILE"}
    assert names <= set(good.told["names"])


def test_an_address_without_a_scheme_is_the_cluster_too_and_a_workloads_own_cluster_stays_possible(good: Good) -> None:
    assert good.told["without a scheme"] == good.told["address"] and good.told["own"] == 9


def test_workers_have_what_the_profile_says(good: Good) -> None:
    worker = good.told["worker"]
    has = (worker["nthreads"], worker["memory_limit"], worker["resources"])
    assert has == (2, 2**28, {"subprocess_slots": 1, "x": 2.5})
    assert worker["local_directory"].startswith(f"{good.here.project.parent / SCRATCH}/")


def test_workers_spill_to_a_disk(good: Good) -> None:
    [told] = [file.read_text() for file in (good.run.directory / "state/1/fit").iterdir()]
    assert told.startswith(f"{good.here.project.parent / SCRATCH} is disk (")
    assert good.told["configured"] == [[0.7], ["forkserver"]]


def test_workers_may_be_retired_by_the_workload(good: Good) -> None:
    assert good.told["went on"]


def test_hostile_names_are_names(good: Good) -> None:
    assert good.told["directory"] == str(good.here.project)
    assert good.run.directory == good.here.project / PLACE
    assert not list(good.here.home.parent.rglob("pwned"))


def test_what_render_shows_is_what_submit_wrote(good: Good) -> None:
    rendered = {name: text for name, text in good.rendered.items() if name != ".rendered"}
    for name, content in rendered.items():
        assert (good.run.directory / name).read_bytes() == content, name
    made_later = {"run.json", "scheduler.json", "logs", "state"}
    files = [file.relative_to(good.run.directory) for file in good.run.directory.rglob("*") if file.is_file()]
    written = {str(file) for file in files if file.parts[0] not in made_later and "__pycache__" not in file.parts}
    assert written == set(rendered), "and the keys are gone"
    profile = next(good.here.project.glob("profile-*.yaml")).name
    shown = json.loads(good.here.command("submit", profile, "--dry-run", "--json").stdout)
    assert shown["files"] == {name: content.decode() for name, content in rendered.items()}
    assert shown["submissions"][0]["command"] == ["bash", "job.sh", "{run}"]


# A second one: nothing is encrypted, workers lie in memory, one of them dies, and in the end all of it is shut down

ANOTHER = """
import dask, json, os, time
from dask.distributed import Client

client = Client()
told = {"address": client.scheduler.address}
told["spill"] = list(client.run(dask.config.get, "distributed.worker.memory.spill").values())
before = client.submit(os.getpid, pure=False).result()
os.kill(before, 9)
while told.setdefault("after", before) == before:
    client.wait_for_workers(1)
    told["after"] = client.submit(os.getpid, pure=False).result()
told["before"] = before
client.shutdown()
time.sleep(2)  # the job's shell looks twice a second
print("shut down, and went on", json.dumps(told), sep="\\n")
"""


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Good]:
    """As a shell sees it: each command is a process of its own."""
    here = user_at(tmp_path_factory.mktemp("another"))
    profile = here.profile(here.script(ANOTHER), workers={"local_directory": "/dev/shm"}, security="none")
    done = here.command_in_its_own_process("submit", profile, "--wait")
    assert done.returncode == 0, done.stderr
    run = Run(here, done.stdout.strip())
    run.ended_as("succeeded", 0)
    said, _, told = here.command_in_its_own_process("logs", run.id).stdout.partition("\n")
    assert said == "shut down, and went on"
    yield Good(run, json.loads(told), {})
    here.end_all()


def test_a_workload_may_shut_its_cluster_down(another: Good) -> None:
    assert another.run.status()["outcome"] == "succeeded"


def test_without_security_there_are_no_keys(another: Good) -> None:
    assert another.told["address"].startswith("tcp://")
    assert not (another.run.directory / "tls").exists()
    assert "tls" not in (another.run.directory / "job.sh").read_text()


def test_workers_do_not_spill_to_memory(another: Good) -> None:
    [told] = [file.read_text() for file in (another.run.directory / "state/1/fit").iterdir()]
    assert told.startswith("/dev/shm is memory (") and another.told["spill"] == [False]


def test_a_killed_worker_is_started_again(another: Good) -> None:
    assert another.told["before"] != another.told["after"]
