"""Somebody else with an account on the cluster can neither read a run nor talk to its processes, nor set a trap."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, log_lines
from tests.local.runs import Run, until

pytestmark = pytest.mark.shares_jobs

CONNECT = """
import asyncio, sys
from distributed.core import rpc
from distributed.security import Security
async def main(addresses):
    for address in addresses:
        try:
            async with rpc(address, timeout=5, connection_args=Security().get_connection_args("client")) as remote:
                await asyncio.wait_for(remote.identity(), 10)
                print("connected", address)
        except Exception as error:
            print("failed", address, error)
asyncio.run(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def run(cluster: Cluster) -> Iterator[Run]:
    there = There.at(cluster)
    beside = {"services": {"jupyter": {"cores": 0, "memory": "300 MB"}}}
    made = there.submit(["sleep", "300"], workers={"count": 2, "memory": "300 MB"}, **beside)
    made.until_running()
    until(lambda: (made.status()["jupyter"] or {}).get("url"), "JupyterLab")
    yield made
    there.command("cancel", made.id)


def addresses(run: Run) -> dict[str, str]:
    [scheduler] = {found for line in log_lines(run, "scheduler") for found in re.findall(r"Scheduler at: +(\S+)", line)}
    lines = log_lines(run, "workers")
    worker = next(found for line in lines for found in re.findall(r"Start worker at: +(\S+)", line))
    nanny = next(found for line in lines for found in re.findall(r"Start Nanny at: '(\S+)'", line))
    return {"scheduler": scheduler, "worker": worker, "nanny": nanny}


def test_the_run_directory_cannot_be_read(cluster: Cluster, run: Run) -> None:
    for name in (
        "",
        "/run.json",
        "/tls/key.pem",
        "/environment.sh",
        "/logs/workload.log",
        "/state/1/token",
        "/state/1/jupyter-token",
    ):
        done = cluster.run(["cat" if name else "ls", f"{run.directory}{name}"], user="otheruser", check=False)
        assert done.returncode != 0 and "Permission denied" in done.stderr, name


def connected(cluster: Cluster, addresses: list[str], user: str, certificate: str, key: str) -> set[str]:
    """Those of a run's processes that tell `user`, who has these keys, who they are."""
    tls = "DASK_DISTRIBUTED__COMM__TLS__"
    keys = {f"{tls}CA_FILE": certificate, f"{tls}CLIENT__CERT": certificate, f"{tls}CLIENT__KEY": key}
    command = [str(cluster.venv / "bin" / "python"), "-c", CONNECT, *addresses]
    told = [line.split() for line in cluster.run(command, user=user, env=keys, timeout=120).stdout.splitlines()]
    assert {line[1] for line in told} == set(addresses)
    return {line[1] for line in told if line[0] == "connected"}


def test_the_owner_can_connect_and_nobody_else(cluster: Cluster, run: Run) -> None:
    own = cluster.home_of("otheruser")
    make = f"req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 1 -keyout {own}/key.pem -out {own}/ca.pem"
    cluster.run(["openssl", *make.split()], user="otheruser")
    there = [*addresses(run).values()]
    plain = [address.replace("tls://", "tcp://") for address in there]
    keys = (f"{run.directory}/tls/ca.pem", f"{run.directory}/tls/key.pem")
    assert len(there) == 3 and connected(cluster, there, "hpcuser", *keys) == set(there)
    assert connected(cluster, [*there, *plain], "otheruser", f"{own}/ca.pem", f"{own}/key.pem") == set()


GET = """
for url; do
  code=$(curl -sS -m 3 -o /dev/null -w '%{http_code}' "$url" 2>/dev/null)
  echo "$url ${code:-000}"
done
"""


def answers(cluster: Cluster, urls: list[str]) -> dict[str, str]:
    """The HTTP status that somebody else on the first host gets of each URL; 000: it speaks no HTTP."""
    done = cluster.run(["bash", "-c", GET, "-", *urls], user="otheruser", host="c1", timeout=180)
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told.keys() == set(urls)
    return told


START_KERNEL = """
curl -sS -X POST -H "Authorization: token $(cat "$1")" -o /dev/null -w '%{http_code}' "$2/api/kernels"
"""


def test_nor_does_anything_else_of_the_run_answer(cluster: Cluster, run: Run) -> None:
    """Whatever port is open on the first host, with a kernel running: a page that wants a token, or no page at all."""
    jupyter = run.status()["jupyter"]
    server = jupyter["url"].removesuffix("/lab")
    started = ["bash", "-c", START_KERNEL, "-", jupyter["token_file"], server]
    assert cluster.run(started, host="c1").stdout == "201"
    listening = sorted({line.split()[3] for line in cluster.run(["ss", "-Hltn"], host="c1").stdout.splitlines()})
    told = answers(
        cluster, [f"http://{address}{path}" for address in listening for path in ("/api/kernels", "/status")]
    )
    assert told.pop(f"{server}/api/kernels") == "403" and told.pop(f"{server}/status") == "404"
    assert told.pop(run.status()["dashboard"]["url"]) == "403"
    assert set(told.values()) <= {"403", "404", "000"}, told
    pages = answers(cluster, [f"{server}/lab", f"{server}/proxy-dask/status"])
    assert set(pages.values()) <= {"302", "403"}, pages
    sockets = ["bash", "-c", "ls -d /tmp/hpc-launch-*; ls /tmp/hpc-launch-*/ >/dev/null"]
    looked = cluster.run(sockets, user="otheruser", host="c1", check=False)
    assert looked.stdout.startswith("/tmp/hpc-launch-") and "Permission denied" in looked.stderr


def test_workers_and_nannies_serve_no_pages_and_the_scheduler_none_to_other_hosts(cluster: Cluster, run: Run) -> None:
    listening = {line.split()[3] for line in cluster.run(["ss", "-Hltn"], host="c1").stdout.splitlines()}
    loopback = {address for address in listening if address.startswith("127.0.0.1:")}
    paths = ("/", "/health", "/status", "/metrics", "/info/main/workers.html")
    told = answers(cluster, [f"http://{address}{path}" for address in sorted(listening - loopback) for path in paths])
    assert set(told.values()) == {"000"}, told
    # on loopback there are the scheduler's pages, which want the token, and the workers' servers without a page
    health = answers(cluster, [f"http://{address}/health" for address in sorted(loopback)])
    assert health.pop(f"http://127.0.0.1:{run.status()['dashboard']['port']}/health") == "403"
    jupyter = run.status()["jupyter"]["url"].removesuffix("/lab")
    assert health.pop(f"{jupyter}/health") == "404"
    assert set(health.values()) <= {"404", "000"}, health


TRAP = '#!/bin/bash\nid -un >>"$(dirname "$0")/obeyed"\n'


@pytest.fixture
def stranger(cluster: Cluster) -> Iterator[str]:
    """A run that otheruser has opened to all, with a program of theirs for the batch system's commands; their words."""
    home = cluster.home_of("otheruser")
    place = home / "shared"

    def as_owner(*words: str, input: str = "") -> CompletedProcess[str]:
        return cluster.run(words, user="otheruser", cwd=home, input=input)

    profile = "site: gridcluster\nname: bait\nwalltime: 00:05:00\nworkers: {count: 1, memory: 300 MB}\n"
    profile += "workload: {command: [sleep, '300'], memory: 100 MB}\nscheduler: {memory: 100 MB}\n"
    as_owner("tee", "bait.yaml", input=profile)
    as_owner("hpc-launch", "submit", "bait.yaml", "--run-dir", str(place))
    own = as_owner("cat", f"{place}/run.json").stdout
    trapped = {**json.loads(own), "commands": {name: [f"{place}/trap"] for name in ("status", "history", "cancel")}}
    as_owner("tee", f"{place}/trap", input=TRAP)
    as_owner("tee", f"{place}/run.json", input=json.dumps(trapped))
    as_owner("touch", f"{place}/obeyed")
    as_owner("chmod", "0666", f"{place}/obeyed")
    as_owner("chmod", "0755", str(place), f"{place}/trap")
    as_owner("chmod", "0644", f"{place}/run.json")
    yield str(place)
    as_owner("tee", f"{place}/run.json", input=own)
    as_owner("hpc-launch", "cancel", str(place))
    as_owner("rm", "-r", str(place))


def test_a_run_of_somebody_else_is_refused_and_nothing_it_says_is_done(cluster: Cluster, stranger: str) -> None:
    there = There.at(cluster)
    links = there.home / ".local/state/hpc-launch/runs"
    cluster.run(["mkdir", "-p", str(links)])
    cluster.run(["ln", "-sfn", stranger, f"{links}/bait-1"])
    try:
        for words in (["status"], ["status", "--watch"], ["wait"], ["logs"], ["logs", "--of", "job", "-f"], ["cancel"]):
            for name in (stranger, "bait-1"):
                done = there.command(*words, name)
                assert done.returncode == 2 and "belongs to otheruser, not to you (hpcuser)" in done.stderr, done.stderr
        shown = there.command("list")
        assert shown.returncode == 0 and re.search(r"bait-1 +refused: it belongs to otheruser", shown.stdout)
        runs = json.loads(there.command("list", "--json").stdout)["runs"]
        assert [run["state"] for run in runs if run["run"] == "bait-1"] == ["refused"]
    finally:
        cluster.run(["rm", f"{links}/bait-1"])
    assert cluster.run(["cat", f"{stranger}/obeyed"]).stdout == ""


def test_a_directory_of_somebody_else_is_not_taken_over(cluster: Cluster) -> None:
    there = There.at(cluster)
    theirs = cluster.home_of("otheruser") / "empty"
    cluster.run(["mkdir", "-m", "0777", str(theirs)], user="otheruser")
    done = there.command("submit", there.profile(["true"]), "--run-dir", str(theirs))
    cluster.run(["rmdir", str(theirs)], user="otheruser")
    assert done.returncode == 2 and f"{theirs} belongs to otheruser" in done.stderr, done.stderr
