"""Where a site lets some ports alone through (`network.ports`) all of a run listens on these; `scheduler.port`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.local.listening import free_range, in_use, ports_of
from tests.local.networks import of_site
from tests.local.runs import Here, until

LAYOUTS: dict[str, dict[str, Any]] = {
    "single-job": {"services": {"jupyter": {"cores": 0, "memory": "100 MB"}}},
    "job-array": {"workers": {"count": 2, "per_node": 1, "minimum": 2}},
    "mpi": {"workers": {"count": 2}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_that_listens_does_so_within_the_sites_ports(here: Here, layout: str) -> None:
    first, last = free_range(20)
    keys = {"scheduler": {"memory": "100 MB", "dashboard": "node"}, "workers": {"count": 2}, **LAYOUTS[layout]}
    with in_use(range(first, first + 1)), in_use(range(last, last + 1)):  # by others, who share the node
        run = of_site(here, ports=f"{first}-{last}").stand(layout=layout, **keys)
        run.until_running()
        if "services" in keys:
            until(lambda: (run.status()["jupyter"] or {}).get("port"), "JupyterLab")
    found, status = {*ports_of(run.processes())}, run.status()
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
    with in_use(range(port, port + 1)):
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
    with in_use(range(first, last - 2)):  # three are left: of the scheduler, its pages, and one worker without a nanny
        run = of_site(here, ports=f"{first}-{last}").submit("echo never", layout=layout, workers={"timeout": "50s"})
        reason = run.ended_as("launch-failed", 1)["reason"]
    assert f"{first}-{last} (network.ports)" in reason
