"""The built-in site profiles, and a request that fits each of them."""

from __future__ import annotations

from pathlib import Path

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.models.site import Site

BUILT_IN = sorted(file.stem for file in SITE_PROFILES.glob("*.yaml"))

REQUEST = """
name: header
walltime: 00:30:00
workers: {count: 8, threads: 2, memory: 2 GiB, per_node: 4}
scheduler: {memory: 1 GiB}
workload: {command: [python, work.py], memory: 1 GiB}
"""
"""Two nodes of 8 cores and 10779 MiB: (4 × 2 + 1 + 1) GiB ÷ 0.95."""
ASKED = {
    "local": ["workers.count=2", "workers.threads=1", "workers.per_node=2"],  # one node, of the tests' 4 cores
    "pegasus": ["queue=parallel", "workers.threads=4"],  # 16 cores of a node, no more and no fewer
}
"""Where the request must be another one."""


def site_of(name: str, context: Context) -> Site:
    return sites.read(SITE_PROFILES / f"{name}.yaml", context).site


def asked(site: Site) -> list[str]:
    """What the site wants every user to say, and what is asked of it in particular."""
    account = ["account=proj01"] if site.account == "required" else []
    queue = [f"queue={next(iter(site.queues))}"] if len(site.queues) > 1 and "queue" not in site.defaults else []
    return [*account, *queue, *ASKED.get(site.name, [])]


def allowed(site: Site, directory: Path) -> str:
    """The site; where its rules allow no single job, as a user has it who was given leave."""
    if "single-job" in site.layouts:
        return site.name
    (directory / "agreed.yaml").write_text(f"name: {site.name}\nextends: {site.name}\nlayouts: [single-job]\n")
    return "./agreed.yaml"
