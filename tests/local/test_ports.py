"""Where a site lets some ports alone through (`network.ports`) all of a run listens on these; `scheduler.port`."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.runs import Here, Run, until

LISTENS = "0A"
"""Of a socket, in /proc/net/tcp."""
SITE: dict[str, Any] = {
    "name": "behind-a-firewall",
    "batch_system": "local",
    "launchers": {"mpi": "mpiexec"},
    "queues": {},
    "storage": {"local": "/tmp"},
}


def free_range(size: int) -> tuple[int, int]:
    """The first and the last of so many ports that are free just now, below those that the system gives out itself."""
    for first in range(20000 + os.getpid() % 97 * 100, 32000, size):
        with suppress(OSError), taken(range(first, first + size)):
            return first, first + size - 1
    raise AssertionError(f"no {size} free ports in a row")


@contextmanager
def taken(ports: range) -> Iterator[None]:
    """Another program listens on all of these."""
    with ExitStack() as all_of_them:
        for port in ports:
            all_of_them.enter_context(socket.create_server(("", port)))
        yield


def ports_of(run: Run) -> set[int]:
    """On which its processes listen."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, here, _, state, *more = line.split()
            if state == LISTENS:
                sockets[f"socket:[{more[5]}]"] = int(here.rpartition(":")[2], 16)
    found = set()
    for process in run.processes():
        with suppress(OSError):  # it has ended
            names = [os.readlink(each) for each in Path(f"/proc/{process}/fd").iterdir()]
            found |= {sockets[name] for name in names if name in sockets}
    return found


def of_site(here: Here, **network: Any) -> Here:
    """The same user at a site with this network."""
    (here.project / "site.yaml").write_text(yaml.safe_dump({**SITE, "network": {"interface": "lo", **network}}))
    return Here(here.project, here.home, site="./site.yaml")


LAYOUTS: dict[str, dict[str, Any]] = {
    "single-job": {"services": {"jupyter": {"cores": 0, "memory": "100 MB"}}},
    "job-array": {"workers": {"count": 2, "per_node": 1, "minimum": 2}},
    "mpi": {"workers": {"count": 2}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_that_listens_does_so_within_the_sites_ports(here: Here, layout: str) -> None:
    first, last = free_range(20)
    keys = {"scheduler": {"memory": "100 MB", "dashboard": "node"}, "workers": {"count": 2}, **LAYOUTS[layout]}
    with taken(range(first, first + 1)), taken(range(last, last + 1)):  # by others, who share the node
        run = of_site(here, ports=f"{first}-{last}").stand(layout=layout, **keys)
        run.until_running()
        if "services" in keys:
            until(lambda: (run.status()["jupyter"] or {}).get("port"), "JupyterLab")
    found, status = ports_of(run), run.status()
    within = found & {*range(first, last + 1)}
    # Of the scheduler and its pages (on loopback and on the interface), of two workers and their nannies.
    assert len(within) == 3 + 4 + ("services" in keys), found
    assert found == within or layout == "mpi"  # MPICH has some of its own
    assert {status[name]["port"] for name in ("dashboard", "jupyter") if status[name]} <= within
    assert here.command("close", run.id).returncode == 0
    run.ended_as("succeeded", 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scheduler_port_that_is_in_use_ends_the_run_with_its_number(here: Here, layout: str) -> None:
    port, _ = free_range(1)
    keys = {"scheduler": {"memory": "100 MB", "port": port}, "layout": layout, "workers": {"timeout": "50s"}}
    with taken(range(port, port + 1)):
        run = of_site(here).submit("echo never", **keys)
        status = run.ended_as("launch-failed", 1)
    assert f"port {port} (scheduler.port) is in use on this node" in status["reason"]


def test_a_scheduler_port_is_taken_as_given(here: Here) -> None:
    first, last = free_range(12)
    keys = {"scheduler": {"memory": "100 MB", "port": first + 5}}
    run = of_site(here, ports=f"{first}-{last}").submit('echo "$DASK_SCHEDULER_ADDRESS"', **keys)
    run.ended_as("succeeded", 0)
    assert re.search(rf":{first + 5}$", run.log().strip())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_too_few_free_ports_end_the_run_with_a_sentence(here: Here, layout: str) -> None:
    first, last = free_range(12)
    with taken(range(first, last - 2)):  # three are left: of the scheduler, its pages, and one worker without a nanny
        run = of_site(here, ports=f"{first}-{last}").submit("echo never", layout=layout, workers={"timeout": "50s"})
        reason = run.ended_as("launch-failed", 1)["reason"]
    assert f"{first}-{last} (network.ports)" in reason
