"""A site that is this machine, with a network as it is wanted."""

from __future__ import annotations

from typing import Any

import yaml

from tests.local.runs import Here

SITE: dict[str, Any] = {
    "name": "behind-a-firewall",
    "batch_system": "local",
    "launchers": {"mpi": "mpiexec"},
    "queues": {},
    "storage": {"local": "/tmp"},
}


def of_site(here: Here, resources: dict[str, str] | None = None, **network: Any) -> Here:
    """The same user at a site with this network."""
    site = {**SITE, "resources": resources or {}, "network": {"interface": "lo", **network}}
    (here.project / "site.yaml").write_text(yaml.safe_dump(site))
    return Here(here.project, here.home, site="./site.yaml")
