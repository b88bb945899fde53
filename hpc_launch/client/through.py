"""A run's scheduler through ssh."""

from __future__ import annotations

from dataclasses import replace

from hpc_launch.client.access import Forward, Way, free_port, way_from_here
from hpc_launch.client.companion import Companion
from hpc_launch.client.endpoint import Endpoint
from hpc_launch.client.tunnel import open_tunnel
from hpc_launch.models.plan_parts import AccessPlan
from hpc_launch.models.stored_plan import read_plan
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.services import LOOPBACK


def tunnel_to(found: Endpoint) -> tuple[Endpoint, Companion]:
    """Open a tunnel to the scheduler, and to its pages; gives where they are on this host.

    Raises:
        Unreachable: ssh did not get there.
    """
    way = way_to(found)
    host, port = found.host_and_port
    forwards = [Forward(free_port(), host, port)]
    page = found.dashboard if found.dashboard and (way.on_node or not found.dashboard.on_loopback) else None
    if page and page.is_there:
        forwards.append(Forward(free_port(), page.address, page.port or 0))
        page = replace(page, address=LOOPBACK, port=forwards[1].local)
    tunnel = open_tunnel(way, forwards)
    scheme = found.address.partition("://")[0]
    return replace(found, address=f"{scheme}://{LOOPBACK}:{forwards[0].local}", dashboard=page), tunnel


def way_to(found: Endpoint) -> Way:
    """From this host to the scheduler."""
    record = read_record(found.directory)
    return way_from_here(access_of(found), found.node, record.host, record.user)


def access_of(found: Endpoint) -> AccessPlan:
    """What the site profile said of access when the run was submitted."""
    try:
        return read_plan((found.directory / "plan.json").read_text(encoding="utf-8")).access
    except (OSError, ValueError):  # of an earlier version
        return AccessPlan()
