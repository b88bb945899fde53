"""A run that goes on, taken up from another process: a client of it, and a cluster object."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client
from distributed.core import Status

from hpc_launch import HPCCluster, connect
from hpc_launch.client.endpoint import Unreachable
from hpc_launch.errors import UsageError
from tests.client.people import UNTIL_STOPPED, Person
from tests.local.runs import Run, until


@pytest.fixture(scope="module")
def run(person: Person) -> Run:
    """It has one worker, and goes on until it is stopped."""
    run = person.submit(person.script(UNTIL_STOPPED), layout="job-array", workers={"per_node": 1})
    run.until_running()
    return run


@pytest.fixture
def cluster(run: Run) -> Iterator[HPCCluster]:
    with HPCCluster.from_run(run.id) as cluster:
        yield cluster


def test_a_client_computes_on_it(run: Run) -> None:
    with connect(run.id) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert client.scheduler.address.startswith("tls://")


def test_closing_what_was_taken_up_leaves_the_run_alone(run: Run) -> None:
    cluster = HPCCluster.from_run(run.id)
    cluster.close()
    cluster.close()
    assert cluster.status is Status.closed
    with pytest.raises(UsageError, match="closed"):
        cluster.scale(2)
    assert run.status()["state"] == "running"


def test_it_grows_to_what_each_of_the_words_means(
    cluster: HPCCluster, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.scale(jobs=2)
    cluster.wait_for_workers(2, timeout=60)
    assert len(cluster.scheduler.workers) == 2
    with pytest.raises(TypeError):
        cluster.scheduler.workers["tls://nobody:1"] = {}
    with cluster.get_client() as client:
        assert client.gather(client.map(lambda number: 2 * number, range(20))) == [2 * number for number in range(20)]
        assert cluster.get_client() is client
    cluster.adapt(maximum=9)
    rule = "here runs 4 worker jobs at once; at most 4 are, the others wait\n"
    assert capfd.readouterr().err == f"note: 9 workers are never there at one time: {rule}"
    adaptive = cluster.adapt(minimum_jobs=1, maximum_cores=3)
    assert (adaptive.minimum, adaptive.maximum) == (1, 3)
    until(lambda: run.status()["pools"]["workers"]["mode"] == "adaptive", "the bounds to be seen")


def test_two_objects_of_a_run_have_clients_of_their_own(cluster: HPCCluster, run: Run) -> None:
    with HPCCluster.from_run(run.id) as other, Client(cluster) as client, Client(other) as others:
        assert other != cluster and len({other, cluster}) == 2
        assert client.submit(sum, [1, 2]).result() == others.submit(sum, [1, 2]).result() == 3


def test_a_pickled_object_is_one_of_the_same_run(cluster: HPCCluster) -> None:
    with pickle.loads(pickle.dumps(cluster)) as other, Client(other) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert other.name == cluster.name and not other.shutdown_on_close


def test_in_an_event_loop(run: Run) -> None:
    async def use() -> None:
        cluster = await HPCCluster.from_run(run.id, asynchronous=True)
        assert await cluster is cluster
        async with cluster, Client(cluster, asynchronous=True) as client:
            assert await client.submit(sum, [1, 2]) == 3
        assert cluster.status is Status.closed

    asyncio.run(use())


def test_the_command_tells_how_to_get_there(run: Run, person: Person) -> None:
    told = json.loads(person.command("connect", run.id, "--json").stdout)
    assert told["run"] == run.id and told["jupyter"] is None
    host, port = told["dashboard"]["host"], told["dashboard"]["port"]
    assert told["dashboard"]["url"].startswith(f"http://127.0.0.1:{port}/status")
    assert told["tunnel"][:4] == ["ssh", "-N", "-o", "ExitOnForwardFailure=yes"]
    assert told["tunnel"][-1].endswith(f"@{host}")
    said = person.command("connect", run.id).stdout
    assert " ".join(told["tunnel"]) in said
    assert all(f"  {line}\n" in said for line in told["python"])


def test_a_browser_gets_a_file_and_no_token_on_its_command_line(
    run: Run, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = person.project / "given"
    browser = person.project / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{given}\n')
    browser.chmod(0o755)
    monkeypatch.setattr("webbrowser._tryorder", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER", str(browser))
        assert person.command("connect", run.id, "--open").returncode == 0
    file = Path(run.directory) / "control" / "open.html"
    assert given.read_text() == f"{file.as_uri()}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert '"0; url=http://127.0.0.1:' in file.read_text()


def test_a_tunnel_that_cannot_be_is_told_in_the_words_of_ssh(run: Run, person: Person) -> None:
    ssh = person.project / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'ssh: connect to host: No route' >&2\nexit 255\n")
    ssh.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
        refused = person.command("connect", run.id, "--tunnel")
        assert refused.returncode == 2 and "ssh did not get there: ssh: connect to host: No route" in refused.stderr
        with pytest.raises(Unreachable, match="No route"):
            connect(run.id, tunnel=True)


def test_a_run_that_others_may_write_is_refused(run: Run) -> None:
    before = stat.S_IMODE(os.stat(run.directory).st_mode)
    Path(run.directory).chmod(0o770)
    try:
        for take_up in (connect, HPCCluster.from_run):
            with pytest.raises(UsageError, match="others may write it"):
                take_up(run.id)
    finally:
        Path(run.directory).chmod(before)


def test_that_the_scheduler_has_gone_is_noticed_and_told(run: Run, person: Person) -> None:
    cluster = HPCCluster.from_run(run.id)
    (person.project / "stop").touch()
    until(lambda: cluster.status is Status.failed, "the end of the scheduler to be noticed")
    assert not cluster.scheduler.workers
    cluster.close()
    run.ended_as("succeeded", 0)
    for take_up in (connect, HPCCluster.from_run):
        with pytest.raises(UsageError, match="is over: succeeded"):
            take_up(run.id)
