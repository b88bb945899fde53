"""How one gets to a run: by which hosts, to which ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.client.access import Forward, Way, refuse_loopback, way_from_here, way_from_outside
from hpc_launch.client.directions import Directions, directions
from hpc_launch.client.endpoint import Endpoint, Unreachable, refuse_unless_reachable
from hpc_launch.errors import UsageError
from hpc_launch.models.plan_parts import AccessPlan
from hpc_launch.runs.evidence import Evidence
from hpc_launch.runs.outcome import Standing
from hpc_launch.runs.services import PATHS, Page
from hpc_launch.runs.settle import View
from tests.runs.jobs import record

PORTS = {"dashboard": 41234, "jupyter": 41235}
DASHBOARD = Forward(8787, "127.0.0.1", 41234)


def line(way: Way) -> str:
    return " ".join(way.words([DASHBOARD]))


def test_by_way_of_all_hosts_that_the_site_names() -> None:
    access = AccessPlan("login.example.org", ("outer@bastion.example.org",))
    way = way_from_outside(access, "c1", "login1", "user")
    assert line(way) == (
        "ssh -N -o ExitOnForwardFailure=yes -L 127.0.0.1:8787:127.0.0.1:41234"
        " -J outer@bastion.example.org,user@login.example.org user@c1"
    )


def test_where_the_site_names_no_login_host_it_is_the_one_that_submitted() -> None:
    assert way_from_outside(AccessPlan(), "c1", "login1", "user") == Way(("user@login1",), "user@c1", True)
    assert way_from_outside(AccessPlan(), "login1", "login1", "user") == Way((), "user@login1", True)


def test_where_users_may_not_ssh_to_nodes_it_ends_at_the_login_host() -> None:
    access = AccessPlan("login.example.org", ssh_to_nodes=False)
    way = way_from_outside(access, "c1", "login1", "user")
    assert (way.jump, way.host) == ((), "user@login.example.org")
    with pytest.raises(UsageError, match=r"loopback of its node.*\n.*dashboard: node"):
        refuse_loopback(way, "the dashboard")


def test_from_a_host_that_knows_the_node_it_is_one_step() -> None:
    access = AccessPlan("login.example.org")
    assert way_from_here(access, "localhost", "login1", "user") == Way((), "localhost", True)
    assert way_from_here(access, "nosuch.invalid", "login1", "user").jump == ("user@login.example.org",)


def test_an_address_of_more_colons_is_put_in_brackets() -> None:
    assert Forward(1, "fd00::7", 2).words() == ["-L", "127.0.0.1:1:[fd00::7]:2"]


def test_each_page_has_its_own_port_and_token(tmp_path: Path) -> None:
    pages = {name: Page("c1", "127.0.0.1", port, PATHS[name], tmp_path / name) for name, port in PORTS.items()}
    for name in pages:
        (tmp_path / name).write_text(f"secret-of-{name}\n")
    found = Directions("pi-1", pages, False, Way((), "user@c1", True), None)
    told = found.as_json()
    assert told["dashboard"]["url"] == "http://127.0.0.1:41234/status?token=secret-of-dashboard"
    assert told["jupyter"]["url"] == "http://127.0.0.1:41235/lab?token=secret-of-jupyter"
    assert [word for word in told["tunnel"] if "127.0.0.1" in word] == [
        "127.0.0.1:41234:127.0.0.1:41234",
        "127.0.0.1:41235:127.0.0.1:41235",
    ]
    assert f"jupyter on c1: {told['jupyter']['url']}" in found.lines() and told["jupyter"]["lacks"] is None


def test_a_dashboard_without_bokeh_has_no_link_but_a_reason(tmp_path: Path) -> None:
    pages = {"dashboard": Page("c1", "127.0.0.1", 41234, "/status", tmp_path / "token", "bokeh is missing")}
    found = Directions("pi-1", pages, False, Way((), "user@c1", True), None)
    told = found.as_json()
    assert told["dashboard"] == {"host": "c1", "port": 41234, "url": None, "lacks": "bokeh is missing"}
    assert (told["tunnel"], found.lines()[:2]) == (None, ["dashboard: bokeh is missing", "from Python:"])


def test_jupyterlab_that_is_still_starting_is_told(tmp_path: Path) -> None:
    view = View(tmp_path, record(), Evidence(), {}, Standing("running"))
    found = Endpoint(tmp_path, "tls://127.0.0.1:1", "c1", None)
    assert directions(view, found).lacks() == []
    (tmp_path / "jobside").mkdir()
    (tmp_path / "jobside/jupyter.py").touch()
    assert directions(view, found).lacks() == ["jupyter: it is starting; ask again in a moment"]


@pytest.mark.parametrize(
    ("address", "why"),
    [("tls://127.0.0.1:1", "Connection refused"), ("tls://nosuch.invalid:1", "nobody knows that name")],
)
def test_that_nothing_answers_is_told_at_once_with_what_remains(tmp_path: Path, address: str, why: str) -> None:
    found = Endpoint(tmp_path / "pi-1", address, "c1", None)
    with pytest.raises(Unreachable) as refused:
        refuse_unless_reachable(found)
    assert why in str(refused.value)
    assert "connect('pi-1', tunnel=True)" in str(refused.value) and "hpc-launch connect pi-1" in str(refused.value)
